"""f_value, f_embed and the coordinate loss against torch and torchvision."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.ops import box_convert, generalized_box_iou_loss

from lightning_modules.ar2can.layout_heads import BINS, CoordinateEmbedding, ValueHead, coordinate_loss


def some_boxes(count, seed=0):
    rng = torch.Generator().manual_seed(seed)
    centres, sides = torch.rand(count, 2, generator=rng), 0.05 + 0.3 * torch.rand(count, 2, generator=rng)
    return torch.cat([centres, sides], dim=1)


def test_the_loss_is_torchvisions_and_torchs_with_its_gradient():
    true = some_boxes(9, 1)
    ours, theirs = (some_boxes(9).requires_grad_() for _ in range(2))
    overlap, distance = coordinate_loss(ours, true)
    expected = generalized_box_iou_loss(
        box_convert(theirs, "cxcywh", "xyxy"), box_convert(true, "cxcywh", "xyxy"), reduction="mean"
    )
    expected_distance = 4 * functional.l1_loss(theirs, true)
    torch.testing.assert_close(overlap, expected)
    torch.testing.assert_close(distance, expected_distance)
    (overlap + distance).backward()
    (expected + expected_distance).backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_nobody_costs_nothing():
    empty = torch.zeros(0, 4, requires_grad=True)
    overlap, distance = coordinate_loss(empty, torch.zeros(0, 4))
    (overlap + distance).backward()
    assert overlap == distance == 0


def test_f_value_has_four_layers_and_stays_in_the_image():
    head = ValueHead(32)
    assert sum(isinstance(m, nn.Linear) for m in head.modules()) == 4
    boxes = head(100 * torch.randn(64, 32))
    assert boxes.shape == (64, 4)
    assert bool(((boxes >= 0) & (boxes <= 1)).all())


def test_f_embed_adds_four_looked_up_vectors():
    embed = CoordinateEmbedding(16)
    boxes = some_boxes(7)
    numbers = (boxes * 1024).round().long()
    expected = sum(functional.embedding(numbers[:, k], embed.tables[k]) for k in range(4))
    torch.testing.assert_close(embed(boxes), expected)
    assert embed.tables.shape == (4, BINS + 1, 16)
    torch.testing.assert_close(
        embed(torch.tensor([1.0, 0.0, 2.0, -1.0])), embed(torch.tensor([1.0, 0.0, 1.0, 0.0]))
    )


def test_f_embed_tells_places_apart_and_keeps_neighbours_together():
    embed = CoordinateEmbedding(256)
    a, near, far = embed(torch.tensor([[0.5, 0.3, 0.2, 0.2], [0.501, 0.3, 0.2, 0.2], [0.7, 0.3, 0.2, 0.2]]))
    assert 0 < float((a - near).norm()) < 0.5 * float((a - far).norm())


@pytest.mark.parametrize("k", range(4))
def test_each_coordinate_has_its_own_table(k):
    embed = CoordinateEmbedding(16)
    box = torch.full((4,), 0.25)
    moved = box.clone()
    moved[k] = 0.5
    change = embed(moved) - embed(box)
    torch.testing.assert_close(change, embed.tables[k, 512] - embed.tables[k, 256], atol=1e-6, rtol=1e-4)
