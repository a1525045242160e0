"""Things that stand in the environments, and seats."""

import math
import random
from collections.abc import Callable

from datamodules.tiny_world.brush import Brush, Rgb, mix, shade
from datamodules.tiny_world.placement import SIZE


def vary(rng: random.Random, color: Rgb, spread: float = 10.0) -> Rgb:
    """The colour, each channel moved by up to ``spread``."""
    return tuple(min(255.0, max(0.0, c + rng.uniform(-spread, spread))) for c in color)  # type: ignore[return-value]


def sky_band(brush: Brush, rng: random.Random, horizon: float, upper: Rgb, lower: Rgb) -> None:
    """Sky above the horizon, light towards it."""
    brush.gradient(0, horizon, vary(rng, upper), vary(rng, lower))


def ground_band(brush: Brush, rng: random.Random, horizon: float, far: Rgb, near: Rgb) -> None:
    """Ground below the horizon, from far to near."""
    brush.gradient(horizon, SIZE, vary(rng, far), vary(rng, near))


def cloud(brush: Brush, x: float, y: float, size: float, color: Rgb) -> None:
    """Three puffs."""
    for dx, dy, k in ((-0.8, 0.1, 0.55), (0.0, -0.15, 0.8), (0.85, 0.1, 0.5)):
        brush.ellipse((x + dx * size, y + dy * size), (k * size, 0.6 * k * size), color)


def sun(brush: Brush, x: float, y: float, size: float, color: Rgb) -> None:
    """Disc with a halo."""
    brush.disc((x, y), size * 1.35, mix(color, (255, 255, 255), 0.45))
    brush.disc((x, y), size, color)


def tree(brush: Brush, x: float, ground: float, size: float, color: Rgb) -> None:
    """Round crown on a trunk."""
    brush.line((x, ground), (x, ground - size), 0.28 * size, (112, 78, 50))
    for dx, dy, k in ((-0.45, -1.1, 0.62), (0.45, -1.15, 0.6), (0.0, -1.6, 0.7)):
        brush.disc((x + dx * size, ground + dy * size), k * size, shade(color, 0.88 + 0.12 * (dx >= 0)))


def pine(brush: Brush, x: float, ground: float, size: float, color: Rgb) -> None:
    """Three stacked triangles."""
    brush.line((x, ground), (x, ground - 0.5 * size), 0.2 * size, (96, 66, 44))
    for k in range(3):
        y, half = ground - (0.35 + 0.6 * k) * size, (0.75 - 0.18 * k) * size
        brush.polygon([(x - half, y), (x + half, y), (x, y - size)], shade(color, 0.86 + 0.1 * k))


def palm(brush: Brush, x: float, ground: float, size: float) -> None:
    """Bent trunk with fronds."""
    top = (x + 0.35 * size, ground - 2.1 * size)
    brush.polyline([(x, ground), (x + 0.08 * size, ground - size), top], 0.2 * size, (150, 108, 66))
    for angle in (-160, -125, -60, -20, 20, 160):
        a = math.radians(angle)
        brush.ellipse(
            (top[0] + 0.5 * size * math.cos(a), top[1] + 0.5 * size * math.sin(a)),
            (0.62 * size, 0.15 * size),
            (44, 142, 74),
            angle,
        )


def cactus(brush: Brush, x: float, ground: float, size: float) -> None:
    """Column with two arms."""
    green = (58, 130, 74)
    brush.line((x, ground), (x, ground - 1.9 * size), 0.42 * size, green)
    for side, y in ((-1, 0.8), (1, 1.1)):
        brush.polyline(
            [
                (x, ground - y * size),
                (x + side * 0.6 * size, ground - y * size),
                (x + side * 0.6 * size, ground - (y + 0.6) * size),
            ],
            0.3 * size,
            green,
        )


