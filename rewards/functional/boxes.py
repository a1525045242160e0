"""How far two boxes are from each other: IoU, generalised IoU, distance of centres.

Boxes are xyxy in any common unit. An inverted box counts as empty. NaN coordinates give NaN.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def iou(a: Float[Tensor, "*#s 4"], b: Float[Tensor, "*#s 4"]) -> Float[Tensor, "*s"]:
    """Intersection over union of corresponding boxes, in [0, 1]; 0 for two empty boxes."""
    overlap, union = _overlap_and_union(a, b)
    return overlap / _safe(union)


def giou(a: Float[Tensor, "*#s 4"], b: Float[Tensor, "*#s 4"]) -> Float[Tensor, "*s"]:
    """Generalised IoU of corresponding boxes, in [-1, 1]: IoU less the empty share of the enclosing box.

    The box term of Ar2Can Eq. (1) is ``1 - giou``. Two empty boxes in one place give 0.
    """
    overlap, union = _overlap_and_union(a, b)
    hull = _area(torch.cat([torch.minimum(a, b)[..., :2], torch.maximum(a, b)[..., 2:]], dim=-1))
    return overlap / _safe(union) - (hull - union) / _safe(hull)


def pairwise_iou(a: Float[Tensor, "n 4"], b: Float[Tensor, "m 4"]) -> Float[Tensor, "n m"]:
    """``iou`` of every box of ``a`` with every box of ``b``."""
    return iou(a[:, None], b[None])


def centroid_distances(a: Float[Tensor, "n 4"], b: Float[Tensor, "m 4"]) -> Float[Tensor, "n m"]:
    """Euclidean distances of box centres: the cost matrix of Ar2Can Algorithm 4, line 3."""
    centres_a, centres_b = (a[:, :2] + a[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2
    distances: Tensor = torch.linalg.vector_norm(centres_a[:, None] - centres_b[None], dim=-1)
    return distances


def _area(boxes: Tensor) -> Tensor:
    sides = (boxes[..., 2:] - boxes[..., :2]).clamp(min=0)
    return sides[..., 0] * sides[..., 1]


def _overlap_and_union(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    overlap = _area(torch.cat([torch.maximum(a, b)[..., :2], torch.minimum(a, b)[..., 2:]], dim=-1))
    return overlap, _area(a) + _area(b) - overlap


def _safe(area: Tensor) -> Tensor:
    return torch.where(area == 0, torch.ones_like(area), area)
