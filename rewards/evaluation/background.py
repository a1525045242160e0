"""Has the place stayed as it was where nobody stands (SkeleGuide, Table 1: PSNR, SSIM, LPIPS on the non-human region).

People never enter a figure: PSNR averages person-free pixels; SSIM averages windows (11 x 11 pixels, Gaussian) without
a single pixel of a person; the perceptual distance sees the same people in both images and averages person-free pixels.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional
from torchmetrics.functional.image import structural_similarity_index_measure

from rewards.evaluation.perceptual import PerceptualDistance
from rewards.functional.images import masked_psnr

_WINDOW = 11
PSNR_LIMIT = 100.0
"""dB that stand for equal backgrounds, so that a mean over images stays finite."""


def background_psnr(
    pred: Float[Tensor, "b 3 h w"], gt: Float[Tensor, "b 3 h w"], people: Bool[Tensor, "b h w"]
) -> Float[Tensor, " b"]:
    """PSNR in dB over person-free pixels, at most 100; NaN where there are none."""
    return masked_psnr(pred, gt, ~people).clamp(max=PSNR_LIMIT)


def background_ssim(
    pred: Float[Tensor, "b 3 h w"], gt: Float[Tensor, "b 3 h w"], people: Bool[Tensor, "b h w"]
) -> Float[Tensor, " b"]:
    """SSIM (Wang et al. 2004) over person-free windows; NaN where there are none."""
    _, local = structural_similarity_index_measure(
        pred.float(), gt.float(), data_range=1.0, reduction="none", return_full_image=True
    )
    touched = functional.max_pool2d(people[:, None].float(), _WINDOW, 1, _WINDOW // 2)[:, 0] > 0
    return _mean(local.mean(dim=1), ~touched)


def background_perceptual(
    pred: Float[Tensor, "b 3 h w"],
    gt: Float[Tensor, "b 3 h w"],
    people: Bool[Tensor, "b h w"],
    distance: PerceptualDistance,
) -> Float[Tensor, " b"]:
    """Mean of the perceptual map over person-free pixels; NaN where there are none."""
    same_people = torch.where(people[:, None], gt, pred)
    return _mean(distance.map(same_people, gt).to(pred.device), ~people)


def _mean(values: Float[Tensor, "b h w"], where: Bool[Tensor, "b h w"]) -> Float[Tensor, " b"]:
    return torch.where(where, values, 0.0).sum(dim=(1, 2)) / where.sum(dim=(1, 2))