def building(brush: Brush, box: tuple[float, float, float, float], wall: Rgb, lit: Callable[[], Rgb]) -> None:
    """Block with a grid of windows; ``lit`` gives each window's colour."""
    left, top, right, bottom = box
    brush.rectangle(left, top, right, bottom, wall)
    brush.rectangle(left, top, right, top + 1.5, shade(wall, 0.75))
    y = top + 5
    while y + 5 < bottom:
        x = left + 3
        while x + 3.5 < right:
            brush.rectangle(x, y, x + 3.5, y + 5, lit())
            x += 7
        y += 9


def bench(brush: Brush, x: float, top: float, ground: float, half: float) -> None:
    """Wooden bench."""
    for dx in (-0.8, 0.8):
        brush.rectangle(x + dx * half - 1, top, x + dx * half + 1, ground, (66, 62, 66))
    brush.rectangle(x - half, top, x + half, top + 3, (160, 108, 62))
    brush.rectangle(x - half, top + 2, x + half, top + 3.5, (116, 76, 44))


def stool(brush: Brush, x: float, top: float, ground: float, half: float) -> None:
    """Round stool on splayed legs."""
    for dx in (-1, 1):
        brush.line((x + dx * 0.5 * half, top), (x + dx * 0.8 * half, ground - 1), 1.8, (92, 64, 46))
    brush.ellipse((x, top + 1), (half * 0.9, 2.6), (176, 60, 58))


def crate(brush: Brush, x: float, top: float, ground: float, half: float) -> None:
    """Wooden box."""
    k = half * 0.85
    brush.rectangle(x - k, top, x + k, ground, (140, 96, 56))
    brush.rectangle(x - k + 1.5, top + 1.5, x + k - 1.5, ground - 1.5, (190, 142, 88))
    brush.line((x - k + 2, top + 2), (x + k - 2, ground - 2), 1.5, (140, 96, 56))


def log(brush: Brush, x: float, top: float, ground: float, half: float) -> None:
    """Fallen trunk."""
    brush.rectangle(x - half, top, x + half, ground, (122, 84, 52))
    brush.rectangle(x - half, top, x + half, top + 2.5, (148, 106, 68))
    ry = (ground - top) / 2
    brush.ellipse((x + half, top + ry), (0.55 * ry, ry), (206, 168, 116))
    brush.ring((x + half, top + ry), (0.28 * ry, 0.5 * ry), 0.8, (150, 108, 68))


def rock(brush: Brush, x: float, top: float, ground: float, half: float) -> None:
    """Boulder."""
    shape = [(-1.1, ground), (-1.0, top + 4), (-0.6, top), (0.6, top), (1.0, top + 3), (1.15, ground)]
    brush.polygon([(x + dx * half, y) for dx, y in shape], (128, 124, 126))
    brush.polygon(
        [(x - 0.6 * half, top), (x + 0.6 * half, top), (x + 0.4 * half, top + 3), (x - 0.5 * half, top + 3)],
        (162, 158, 160),
    )


def chair(brush: Brush, x: float, top: float, ground: float, half: float) -> None:
    """Chair with a back."""
    blue = (70, 92, 140)
    brush.rectangle(x - 0.75 * half, top - 20, x + 0.75 * half, top + 1, blue)
    brush.rectangle(x - 0.75 * half + 1.5, top - 18.5, x + 0.75 * half - 1.5, top + 1, shade(blue, 1.25))
    for dx in (-0.7, 0.7):
        brush.rectangle(x + dx * half - 1, top, x + dx * half + 1, ground, (58, 56, 62))
    brush.rectangle(x - 0.9 * half, top, x + 0.9 * half, top + 3, shade(blue, 0.8))


SEATS: dict[str, Callable[[Brush, float, float, float, float], None]] = {
    "bench": bench,
    "stool": stool,
    "crate": crate,
    "log": log,
    "rock": rock,
    "chair": chair,
}


def scatter(rng: random.Random, count: int, low: float, high: float) -> list[float]:
    """``count`` positions, one per equal cell of [low, high]."""
    cell = (high - low) / count
    return [low + (k + rng.uniform(0.15, 0.85)) * cell for k in range(count)]
