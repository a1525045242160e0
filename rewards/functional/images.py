"""How much two images differ: peak signal-to-noise ratio, whole or on part of the image (SkeleGuide, Table 1)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def psnr(pred: Float[Tensor, "b c h w"], gt: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """``-10 log10(mean squared error)`` in dB of images in [0, 1]; infinite for equal ones."""
    everywhere = torch.ones_like(gt[:, 0], dtype=torch.bool)
    return masked_psnr(pred, gt, everywhere)


def masked_psnr(
    pred: Float[Tensor, "b c h w"], gt: Float[Tensor, "b c h w"], mask: Bool[Tensor, "b h w"]
) -> Float[Tensor, " b"]:
    """PSNR over the pixels where ``mask`` holds (the person-free region); NaN where it holds nowhere."""
    squared = (pred - gt).square().mean(dim=1)
    error = torch.where(mask, squared, torch.zeros_like(squared)).sum(dim=(1, 2)) / mask.sum(dim=(1, 2))
    return -10 * torch.log10(error)
