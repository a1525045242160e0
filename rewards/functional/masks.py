"""Agreement of two masks."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def mask_iou(pred: Bool[Tensor, "*s h w"], gt: Bool[Tensor, "*s h w"]) -> Float[Tensor, "*s"]:
    """Intersection over union of corresponding masks; 1 where both are empty."""
    overlap = (pred & gt).sum(dim=(-2, -1))
    union = (pred | gt).sum(dim=(-2, -1))
    return torch.where(union > 0, overlap / union.clamp(min=1), 1.0)
