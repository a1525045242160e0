"""A scene before and after people stand in it: what SkeleGuide learns from."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from datamodules.schema.layout import Layout


@dataclass(frozen=True)
class HumanInPlace:
    """A batch of human-in-place samples (SkeleGuide, section 3: I_src, T, I_M, I_human); RGB in [0, 1].

    Attributes:
        source: the scene without the people.
        target: the same scene with them.
        layout_image: their skeletons drawn over the source scene.
        prompts: who is to be where, one text per sample.
        layout: their face boxes, keypoints and valid slots.
        people_mask: pixels of the target that show the people; False is background, which must stay as it was.
        names: what the samples are called, for files made of them; empty where they have no names.
    """

    source: Float[Tensor, "b 3 h w"]
    target: Float[Tensor, "b 3 h w"]
    layout_image: Float[Tensor, "b 3 h w"]
    prompts: tuple[str, ...]
    layout: Layout
    people_mask: Bool[Tensor, "b h w"]
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = self.source.shape
        for name in ("target", "layout_image"):
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"{name}: shape {tuple(getattr(self, name).shape)} differs from the source's {tuple(shape)}; "
                    "all pictures of a sample show one canvas"
                )
        if self.people_mask.shape != (shape[0], *shape[-2:]):
            raise ValueError(
                f"people_mask: shape {tuple(self.people_mask.shape)}; expected {(shape[0], *shape[-2:])}"
            )
        if not len(self.prompts) == len(self.layout) == shape[0]:
            raise ValueError(
                f"prompts, layout: {len(self.prompts)} prompts and {len(self.layout)} plans for {shape[0]} scenes; "
                "give one of each per scene"
            )
        if len(self.names) not in (0, shape[0]):
            raise ValueError(f"names: {len(self.names)} for {shape[0]} scenes; name all of them or none")

    def __len__(self) -> int:
        return self.source.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images in pixels."""
        return self.source.shape[-2], self.source.shape[-1]

    def to(self, device: torch.device | str) -> Self:
        """The same batch on another device (Lightning moves frozen dataclasses through this)."""
        return replace(self, **self._changed(lambda value: value.to(device)))

    def pin_memory(self) -> Self:
        """The same batch in page-locked memory."""
        return replace(self, **self._changed(lambda value: value.pin_memory()))

    def select(self, index: Int[Tensor, " m"]) -> Self:
        """The samples at ``index``, in that order, which may repeat."""
        picked = self._changed(
            lambda value: value.select(index) if isinstance(value, Layout) else value[index]
        )
        places = index.tolist()
        prompts = tuple(self.prompts[i] for i in places)
        names = tuple(self.names[i] for i in places) if self.names else ()
        return replace(self, **picked, prompts=prompts, names=names)

    def _changed(self, change: Callable[[Any], Any]) -> dict[str, Any]:
        """Every tensor and the layout, with ``change`` applied."""
        texts = {"prompts", "names"}
        return {f.name: change(getattr(self, f.name)) for f in fields(self) if f.name not in texts}
