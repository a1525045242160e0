"""Mask IoU against torchmetrics."""

import torch
from torchmetrics.functional.classification import binary_jaccard_index

from rewards.functional.masks import mask_iou


def test_mask_iou_is_the_jaccard_index():
    generator = torch.Generator().manual_seed(0)
    pred, gt = (torch.rand(5, 9, 7, generator=generator) < p for p in (0.3, 0.6))
    expected = torch.stack([binary_jaccard_index(p, g.long()) for p, g in zip(pred, gt, strict=True)])
    torch.testing.assert_close(mask_iou(pred, gt), expected)
    assert mask_iou(pred.view(5, 1, 9, 7), gt.view(5, 1, 9, 7)).shape == (5, 1)


def test_empty_masks():
    nothing, all_ = torch.zeros(4, 4, dtype=torch.bool), torch.ones(4, 4, dtype=torch.bool)
    assert mask_iou(nothing, nothing) == 1.0
    assert mask_iou(nothing, all_) == 0.0
    assert mask_iou(all_, all_) == 1.0
