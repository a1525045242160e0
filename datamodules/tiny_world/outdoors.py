"""Painters of the outdoor places."""

import math
import random

from datamodules.tiny_world.brush import Brush, shade
from datamodules.tiny_world.placement import SIZE
from datamodules.tiny_world.scenery import (
    building,
    cactus,
    cloud,
    ground_band,
    palm,
    pine,
    scatter,
    sky_band,
    sun,
    tree,
    vary,
)


def park(brush: Brush, rng: random.Random) -> None:
    """Lawn with a path, trees, clouds and flowers."""
    h = rng.uniform(62, 72)
    sky_band(brush, rng, h, (116, 186, 246), (208, 234, 252))
    for x in scatter(rng, 2, 5, 123):
        cloud(brush, x, rng.uniform(8, 26), rng.uniform(8, 12), (252, 252, 254))
    ground_band(brush, rng, h, (126, 194, 92), (84, 158, 70))
    path = rng.uniform(30, 98)
    brush.polygon([(path - 3, h), (path + 3, h), (path + 34, 128), (path - 26, 128)], (222, 206, 166))
    for x in scatter(rng, 3, -4, 132):
        tree(brush, x, h + rng.uniform(2, 8), rng.uniform(13, 19), vary(rng, (64, 146, 66), 16))
    for _ in range(9):
        color = rng.choice(((250, 230, 90), (250, 250, 250), (240, 110, 150)))
        brush.disc((rng.uniform(0, 128), rng.uniform(h + 12, 127)), 1.1, color)


def beach(brush: Brush, rng: random.Random) -> None:
    """Sand, sea, sun, palm, parasol and a boat."""
    h = rng.uniform(48, 58)
    sky_band(brush, rng, h, (92, 180, 248), (206, 238, 252))
    sun(brush, rng.uniform(12, 116), rng.uniform(10, 20), 7, (255, 232, 112))
    brush.gradient(h, h + 20, (36, 120, 196), (84, 184, 214))
    x = rng.uniform(20, 108)
    brush.polygon([(x - 9, h + 2), (x + 9, h + 2), (x + 6, h + 6), (x - 6, h + 6)], (236, 236, 236))
    brush.polygon([(x, h + 1), (x, h - 14), (x + 9, h)], (250, 250, 250))
    ground_band(brush, rng, h + 18, (246, 222, 160), (228, 190, 120))
    brush.polyline([(k * 16, h + 18 + 1.4 * math.sin(k * 1.7)) for k in range(9)], 2.0, (250, 250, 246))
    palm(brush, rng.choice((rng.uniform(4, 14), rng.uniform(104, 116))), h + 34, rng.uniform(20, 25))
    x, color = rng.uniform(30, 98), vary(rng, (232, 74, 66), 20)
    brush.line((x, h + 32), (x, h + 2), 1.5, (240, 240, 240))
    for k in range(5):
        a, b = math.pi * (1 + k / 5), math.pi * (1 + (k + 1) / 5)
        points = [
            (x, h - 10),
            (x + 17 * math.cos(a), h + 7 + 6 * math.sin(a)),
            (x + 17 * math.cos(b), h + 7 + 6 * math.sin(b)),
        ]
        brush.polygon(points, color if k % 2 == 0 else (250, 250, 246))


