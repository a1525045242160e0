"""An edited pose: which joints move, where to, and who is left alone."""

import torch

from datamodules.geometry.edits import moved_joints, turn_left_arm
from datamodules.geometry.skeleton import KEYPOINT_NAMES
from datamodules.schema.layout import Layout

SHOULDER, ELBOW, WRIST = (KEYPOINT_NAMES.index(f"left_{name}") for name in ("shoulder", "elbow", "wrist"))


def layout(shoulder=(0.5, 0.4, 2.0), elbow=(0.55, 0.5, 2.0), wrist=(0.6, 0.65, 1.0)):
    joints = torch.full((1, 1, 17, 3), 0.5)
    joints[..., 2] = 2.0
    for place, joint in ((SHOULDER, shoulder), (ELBOW, elbow), (WRIST, wrist)):
        joints[0, 0, place] = torch.tensor(joint)
    return Layout(torch.tensor([[[0.4, 0.2, 0.6, 0.3]]]), joints, torch.ones(1, 1, dtype=torch.bool))


def test_an_arm_that_hangs_is_raised_and_nothing_else_moves():
    plan = layout()
    edited = turn_left_arm(plan).keypoints[0, 0]
    torch.testing.assert_close(edited[ELBOW], torch.tensor([0.55, 0.3, 2.0]))
    torch.testing.assert_close(edited[WRIST], torch.tensor([0.6, 0.15, 1.0]))
    others = [i for i in range(17) if i not in (ELBOW, WRIST)]
    assert torch.equal(edited[others], plan.keypoints[0, 0, others])
    torch.testing.assert_close(turn_left_arm(turn_left_arm(plan)).keypoints, plan.keypoints)
    moved = moved_joints(plan.keypoints, turn_left_arm(plan).keypoints)
    assert moved[0, 0].nonzero()[:, 0].tolist() == [ELBOW, WRIST]


def test_joints_that_leave_the_picture_are_taken_out():
    plan = layout(wrist=(0.6, 0.95, 2.0))
    edited = turn_left_arm(plan).keypoints
    assert edited[0, 0, WRIST].tolist() == [0.0, 0.0, 0.0]
    assert moved_joints(plan.keypoints, edited)[0, 0].nonzero()[:, 0].tolist() == [ELBOW]


def test_without_a_shoulder_or_an_arm_everything_stays():
    for plan in (layout(shoulder=(0.0, 0.0, 0.0)), layout(elbow=(0.0,) * 3, wrist=(0.0,) * 3)):
        assert torch.equal(turn_left_arm(plan).keypoints, plan.keypoints)
