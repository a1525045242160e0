"""Box overlaps against torchvision; empty, touching and inverted boxes."""

import pytest
import torch
import torchvision
from scipy.spatial.distance import cdist

from rewards.functional.boxes import centroid_distances, giou, iou, pairwise_iou


def random_boxes(count, seed):
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator)
    return torch.cat([corner, corner + torch.rand(count, 2, generator=generator) * 0.5], dim=1)


A, B = random_boxes(40, 0), random_boxes(30, 1)


def test_pairwise_measures_are_torchvisions():
    torch.testing.assert_close(pairwise_iou(A, B), torchvision.ops.box_iou(A, B), atol=1e-6, rtol=0)
    expected = torchvision.ops.generalized_box_iou(A, B)
    torch.testing.assert_close(giou(A[:, None], B[None]), expected, atol=1e-6, rtol=0)
    assert (pairwise_iou(A, B) == 0).any()
    assert (expected < 0).any()


def test_corresponding_boxes_are_the_diagonal():
    torch.testing.assert_close(iou(A[:30], B), pairwise_iou(A, B).diagonal())
    torch.testing.assert_close(giou(A[:30], B), torchvision.ops.generalized_box_iou(A, B).diagonal())


def test_one_minus_giou_is_torchvisions_loss_with_its_gradient():
    ours, theirs = A[:30].clone().requires_grad_(), A[:30].clone().requires_grad_()
    (1 - giou(ours, B)).sum().backward()
    torchvision.ops.generalized_box_iou_loss(theirs, B, reduction="sum").backward()
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-4, rtol=1e-4)


def test_known_values():
    unit = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    far = torch.tensor([[2.0, 0.0, 3.0, 1.0]])
    assert iou(unit, unit).item() == giou(unit, unit).item() == 1.0
    assert iou(unit, far).item() == 0.0
    assert giou(unit, far).item() == pytest.approx(-1 / 3)


@pytest.mark.parametrize(("n", "m"), [(0, 3), (3, 0), (0, 0)])
def test_no_boxes_give_empty_matrices_of_the_right_shape(n, m):
    for measure in (pairwise_iou, centroid_distances):
        assert measure(A[:n], B[:m]).shape == (n, m)


def test_empty_and_inverted_boxes_have_defined_values():
    point = torch.tensor([[0.5, 0.5, 0.5, 0.5]])
    inverted = torch.tensor([[0.6, 0.6, 0.4, 0.4]])
    around = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    assert iou(point, point).item() == giou(point, point).item() == 0.0
    assert iou(point, around).item() == giou(point, around).item() == 0.0
    assert iou(inverted, around).item() == 0.0
    assert torch.isfinite(giou(inverted, around)).all()


def test_nan_boxes_stay_nan():
    broken = torch.full((1, 4), torch.nan)
    for measure in (pairwise_iou, centroid_distances):
        assert measure(broken, B).isnan().all()


def test_centroid_distances_are_scipys():
    centre = torchvision.ops.box_convert
    expected = cdist(centre(A, "xyxy", "cxcywh")[:, :2].numpy(), centre(B, "xyxy", "cxcywh")[:, :2].numpy())
    torch.testing.assert_close(
        centroid_distances(A, B).double(), torch.from_numpy(expected), atol=1e-6, rtol=0
    )
