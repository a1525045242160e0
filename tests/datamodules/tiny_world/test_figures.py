"""Kinematics against closed forms."""

import math
import random

import numpy as np
import pytest

from datamodules.tiny_world.figures import (
    FOREARM,
    SHIN,
    THIGH,
    TRUNK,
    UPPER_ARM,
    Bend,
    Pose,
    Reach,
    solve,
    stand,
)
from datamodules.tiny_world.poses import ACTIONS, Situation, sample_pose

DOWN = Bend(0.0, 0.0)


def test_angles_zero_hang_straight_down():
    figure = solve(Pose(arms=(DOWN, DOWN), legs=(DOWN, DOWN)), shoulder_width=1.0, hip_width=0.5)
    assert figure.neck == pytest.approx((0.0, -TRUNK))
    assert figure.wrists[1] == pytest.approx((1.0, -TRUNK + UPPER_ARM + FOREARM))
    assert figure.ankles[0] == pytest.approx((-0.5, THIGH + SHIN))


def test_positive_angles_point_to_image_right():
    figure = solve(Pose(arms=(DOWN, Bend(90.0, 90.0)), legs=(DOWN, DOWN)), shoulder_width=1.0)
    assert figure.wrists[1] == pytest.approx((1.0 + UPPER_ARM + FOREARM, -TRUNK))


@pytest.mark.parametrize("seed", range(20))
def test_reach_keeps_bone_lengths_and_hits_what_it_can(seed):
    rng = random.Random(seed)
    target = (rng.uniform(-2, 2), rng.uniform(-1, 2))
    for sign in (-1.0, 1.0):
        pose = Pose(arms=(DOWN, Reach(*target, sign)), legs=(DOWN, DOWN))
        figure = solve(pose, shoulder_width=1.0)
        shoulder, elbow, wrist = figure.shoulders[1], figure.elbows[1], figure.wrists[1]
        goal = (target[0], target[1] - TRUNK)
        distance = math.dist(shoulder, goal)
        assert math.dist(shoulder, elbow) == pytest.approx(UPPER_ARM)
        if abs(UPPER_ARM - FOREARM) + 0.05 < distance < UPPER_ARM + FOREARM - 0.02:
            assert wrist == pytest.approx(goal, abs=1e-9)
            assert math.dist(elbow, wrist) == pytest.approx(FOREARM)
        # The elbow lies on the side that was asked for.
        cross = (goal[0] - shoulder[0]) * (elbow[1] - shoulder[1]) - (goal[1] - shoulder[1]) * (
            elbow[0] - shoulder[0]
        )
        assert cross * sign < 1e-9


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_stands_on_the_ground(action):
    for seed in range(20):
        pose = sample_pose(action, Situation(random.Random(seed), neighbour=(2.8, 0.0)), upright_head=False)
        figure = stand(solve(pose), 64.0, 120.0, 10.0)
        lowest = max(p[1] for p in figure.points())
        gap = (120.0 - lowest) / 10.0
        assert 0.2 <= gap - pose.lift <= 0.4, action


def test_actions_differ_in_their_joints():
    """The nearest example (or its mirror image) names the action of fresh draws."""

    def joints(action, seed):
        pose = sample_pose(action, Situation(random.Random(seed), neighbour=(2.8, 0.0)), upright_head=False)
        figure = solve(pose)
        plain = [c for pair in ((figure.head,), *pairs(figure)) for p in pair for c in p]
        swapped = [(figure.head,), *((q[1], q[0]) for q in pairs(figure))]
        mirrored = [c for pair in swapped for p in pair for c in (-p[0], p[1])]
        return plain, mirrored

    def pairs(figure):
        return (figure.shoulders, figure.elbows, figure.wrists, figure.hips, figure.knees, figure.ankles)

    examples = {action: np.array([v for s in range(30) for v in joints(action, s)]) for action in ACTIONS}
    right = [
        min(ACTIONS, key=lambda a: ((examples[a] - query) ** 2).sum(axis=1).min()) == action
        for action in ACTIONS
        for query in (np.array(joints(action, seed)[0]) for seed in range(100, 108))
    ]
    assert np.mean(right) > 0.97
