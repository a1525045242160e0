"""In which order people are named: left to right, then top to bottom (Ar2Can, section 3.2)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def reading_order(boxes: Float[Tensor, "n 4"]) -> Int[Tensor, " n"]:
    """The permutation that sorts boxes by the x of their centre, equal x by y.

    Args:
        boxes: xyxy, any unit.

    Returns:
        Indices such that ``boxes[reading_order(boxes)]`` is sorted; boxes with the same centre keep their order.
    """
    centres = boxes[:, :2] + boxes[:, 2:]
    by_row = torch.argsort(centres[:, 1], stable=True)
    return by_row[torch.argsort(centres[by_row, 0], stable=True)]
