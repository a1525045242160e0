"""Pixel facts about drawn skeletons."""

import pytest
import torch

from datamodules.geometry.draw import EDGE_COLORS, JOINT_COLOR, draw_skeleton
from datamodules.geometry.skeleton import EDGES


def pose(**joints: tuple[float, float]) -> torch.Tensor:
    keypoints = torch.zeros(1, 17, 3)
    for name, (x, y) in joints.items():
        keypoints[0, int(name[1:])] = torch.tensor([x, y, 2.0])
    return keypoints


def test_nothing_visible_leaves_black_and_the_given_image():
    blank = draw_skeleton(torch.rand(2, 17, 3) * torch.tensor([1.0, 1.0, 0.0]), (32, 48))
    assert blank.shape == (3, 32, 48)
    assert blank.abs().max() == 0
    image = torch.randint(0, 256, (3, 32, 48)) / 255
    torch.testing.assert_close(
        draw_skeleton(torch.zeros(0, 17, 3), (32, 48), over=image), image, atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("edge", range(len(EDGES)))
def test_each_limb_has_its_colour_midway(edge):
    a, b = EDGES[edge]
    keypoints = pose(**{f"k{a}": (0.125, 0.5), f"k{b}": (0.875, 0.5)})
    drawn = draw_skeleton(keypoints, (128, 128), thickness=0.06)
    middle = (drawn[:, 63, 64] * 255).round().tolist()
    assert middle == list(EDGE_COLORS[edge])
    assert (drawn[:, 20] == 0).all()


def test_a_limb_needs_both_joints_and_a_joint_only_itself():
    drawn = draw_skeleton(pose(k5=(0.25, 0.5)), (128, 128), thickness=0.06)
    assert (drawn[:, 63, 32] * 255).round().tolist() == list(JOINT_COLOR)
    lit = drawn.sum(dim=0).nonzero()
    assert (lit - torch.tensor([63.5, 31.5])).norm(dim=1).max() < 6


def test_occluded_joints_are_drawn_like_visible_ones():
    keypoints = torch.rand(1, 17, 3)
    keypoints[..., 2] = 2
    occluded = keypoints.clone()
    occluded[..., 2] = 1
    assert torch.equal(draw_skeleton(keypoints, (64, 64)), draw_skeleton(occluded, (64, 64)))


def test_thickness_follows_the_size():
    keypoints = pose(k5=(0.1, 0.5), k7=(0.9, 0.5))
    widths = []
    for side in (128, 512):
        column = draw_skeleton(keypoints, (side, side), thickness=0.05)[:, :, side // 2].amax(dim=0)
        widths.append((column > 0.5).sum().item() / side)
    assert widths[0] == pytest.approx(0.05, abs=0.02)
    assert widths[1] == pytest.approx(widths[0], abs=0.012)


def test_a_wrong_background_is_refused_by_name():
    with pytest.raises(ValueError, match=r"over: shape \(3, 8, 8\)"):
        draw_skeleton(torch.zeros(1, 17, 3), (16, 16), over=torch.zeros(3, 8, 8))
