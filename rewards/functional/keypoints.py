"""Object keypoint similarity as COCO defines it, and the matching of people by it.

ASTRA's OKS and Ar2Can Eq. (8), (9). Ar2Can prints d² / (2 a kappa²) with kappa values that are not COCO's; here
kappa = 2 sigma with COCO's own sigmas, which ``pycocotools`` confirms. Coordinates need one unit on both axes
(pixels, or [0, 1] of a square image); areas have that unit squared.
"""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.geometry.skeleton import SIGMAS
from rewards.functional.assignment import Assignment, hungarian

AREA_PER_EXTENT = 0.53
"""Mean share of a person's box that the person fills: stands in where no mask gives the area."""


def oks(
    gt: Float[Tensor, "n k 3"],
    pred: Float[Tensor, "m k 3"],
    areas: Float[Tensor, " n"],
    boxes: Float[Tensor, "n 4"] | None = None,
) -> Float[Tensor, "n m"]:
    """COCO's OKS of every true person with every prediction, in [0, 1].

    ``mean over labelled k of exp(-d_k² / (2 area (2 sigma_k)²))`` with d_k the distance of keypoint k. Only
    the truth's visibility counts: v = 0 is left out, v = 1 (occluded) and v = 2 are measured alike, the
    prediction's v is ignored. A predicted keypoint that is NaN scores 0.

    Args:
        gt: true keypoints (x, y, v).
        pred: predicted keypoints.
        areas: of the true people (COCO: of their masks).
        boxes: their boxes, xyxy. Used for people without any labelled keypoint, who by COCO's rule are
            measured by how far a prediction's keypoints leave the doubled box. Without boxes they score 0.
    """
    _check(gt, pred)
    dtype = pred.dtype
    gt, pred, areas = gt.double(), pred.double(), areas.double()
    labelled = gt[..., 2] > 0
    kappas = 2 * torch.tensor(SIGMAS, dtype=torch.float64, device=gt.device)
    scale = 2 * kappas.square() * (areas[:, None, None] + np.spacing(1))
    squared = (gt[:, None, :, :2] - pred[None, :, :, :2]).square().sum(dim=-1)
    closeness = torch.exp(-squared / scale).nan_to_num(0.0)
    counted = labelled[:, None].double()
    similarity = (closeness * counted).sum(-1) / counted.sum(-1).clamp(min=1)
    if boxes is not None:
        outside = _distance_to_doubled_box(pred[None, :, :, :2], boxes.double()[:, None, None])
        fallback = torch.exp(-outside.square().sum(dim=-1) / scale).nan_to_num(0.0).mean(dim=-1)
        similarity = torch.where(labelled.any(dim=1)[:, None], similarity, fallback)
    return similarity.to(dtype)


def extent_areas(keypoints: Float[Tensor, "n k 3"]) -> Float[Tensor, " n"]:
    """Estimated area of each person: 0.53 of the box around the labelled keypoints; 0 without any."""
    labelled = keypoints[..., 2:] > 0
    far = torch.finfo(keypoints.dtype).max
    low = torch.where(labelled, keypoints[..., :2], far).amin(dim=1)
    high = torch.where(labelled, keypoints[..., :2], -far).amax(dim=1)
    area = AREA_PER_EXTENT * (high - low).prod(dim=-1)
    return torch.where(labelled.any(dim=(1, 2)), area, torch.zeros_like(area))


def match_people(similarity: Float[Tensor, "n m"]) -> Assignment:
    """The one-to-one matching of people that maximises total OKS (Ar2Can, Appendix C.3)."""
    return hungarian(similarity, maximize=True)


def matched_oks(similarity: Float[Tensor, "n m"]) -> Float[Tensor, " n"]:
    """OKS of each true person with the prediction matched to them, 0 where there is none."""
    rows, columns = match_people(similarity)
    scores = similarity.new_zeros(similarity.shape[0])
    scores[rows] = similarity[rows, columns]
    return scores


def mean_oks(
    similarity: Float[Tensor, "n m"], denominator: Literal["matched", "references"] = "matched"
) -> Float[Tensor, ""]:
    """Mean OKS after matching; 0 if nobody is matched.

    Args:
        similarity: from ``oks``.
        denominator: ``matched`` divides by matched pairs (Ar2Can Eq. (9): a missing person costs nothing),
            ``references`` by all true people.
    """
    count = len(match_people(similarity).rows) if denominator == "matched" else len(similarity)
    return matched_oks(similarity).sum() / max(count, 1)


def _distance_to_doubled_box(points: Tensor, boxes: Tensor) -> Tensor:
    size = boxes[..., 2:] - boxes[..., :2]
    below = (boxes[..., :2] - size - points).clamp(min=0)
    above = (points - boxes[..., 2:] - size).clamp(min=0)
    return below + above


def _check(gt: Tensor, pred: Tensor) -> None:
    if gt.shape[1] != len(SIGMAS) or pred.shape[1] != len(SIGMAS):
        raise ValueError(
            f"keypoints: {gt.shape[1]} true and {pred.shape[1]} predicted; both must be the {len(SIGMAS)} of COCO"
        )
