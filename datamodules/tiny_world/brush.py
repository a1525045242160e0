"""Anti-aliased drawing on a supersampled RGBA sheet.

Coordinates are pixels of the final image, x right, y down, pixel i covering [i, i + 1). The fourth channel is
coverage: cleared by ``begin_layer``, it tells afterwards which pixels the strokes since then have touched, so a
person's mask needs no second drawing.
"""

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np

cv2.setNumThreads(0)

Point: TypeAlias = tuple[float, float]
Rgb: TypeAlias = tuple[float, float, float]

SUPERSAMPLING = 2
_SHIFT = 4
_FIXED = SUPERSAMPLING * (1 << _SHIFT)
_HALF = 0.5 * (1 << _SHIFT)


def shade(color: Rgb, gain: float) -> Rgb:
    """The colour, lighter (gain > 1) or darker; what exceeds 255 is cut when drawn."""
    return (color[0] * gain, color[1] * gain, color[2] * gain)


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    """``a`` with ``share`` of ``b`` blended in."""
    keep = 1.0 - share
    return (a[0] * keep + b[0] * share, a[1] * keep + b[1] * share, a[2] * keep + b[2] * share)


class Brush:
    """A drawing in progress.

    Attributes:
        pixels: uint8 RGBA, ``SUPERSAMPLING`` times the final size.
    """

    def __init__(self, width: int, height: int) -> None:
        self.pixels = np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING, 4), np.uint8)
        # The same memory as one little-endian word per pixel: whole-sheet operations are several times faster.
        self._words = self.pixels.view("<u4")[..., 0]

    def begin_layer(self) -> None:
        """Forget the coverage of earlier strokes."""
        self._words &= np.uint32(0x00FFFFFF)

    def ellipse(
        self,
        center: Point,
        axes: Point,
        color: Rgb,
        angle_deg: float = 0.0,
        start: float = 0.0,
        end: float = 360.0,
    ) -> None:
        """Filled ellipse (or sector from ``start`` to ``end`` degrees, clockwise from its first axis)."""
        radii = (max(1, round(axes[0] * _FIXED)), max(1, round(axes[1] * _FIXED)))
        cv2.ellipse(
            self.pixels, _fixed(center), radii, angle_deg, start, end, _rgba(color), -1, cv2.LINE_AA, _SHIFT
        )

    def disc(self, center: Point, radius: float, color: Rgb) -> None:
        """Filled circle."""
        cv2.circle(
            self.pixels, _fixed(center), max(1, round(radius * _FIXED)), _rgba(color), -1, cv2.LINE_AA, _SHIFT
        )

    def polygon(self, points: Sequence[Point] | np.ndarray, color: Rgb) -> None:
        """Filled polygon, convex or not."""
        cv2.fillPoly(self.pixels, [_fixed_all(points)], _rgba(color), cv2.LINE_AA, _SHIFT)

    def line(self, start: Point, end: Point, width: float, color: Rgb) -> None:
        """Straight stroke with round ends."""
        cv2.line(self.pixels, _fixed(start), _fixed(end), _rgba(color), _stroke(width), cv2.LINE_AA, _SHIFT)

    def polyline(self, points: Sequence[Point], width: float, color: Rgb, closed: bool = False) -> None:
        """Connected strokes."""
        cv2.polylines(
            self.pixels, [_fixed_all(points)], closed, _rgba(color), _stroke(width), cv2.LINE_AA, _SHIFT
        )

    def ring(self, center: Point, axes: Point, width: float, color: Rgb, angle_deg: float = 0.0) -> None:
        """Outline of an ellipse."""
        radii = (max(1, round(axes[0] * _FIXED)), max(1, round(axes[1] * _FIXED)))
        cv2.ellipse(
            self.pixels,
            _fixed(center),
            radii,
            angle_deg,
            0,
            360,
            _rgba(color),
            _stroke(width),
            cv2.LINE_AA,
            _SHIFT,
        )

    def rectangle(self, left: float, top: float, right: float, bottom: float, color: Rgb) -> None:
        """Filled axis-parallel rectangle, snapped to the supersampled grid."""
        s = SUPERSAMPLING
        rows = slice(max(0, round(top * s)), max(0, round(bottom * s)))
        columns = slice(max(0, round(left * s)), max(0, round(right * s)))
        self.pixels[rows, columns] = [min(255, int(c)) for c in _rgba(color)]

    def gradient(self, top: float, bottom: float, upper: Rgb, lower: Rgb) -> None:
        """Full-width band whose colour runs from ``upper`` to ``lower``."""
        s = SUPERSAMPLING
        first, last = max(0, round(top * s)), min(self.pixels.shape[0], round(bottom * s))
        if last <= first:
            return
        share = np.linspace(0.0, 1.0, last - first)[:, None]
        rows = np.full((last - first, 4), 255, np.uint8)
        rows[:, :3] = np.minimum(255.0, np.array(upper) * (1 - share) + np.array(lower) * share)
        self._words[first:last] = rows.view("<u4")

    def image(self) -> np.ndarray:
        """The drawing at final size, uint8 RGB."""
        size = (self.pixels.shape[1] // SUPERSAMPLING, self.pixels.shape[0] // SUPERSAMPLING)
        small = cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(small, cv2.COLOR_RGBA2RGB)


def _fixed(point: Point) -> tuple[int, int]:
    return round(point[0] * _FIXED - _HALF), round(point[1] * _FIXED - _HALF)


def _fixed_all(points: Sequence[Point] | np.ndarray) -> np.ndarray:
    return np.rint(np.array(points, np.float64) * _FIXED - _HALF).astype(np.int32)


def _rgba(color: Rgb) -> tuple[float, float, float, float]:
    return (color[0], color[1], color[2], 255.0)


def _stroke(width: float) -> int:
    return max(1, round(width * SUPERSAMPLING))
