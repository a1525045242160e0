"""Head geometry: what roll and yaw mean, on a plain ground."""

import math
import random

import numpy as np
import pytest

from datamodules.tiny_world.brush import Brush
from datamodules.tiny_world.frames import HeadFrame
from datamodules.tiny_world.heads import Expression, draw_head
from datamodules.tiny_world.identities import sample_identity
from datamodules.tiny_world.portraits import draw_portrait


def draw(seed, roll=0.0, yaw=0.0):
    identity = sample_identity(random.Random(seed), "train", woman=seed % 2 == 0)
    brush = Brush(64, 64)
    head = draw_head(brush, identity, HeadFrame((32.0, 32.0), 20.0, roll, yaw), Expression(0.5, 0.0), 1.0)
    return head, brush


def measured_roll(head):
    (x0, y0), (x1, y1) = head.landmarks[:2]
    return math.degrees(math.atan2(y1 - y0, x1 - x0))


def asymmetry(head):
    left, right, nose = head.landmarks[:3]
    return (math.dist(left, nose) - math.dist(right, nose)) / math.dist(left, right)


@pytest.mark.parametrize("roll", [-40.0, -10.0, 0.0, 25.0])
def test_roll_is_the_angle_of_the_eye_line_clockwise(roll):
    assert measured_roll(draw(3, roll=roll)[0]) == pytest.approx(roll, abs=1e-6)


def test_yaw_moves_the_nose_towards_image_right_and_breaks_symmetry():
    values = [asymmetry(draw(4, yaw=yaw)[0]) for yaw in (-30, -15, 0, 15, 30)]
    assert values[2] == pytest.approx(0.0, abs=1e-9)
    assert values == sorted(values)
    assert values[3] > 0.05
    noses = [draw(4, yaw=yaw)[0].landmarks[2][0] for yaw in (-30, 0, 30)]
    assert noses == sorted(noses)


def test_the_eye_landmarks_lie_on_dark_pupils():
    darker = 0
    for seed in range(20):
        identity = sample_identity(random.Random(seed), "train", woman=True)
        if identity.glasses != "none":
            continue
        head, brush = draw(seed)
        image = brush.image()
        for x, y in head.landmarks[:2]:
            pupil = image[int(y), int(x)].mean()
            darker += pupil < 110
            assert pupil < 160
    assert darker > 10


def test_landmarks_lie_in_the_box_at_any_angle():
    for seed in range(12):
        for roll in (-60.0, -20.0, 0.0, 45.0):
            for yaw in (-30.0, 0.0, 30.0):
                head, _ = draw(seed, roll, yaw)
                left, top, right, bottom = head.box
                assert all(left < x < right and top < y < bottom for x, y in head.landmarks)


def test_a_portrait_shows_another_angle():
    for seed in range(60):
        rng = random.Random(seed)
        identity = sample_identity(rng, "val", woman=True)
        yaw = rng.uniform(-30, 30)
        image, landmarks = draw_portrait(rng, identity, yaw, (200, 60, 60))
        assert image.shape == (64, 64, 3)
        assert (landmarks > 0).all()
        assert (landmarks < 1).all()
        left, right, nose = (np.array(p) for p in landmarks[:3])
        shown = (np.linalg.norm(left - nose) - np.linalg.norm(right - nose)) / np.linalg.norm(left - right)
        same = HeadFrame((0, 0), 1.0, 0.0, yaw)
        eyes = [(same.turn(s * identity.eye_distance, identity.width), -0.06) for s in (-1, 1)]
        tip = (same.turn(0.0, identity.width, 1.18), 0.28 + (0.08 if identity.nose == "long" else 0.0))
        there = (math.dist(eyes[0], tip) - math.dist(eyes[1], tip)) / math.dist(*eyes)
        assert abs(shown - there) > 0.04
