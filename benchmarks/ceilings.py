"""Generators that cheat, to show what is reachable: no model can be judged above them by the same analyzers."""

from pathlib import Path
from typing import Any, Protocol, cast

import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.geometry.draw import draw_layouts
from datamodules.schema.scene import SceneBatch
from datamodules.tiny_world.identities import SPLITS, Split
from datamodules.tiny_world.scenes import draw_scene


class SceneGenerator(Protocol):
    """What a method must offer to be benchmarked.

    One with ``train(seed, tell)`` and ``training`` (``benchmarks.trained``) is trained before each seed's images; one
    with ``check()`` is built and asked before anything is generated whether its arguments make sense; one with
    ``figures`` has these values of its last call reported, by name, one per image, in place of what metrics say, NaN
    for a figure that does not apply.

    One with ``beside``, a list of pictures of the last batch, shows them under its images in the gallery.

    Attributes:
        name: shown in logs; the suite's own name for the method is what reports use.
    """

    name: str

    def generate(self, batch: SceneBatch, *, seed: int, **setting: Any) -> Float[Tensor, "b 3 h w"]:
        """One image per scene, RGB in [0, 1].

        Args:
            batch: the scenes; which parts may be looked at (prompt, references, layout, background) is the
                setting's matter.
            seed: decides all randomness; differs from batch to batch of one run.
            **setting: a row of the suite's settings, such as context, steps, guidance.
        """
        ...


class Renders:
    """The true images: the ceiling of every figure."""

    name = "renders"

    def generate(self, batch: SceneBatch, *, seed: int) -> Float[Tensor, "b 3 h w"]:
        """The scenes' own images, whatever the seed."""
        return batch.images


class RaisedArms:
    """The true images of the tiny world's scenes with everybody's left arm raised: the ceiling of an edited pose.

    Not for other scenes, of which nobody knows what they would look like.
    """

    name = "raised arms"

    def generate(self, batch: SceneBatch, *, seed: int) -> Float[Tensor, "b 3 h w"]:
        """The scenes drawn again, whatever the seed.

        Raises:
            ValueError: if they are not those of ``benchmarks.scenes.tiny_world``.
        """
        drawn = []
        for i, (name, count) in enumerate(zip(batch.scene_ids, batch.layout.counts().tolist(), strict=True)):
            split, _, number = name.partition("/")
            known = split in SPLITS and number.isdecimal()
            scene = (
                draw_scene(int(number), cast(Split, split), count=count, raised_arms=True) if known else None
            )
            boxes = batch.layout.boxes[i][batch.layout.valid[i]].cpu()
            if scene is None or not torch.equal(torch.stack([p.box for p in scene.persons]), boxes):
                raise ValueError(f"scenes: {name!r} is none of the tiny world's; leave this method out")
            drawn.append(scene.image)
        return torch.stack(drawn)


class TrueLayouts:
    """The scenes' skeletons over their places: the ceiling of every layout."""

    name = "layouts"

    def generate(self, batch: SceneBatch, *, seed: int) -> Float[Tensor, "b 3 h w"]:
        """Drawn from the plan, whatever the seed."""
        return draw_layouts(batch.layout, batch.size, batch.backgrounds)


class CodecRoundTrip:
    """The true images through the latent codec: the ceiling of every model that works in its latents."""

    name = "codec"

    def __init__(self, source: str | Path | None = None) -> None:
        """Load the codec.

        Args:
            source: as for ``load_codec``; the shipped tiny codec if None.
        """
        # diffusers behind the codec takes seconds to import, and Renders does not need it
        from lightning_modules.backbone.latents import load_codec

        self.codec = load_codec(source)

    def generate(self, batch: SceneBatch, *, seed: int) -> Float[Tensor, "b 3 h w"]:
        """Encoded and decoded again, whatever the seed."""
        return self.codec.round_trip(batch.images)
