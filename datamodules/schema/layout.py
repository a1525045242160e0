"""Where people stand: a padded batch of plans, the Architect's output and the Artist's input."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """A padded batch of plans (Ar2Can, section 3.1: L = {b_1 ... b_N}).

    Attributes:
        boxes: face boxes, xyxy in [0, 1]; zeros where not valid.
        keypoints: COCO-17 keypoints (x, y, v); v = 0 where unknown or not valid.
        valid: which of the n slots hold a person.
        depths: order from the camera, 0 nearest; None where nobody is to stand before anybody.
    """

    boxes: Float[Tensor, "b n 4"]
    keypoints: Float[Tensor, "b n k 3"]
    valid: Bool[Tensor, "b n"]
    depths: Int[Tensor, "b n"] | None = None

    def __post_init__(self) -> None:
        if not (self.boxes.shape[:2] == self.keypoints.shape[:2] == self.valid.shape):
            raise ValueError(
                "Layout: boxes, keypoints and valid must agree on (b, n); got "
                f"{tuple(self.boxes.shape)}, {tuple(self.keypoints.shape)}, {tuple(self.valid.shape)}"
            )

    def __len__(self) -> int:
        return self.boxes.shape[0]

    def counts(self) -> Int[Tensor, " b"]:
        """People per plan."""
        return self.valid.sum(dim=1)

    def centroids(self) -> Float[Tensor, "b n 2"]:
        """Box centres, x and y in [0, 1] (Ar2Can, section 3.1)."""
        return (self.boxes[..., :2] + self.boxes[..., 2:]) / 2

    def to(self, device: torch.device | str) -> Self:
        """The same plans on another device."""
        return self._with(lambda value: value.to(device))

    def pin_memory(self) -> Self:
        """The same plans in page-locked memory."""
        return self._with(lambda value: value.pin_memory())

    def select(self, index: Int[Tensor, " m"]) -> Self:
        """The plans at ``index``, in that order."""
        return self._with(lambda value: value[index])

    def repeat(self, g: int) -> Self:
        """Each plan g times in a row: the layout of b groups of g samples."""
        return self.select(torch.arange(len(self), device=self.boxes.device).repeat_interleave(g))

    def _with(self, change: Callable[[Tensor], Tensor]) -> Self:
        known = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: change(value) for name, value in known.items() if value is not None})
