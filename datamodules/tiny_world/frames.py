"""Where a head is and how it is turned."""

import math

import numpy as np

from datamodules.tiny_world.brush import Point


class HeadFrame:
    """Maps head coordinates (units: head radius, origin at the face centre, y down) to pixels.

    Args:
        center: face centre in pixels.
        radius: head radius in pixels.
        roll_deg: in-plane rotation, positive clockwise as seen.
        yaw_deg: rotation about the vertical, positive towards image right.
    """

    def __init__(self, center: Point, radius: float, roll_deg: float, yaw_deg: float) -> None:
        self.center, self.radius, self.roll_deg, self.yaw_deg = center, radius, roll_deg, yaw_deg
        self._cos, self._sin = math.cos(math.radians(roll_deg)), math.sin(math.radians(roll_deg))
        self._yaw_rad = math.radians(yaw_deg)
        self.yaw = math.sin(self._yaw_rad)

    def __call__(self, x: float, y: float) -> Point:
        """Pixel of a point of the picture plane."""
        return (
            self.center[0] + self.radius * (self._cos * x - self._sin * y),
            self.center[1] + self.radius * (self._sin * x + self._cos * y),
        )

    def many(self, points: np.ndarray) -> np.ndarray:
        """Pixels of many points, shape (n, 2)."""
        turned = np.empty_like(points)
        turned[:, 0] = self.center[0] + self.radius * (self._cos * points[:, 0] - self._sin * points[:, 1])
        turned[:, 1] = self.center[1] + self.radius * (self._sin * points[:, 0] + self._cos * points[:, 1])
        return turned

    def turn(self, x: float, width: float, depth: float = 1.0) -> float:
        """Where a point x of the frontal face goes when a skull of half width ``width`` turns by yaw.

        ``depth`` above 1 is in front of the skull (the tip of the nose).
        """
        return depth * width * math.sin(math.asin(max(-1.0, min(1.0, x / width))) + self._yaw_rad)

    def narrowing(self, x: float, width: float) -> float:
        """Horizontal shrinking of a feature at x through yaw (1 if it faces the viewer)."""
        return max(0.45, math.cos(math.asin(max(-1.0, min(1.0, x / width))) + self._yaw_rad))