def street(brush: Brush, rng: random.Random) -> None:
    """House fronts, a pavement, a car and a lamp."""
    h = rng.uniform(72, 78)
    sky_band(brush, rng, h, (140, 194, 236), (222, 232, 240))
    x = -rng.uniform(0, 10)
    while x < 128:
        w = rng.uniform(22, 34)
        wall = vary(rng, rng.choice(((206, 126, 96), (214, 186, 140), (160, 170, 186), (186, 146, 130))), 12)
        building(brush, (x, rng.uniform(8, 34), x + w, h), wall, lambda: (214, 228, 238))
        x += w + 0.5
    brush.gradient(h, h + 16, (196, 192, 188), (178, 174, 172))
    ground_band(brush, rng, h + 16, (104, 104, 112), (84, 84, 92))
    brush.rectangle(0, h + 15, 128, h + 17, (228, 226, 220))
    for k in range(5):
        brush.rectangle(k * 30 + 4, h + 36, k * 30 + 20, h + 38.5, (244, 236, 200))
    x, color = rng.uniform(10, 86), vary(rng, (220, 60, 60), 50)
    brush.polygon([(x + 7, h + 2), (x + 12, h - 6), (x + 26, h - 6), (x + 31, h + 2)], shade(color, 0.8))
    brush.polygon([(x + 10, h + 1), (x + 13, h - 4.5), (x + 25, h - 4.5), (x + 28, h + 1)], (190, 224, 244))
    brush.rectangle(x, h + 1, x + 38, h + 10, color)
    for dx in (8, 30):
        brush.disc((x + dx, h + 10), 4.2, (36, 36, 42))
        brush.disc((x + dx, h + 10), 1.8, (190, 190, 196))
    x = rng.choice((rng.uniform(4, 12), rng.uniform(114, 122)))
    brush.rectangle(x - 1, 22, x + 1, h + 14, (62, 66, 74))
    brush.disc((x, 21), 4, (255, 240, 190))


def desert(brush: Brush, rng: random.Random) -> None:
    """Dunes, cacti and a low sun."""
    h = rng.uniform(60, 70)
    sky_band(brush, rng, h, (250, 186, 106), (254, 232, 182))
    sun(brush, rng.uniform(16, 112), rng.uniform(14, 26), 9, (255, 246, 190))
    ground_band(brush, rng, h, (232, 176, 104), (208, 142, 76))
    brush.ellipse((rng.uniform(0, 60), h + 5), (60, 15), (224, 160, 90))
    brush.ellipse((rng.uniform(70, 128), h + 7), (56, 13), (240, 190, 118))
    for x in scatter(rng, 3, 0, 128):
        cactus(brush, x, h + rng.uniform(6, 16), rng.uniform(9, 14))
    brush.ellipse((rng.uniform(0, 128), h + 24), (7, 3.5), (168, 112, 74))


def snow(brush: Brush, rng: random.Random) -> None:
    """Mountains, firs and a snowman."""
    h = rng.uniform(60, 70)
    sky_band(brush, rng, h, (150, 178, 216), (226, 236, 248))
    for x in scatter(rng, 3, -10, 138):
        top, half = rng.uniform(16, 34), rng.uniform(24, 34)
        brush.polygon([(x - half, h), (x, top), (x + half, h)], (138, 156, 190))
        brush.polygon(
            [(x - 0.34 * half, top + 0.34 * (h - top)), (x, top), (x + 0.34 * half, top + 0.34 * (h - top))],
            (250, 252, 255),
        )
    ground_band(brush, rng, h, (236, 242, 250), (212, 224, 242))
    for x in scatter(rng, 3, 0, 128):
        pine(brush, x, h + rng.uniform(2, 9), rng.uniform(11, 16), (54, 112, 96))
    x = rng.choice((rng.uniform(6, 18), rng.uniform(110, 122)))
    for y, k in ((h + 24, 9.0), (h + 12, 6.5), (h + 3, 4.6)):
        brush.disc((x, y), k + 0.5, (176, 192, 220))
        brush.disc((x, y), k, (252, 253, 255))
    brush.polygon([(x, h + 2), (x, h + 4.4), (x + 5, h + 3.4)], (244, 140, 50))
    for _ in range(16):
        brush.disc((rng.uniform(0, 128), rng.uniform(0, 128)), 0.9, (255, 255, 255))


