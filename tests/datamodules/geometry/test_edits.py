"""An edited pose: which joints move, where to, and who is left alone."""

import math

import pytest
import torch

from datamodules.geometry.edits import moved_joints, raise_left_arm
from datamodules.geometry.skeleton import KEYPOINT_NAMES
from datamodules.schema.layout import Layout

SHOULDER, ELBOW, WRIST = (KEYPOINT_NAMES.index(f"left_{name}") for name in ("shoulder", "elbow", "wrist"))
RIGHT = KEYPOINT_NAMES.index("right_shoulder")
SIZE = (100, 200)


def layout(shoulder=(0.5, 0.6, 2.0), elbow=(0.5, 0.7, 2.0), wrist=(0.45, 0.7, 1.0), right=(0.4, 0.6, 2.0)):
    joints = torch.full((1, 1, 17, 3), 0.5)
    joints[..., 2] = 2.0
    for place, joint in ((SHOULDER, shoulder), (ELBOW, elbow), (WRIST, wrist), (RIGHT, right)):
        joints[0, 0, place] = torch.tensor(joint)
    return Layout(torch.tensor([[[0.4, 0.2, 0.6, 0.3]]]), joints, torch.ones(1, 1, dtype=torch.bool))


def pixels(point):
    return point[0] * SIZE[1], point[1] * SIZE[0]


@pytest.mark.parametrize("outwards", [1, -1])
def test_an_arm_is_stretched_outwards_and_up_and_nothing_else_moves(outwards):
    """Seen from the front the left arm is on the picture's right; from behind, on its left."""
    plan = layout(right=(0.5 - 0.1 * outwards, 0.6, 2.0))
    edited = raise_left_arm(plan, SIZE).keypoints[0, 0]
    (x, y), (elbow_x, elbow_y), (wrist_x, wrist_y) = (
        pixels(edited[j, :2].tolist()) for j in (SHOULDER, ELBOW, WRIST)
    )
    assert math.hypot(elbow_x - x, elbow_y - y) == pytest.approx(10, abs=1e-4)  # as long as before, in pixels
    assert math.hypot(wrist_x - elbow_x, wrist_y - elbow_y) == pytest.approx(10, abs=1e-4)
    for to_x, to_y in ((elbow_x, elbow_y), (wrist_x, wrist_y)):
        assert math.degrees(math.atan2(y - to_y, outwards * (to_x - x))) == pytest.approx(60, abs=1e-3)
    assert edited[[ELBOW, WRIST], 2].tolist() == [2.0, 1.0]
    others = [i for i in range(17) if i not in (ELBOW, WRIST)]
    assert torch.equal(edited[others], plan.keypoints[0, 0, others])
    again = raise_left_arm(raise_left_arm(plan, SIZE), SIZE).keypoints[0, 0]
    torch.testing.assert_close(again, edited)
    moved = moved_joints(plan.keypoints, edited[None, None])
    assert moved[0, 0].nonzero()[:, 0].tolist() == [ELBOW, WRIST]


def test_joints_that_leave_the_picture_are_taken_out():
    plan = layout(shoulder=(0.5, 0.15, 2.0), elbow=(0.5, 0.25, 2.0), wrist=(0.5, 0.35, 2.0))
    edited = raise_left_arm(plan, SIZE).keypoints
    assert edited[0, 0, WRIST].tolist() == [0.0, 0.0, 0.0]
    assert moved_joints(plan.keypoints, edited)[0, 0].nonzero()[:, 0].tolist() == [ELBOW]


def test_without_a_shoulder_or_an_arm_everything_stays():
    nowhere = (0.0, 0.0, 0.0)
    for plan in (layout(shoulder=nowhere), layout(elbow=nowhere), layout(elbow=nowhere, wrist=nowhere)):
        assert torch.equal(raise_left_arm(plan, SIZE).keypoints, plan.keypoints)
    forearm = raise_left_arm(layout(wrist=nowhere), SIZE).keypoints[0, 0]
    assert forearm[WRIST].tolist() == [0.0, 0.0, 0.0]
    assert forearm[ELBOW, 2] == 2
    alone = raise_left_arm(layout(right=nowhere), SIZE).keypoints[0, 0]
    assert alone[ELBOW, 0] > alone[SHOULDER, 0]
