"""Reference portraits: the same face in another view, on a plain ground."""

import random

import numpy as np

from datamodules.tiny_world.brush import Brush, Rgb, mix, shade
from datamodules.tiny_world.frames import HeadFrame
from datamodules.tiny_world.hair import draw_back_hair
from datamodules.tiny_world.heads import Expression, draw_head
from datamodules.tiny_world.identities import Identity

PORTRAIT_SIZE = 64
_HEAD_RADIUS = 19.5
_MIN_YAW_STEP_DEG = 12.0


def draw_portrait(
    rng: random.Random, identity: Identity, scene_yaw_deg: float, shirt: Rgb
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a head-and-shoulders view whose yaw differs from the scene's by at least 12 degrees.

    Args:
        rng: source of randomness.
        identity: whose face.
        scene_yaw_deg: yaw of the view to differ from.
        shirt: colour of the shoulders.

    Returns:
        uint8 RGB (64, 64, 3), and the five landmarks in [0, 1] of it, float32 (5, 2).
    """
    yaw = rng.uniform(-30, 30)
    if abs(yaw - scene_yaw_deg) < _MIN_YAW_STEP_DEG:
        away = -1.0 if scene_yaw_deg > 0 else 1.0
        yaw = scene_yaw_deg + away * rng.uniform(_MIN_YAW_STEP_DEG, 26)
    gain = rng.uniform(0.82, 1.08)
    ground = mix((rng.uniform(120, 225), rng.uniform(120, 225), rng.uniform(120, 225)), (176, 176, 176), 0.5)
    brush = Brush(PORTRAIT_SIZE, PORTRAIT_SIZE)
    brush.gradient(0, PORTRAIT_SIZE, shade(ground, 1.08), shade(ground, 0.9))
    center = (PORTRAIT_SIZE / 2 + rng.uniform(-2, 2), PORTRAIT_SIZE * 0.53 + rng.uniform(-2, 2))
    frame = HeadFrame(center, _HEAD_RADIUS * rng.uniform(0.93, 1.07), rng.gauss(0, 7), yaw)
    draw_back_hair(brush, identity, frame, gain)
    r = frame.radius
    brush.line(
        (center[0], center[1] + 0.8 * r),
        (center[0], center[1] + 1.6 * r),
        0.7 * r,
        shade(identity.skin, 0.8 * gain),
    )
    brush.ellipse((center[0], center[1] + 2.15 * r), (1.45 * r, 0.85 * r), shade(shirt, gain))
    head = draw_head(brush, identity, frame, Expression(rng.uniform(0.0, 1.0), rng.uniform(-0.5, 0.5)), gain)
    return brush.image(), np.array(head.landmarks, np.float32) / PORTRAIT_SIZE