def forest(brush: Brush, rng: random.Random) -> None:
    """Trunks under a canopy, toadstools."""
    h = rng.uniform(68, 76)
    sky_band(brush, rng, h, (150, 200, 160), (204, 226, 178))
    ground_band(brush, rng, h, (96, 132, 70), (64, 96, 50))
    for x in scatter(rng, 7, -4, 132):
        brush.rectangle(x - 1.6, 0, x + 1.6, h + 1, (124, 142, 108))
    for x in scatter(rng, 4, -2, 130):
        w = rng.uniform(4, 6.5)
        bottom = h + rng.uniform(3, 12)
        brush.polygon([(x - w, bottom), (x - 0.7 * w, 0), (x + 0.7 * w, 0), (x + w, bottom)], (104, 76, 54))
        brush.polygon(
            [(x + 0.2 * w, bottom), (x + 0.2 * w, 0), (x + 0.7 * w, 0), (x + w, bottom)], (84, 60, 44)
        )
    for x in scatter(rng, 6, -8, 136):
        brush.disc((x, rng.uniform(-4, 8)), rng.uniform(12, 17), vary(rng, (52, 118, 58), 14))
    for x in scatter(rng, 2, 6, 122):
        y = h + rng.uniform(10, 22)
        brush.rectangle(x - 1.2, y - 4, x + 1.2, y, (240, 230, 210))
        brush.ellipse((x, y - 4), (4.4, 3.2), (214, 54, 50), 0, 180, 360)


def night_city(brush: Brush, rng: random.Random) -> None:
    """Moon, stars and lit windows."""
    h = rng.uniform(78, 86)
    sky_band(brush, rng, h, (16, 20, 52), (62, 56, 110))
    x = rng.uniform(14, 114)
    brush.disc((x, 14), 7.5, (250, 246, 214))
    brush.disc((x + 3, 12), 6.2, (26, 30, 66))
    for _ in range(14):
        brush.disc((rng.uniform(0, 128), rng.uniform(0, 34)), 0.6, (240, 240, 255))
    x = -rng.uniform(0, 8)
    while x < 128:
        w = rng.uniform(16, 26)
        wall = vary(rng, (40, 44, 72), 10)
        building(
            brush,
            (x, rng.uniform(22, 52), x + w, h),
            wall,
            lambda: (236, 204, 116) if rng.random() < 0.4 else (58, 62, 92),
        )
        x += w + 0.5
    ground_band(brush, rng, h, (70, 72, 92), (46, 48, 66))
    for k in range(4):
        brush.rectangle(k * 36 + 4, h + 24, k * 36 + 22, h + 26, (206, 198, 150))


def football_field(brush: Brush, rng: random.Random) -> None:
    """Stand, goal and a striped lawn."""
    h = rng.uniform(58, 66)
    sky_band(brush, rng, h, (120, 190, 244), (214, 236, 250))
    brush.rectangle(0, h - 22, 128, h, (120, 124, 140))
    for _ in range(34):
        color = rng.choice(
            ((196, 104, 104), (206, 196, 140), (104, 128, 186), (200, 200, 206), (92, 94, 110))
        )
        brush.disc((rng.uniform(0, 128), rng.uniform(h - 19, h - 5)), 2.0, color)
    brush.rectangle(0, h - 3, 128, h, (240, 240, 240))
    ground_band(brush, rng, h, (86, 176, 82), (60, 142, 62))
    for k in range(0, 6, 2):
        y = h + (SIZE - h) * k / 6
        brush.rectangle(0, y, 128, y + (SIZE - h) / 6, (98, 190, 92))
    x = rng.uniform(26, 62)
    brush.rectangle(x, h - 20, x + 44, h + 6, (150, 160, 176))
    for k in range(1, 9):
        brush.rectangle(x + k * 5, h - 20, x + k * 5 + 0.6, h + 6, (210, 214, 222))
    brush.polyline([(x, h + 6), (x, h - 20), (x + 44, h - 20), (x + 44, h + 6)], 2, (252, 252, 252))
    brush.rectangle(0, h + 12, 128, h + 13.5, (244, 250, 244))
