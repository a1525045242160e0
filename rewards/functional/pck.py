"""Percentage of correct keypoints: which share of the labelled joints lies near enough to its true place.

SkeleGuide's Table 3 reports PCK@0.5 and names no reference length, so it is an argument: the trunk (left shoulder to
right hip, as in the first PCK on frames of film) or the head (PCKh: 0.6 of the diagonal of the head's box in MPII).
Figures of different lengths do not compare. Coordinates need one unit on both axes, as OKS does.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from rewards.functional.keypoints import extent_areas, match_people, oks

_SHOULDERS, _HIPS = (5, 6), (11, 12)


def trunk_lengths(keypoints: Float[Tensor, "n k 3"]) -> Float[Tensor, " n"]:
    """Left shoulder to right hip, or the other diagonal where one of these is not labelled; NaN without either."""
    lengths = keypoints.new_full((len(keypoints),), torch.nan)
    for shoulder, hip in zip(_SHOULDERS[::-1], _HIPS, strict=True):
        known = (keypoints[:, shoulder, 2] > 0) & (keypoints[:, hip, 2] > 0)
        between = (keypoints[:, shoulder, :2] - keypoints[:, hip, :2]).norm(dim=-1)
        lengths = torch.where(known, between, lengths)
    return lengths


def pck(
    gt: Float[Tensor, "n k 3"],
    pred: Float[Tensor, "n k 3"],
    lengths: Float[Tensor, " n"],
    share: float = 0.5,
) -> Float[Tensor, " n"]:
    """Share of each person's labelled joints within ``share`` of the person's reference length, in [0, 1].

    Args:
        gt: true keypoints (x, y, v); v = 0 is left out.
        pred: the same people's predicted keypoints; their v is ignored, NaN is wrong.
        lengths: reference lengths of the true people.
        share: PCK@0.5 is 0.5.

    Returns:
        NaN for people without a labelled joint or without a reference length.

    Raises:
        ValueError: if ``share`` is not positive.
    """
    if not share > 0:
        raise ValueError(f"share: {share} must be positive; PCK@0.5 is 0.5")
    labelled = gt[..., 2] > 0
    near = (gt[..., :2] - pred[..., :2]).norm(dim=-1) <= share * lengths[:, None]
    hits = (near & labelled).sum(dim=-1) / labelled.sum(dim=-1)
    return torch.where(lengths > 0, hits, torch.nan)


def matched_pck(
    gt: Float[Tensor, "n k 3"],
    pred: Float[Tensor, "m k 3"],
    lengths: Float[Tensor, " n"],
    share: float = 0.5,
) -> Float[Tensor, " n"]:
    """:func:`pck` of each true person with the prediction that maximises total OKS; 0 where nobody is left."""
    rows, columns = match_people(oks(gt, pred, extent_areas(gt)))
    found = torch.full_like(gt, torch.nan)
    found[rows] = pred[columns].to(found)
    return pck(gt, found, lengths, share)
