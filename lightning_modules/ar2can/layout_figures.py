"""How plans compare with the corpus they were learned from: sizes, places, overlaps, and box by box."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from rewards.functional.boxes import iou, pairwise_iou

CROWDED = 0.12
"""IoU of two faces of one plan above which the corpus draws its own layouts anew."""


def layout_statistics(plans: Sequence[Float[Tensor, "_ 4"]]) -> dict[str, float]:
    """Face sizes (shares of the image's side), where faces are, and how much they overlap.

    Args:
        plans: face boxes of every plan, xyxy in [0, 1]; plans of nobody are left out.

    Returns:
        Quantiles of width, height, x and y of the faces; over plans of two people and more, of the largest IoU of two
        faces: share above 0 (``overlapping``) and above 0.12 (``crowded``), mean and 95 % quantile. Nothing of no plan.
    """
    plans = [plan for plan in plans if len(plan)]
    if not plans:
        return {}
    boxes = torch.cat(list(plans))
    sides, centres = boxes[:, 2:] - boxes[:, :2], (boxes[:, 2:] + boxes[:, :2]) / 2
    overlaps = torch.tensor(
        [float(pairwise_iou(p, p).triu(diagonal=1).max()) for p in plans if len(p) > 1] or [0.0]
    )
    figures = {"inside": float(((boxes >= 0) & (boxes <= 1)).all(dim=1).float().mean())}
    named = {"width": sides[:, 0], "height": sides[:, 1], "x": centres[:, 0], "y": centres[:, 1]}
    for name, values in named.items():
        low, middle, high = values.quantile(torch.tensor([0.05, 0.5, 0.95])).tolist()
        figures |= {f"{name}_05": low, f"{name}_50": middle, f"{name}_95": high}
    figures |= {
        "overlapping": float((overlaps > 0).float().mean()),
        "crowded": float((overlaps > CROWDED).float().mean()),
        "overlap_mean": float(overlaps.mean()),
        "overlap_95": float(overlaps.quantile(0.95)),
    }
    return {name: round(value, 4) for name, value in figures.items()}


def mean_iou(planned: Sequence[Float[Tensor, "_ 4"]], true: Sequence[Float[Tensor, "_ 4"]]) -> float | None:
    """Mean IoU of corresponding boxes, in reading order, over the plans with the right number; None without any."""
    pairs = [iou(p, t) for p, t in zip(planned, true, strict=True) if len(p) == len(t) > 0]
    return round(float(torch.cat(pairs).mean()), 4) if pairs else None


def reference_iou(plans: Sequence[Float[Tensor, "_ 4"]]) -> float | None:
    """What :func:`mean_iou` is between layouts that have the number of people in common and nothing else.

    Each is held against the next one of as many people. A prompt has many good layouts, so that no Architect can know
    the one that was drawn for it: this is what knowing the number alone is worth. None where no two are of one size.
    """
    by_count: dict[int, list[Float[Tensor, "_ 4"]]] = {}
    for plan in plans:
        by_count.setdefault(len(plan), []).append(plan)
    groups = [group for count, group in by_count.items() if count and len(group) > 1]
    return mean_iou(
        [plan for group in groups for plan in group],
        [plan for group in groups for plan in (*group[1:], group[0])],
    )
