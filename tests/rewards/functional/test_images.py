"""PSNR against torchmetrics."""

import torch
from torchmetrics.functional.image import peak_signal_noise_ratio

from rewards.functional.images import masked_psnr, psnr


def pair():
    generator = torch.Generator().manual_seed(0)
    gt = torch.rand(3, 3, 8, 10, generator=generator)
    noise = torch.randn(gt.shape, generator=generator) * torch.tensor([0.01, 0.1, 0.3]).view(3, 1, 1, 1)
    return (gt + noise).clamp(0, 1), gt


def test_psnr_is_torchmetrics_per_image():
    pred, gt = pair()
    expected = [peak_signal_noise_ratio(p, g, data_range=1.0) for p, g in zip(pred, gt, strict=True)]
    torch.testing.assert_close(psnr(pred, gt), torch.stack(expected), atol=1e-4, rtol=0)


def test_masked_psnr_looks_only_where_the_mask_holds():
    pred, gt = pair()
    mask = torch.zeros(3, 8, 10, dtype=torch.bool)
    mask[:, 2:6, 1:9] = True
    cut = [
        peak_signal_noise_ratio(p[:, 2:6, 1:9], g[:, 2:6, 1:9], data_range=1.0)
        for p, g in zip(pred, gt, strict=True)
    ]
    torch.testing.assert_close(masked_psnr(pred, gt, mask), torch.stack(cut), atol=1e-4, rtol=0)
    ruined = torch.where(mask[:, None], pred, torch.nan)
    torch.testing.assert_close(masked_psnr(ruined, gt, mask), torch.stack(cut), atol=1e-4, rtol=0)


def test_equal_images_and_empty_masks():
    _, gt = pair()
    assert psnr(gt, gt).isinf().all()
    assert masked_psnr(gt, gt, torch.zeros(3, 8, 10, dtype=torch.bool)).isnan().all()
