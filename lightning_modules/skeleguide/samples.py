"""What a batch is to the backbone, and what is drawn from it."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.schema.interfaces import PromptEmbedding


@dataclass(frozen=True)
class EditedPeople:
    """Latents of the same people with other skeletons than the prompt asks for, one per sample.

    Attributes:
        layout: of the skeletons over the scene.
        target: of the scene with people.
        people: share of each token's pixels that show a person.
    """

    layout: Float[Tensor, "b s c"]
    target: Float[Tensor, "b s c"]
    people: Float[Tensor, "b s"]

    def to(self, device: torch.device | str) -> Self:
        """The same on another device."""
        return replace(self, **{name: value.to(device) for name, value in vars(self).items()})


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
        edited: what a renderer that is given layouts may learn from instead; None where there is nothing else.
    """

    prompts: PromptEmbedding
    source: Float[Tensor, "b s c"]
    layout: Float[Tensor, "b s c"]
    target: Float[Tensor, "b s c"]
    people: Float[Tensor, "b s"]
    grid: tuple[int, int]
    edited: EditedPeople | None = None

    def __len__(self) -> int:
        return len(self.source)

    def to(self, device: torch.device | str) -> Self:
        """The same on another device."""
        fixed = {"grid"} if self.edited is not None else {"grid", "edited"}
        there = {name: value.to(device) for name, value in vars(self).items() if name not in fixed}
        return replace(self, **there)

    def with_edited_people(self) -> Self:
        """The same prompts with the edited skeletons and people, where there are any."""
        return self if self.edited is None else replace(self, **vars(self.edited), edited=None)


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
