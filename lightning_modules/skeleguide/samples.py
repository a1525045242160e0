"""What a batch is to the backbone, and what is drawn from it."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.schema.interfaces import PromptEmbedding


@dataclass(frozen=True)
class EncodedScenes:
    """A batch as the backbone sees it.

    Attributes:
        prompts: encoded.
        source: latents of the scenes without people.
        layout: of the skeletons over the scene, M = E(I_M).
        target: of the scenes with people, z_h = E(I_human).
        people: share of each token's pixels that show a person.
        grid: rows and columns of tokens.
    """

    prompts: PromptEmbedding
    source: Float[Tensor, "b s c"]
    layout: Float[Tensor, "b s c"]
    target: Float[Tensor, "b s c"]
    people: Float[Tensor, "b s"]
    grid: tuple[int, int]

    def __len__(self) -> int:
        return len(self.source)

    def to(self, device: torch.device | str) -> Self:
        """The same on another device."""
        there = {name: value.to(device) for name, value in vars(self).items() if name != "grid"}
        return replace(self, **there)


@dataclass(frozen=True)
class Composition:
    """What was drawn.

    Attributes:
        image: the scene with people, RGB in [0, 1].
        layout_image: the skeletons the model drew over the scene; None where it draws none.
    """

    image: Float[Tensor, "b 3 h w"]
    layout_image: Float[Tensor, "b 3 h w"] | None = None

    def to(self, device: torch.device | str) -> Self:
        """The same on another device (``predict`` collects what was drawn through this)."""
        layout = None if self.layout_image is None else self.layout_image.to(device)
        return replace(self, image=self.image.to(device), layout_image=layout)
