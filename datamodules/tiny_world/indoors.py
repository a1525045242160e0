"""Painters of the indoor places."""

import random

from datamodules.tiny_world.brush import Brush, mix, shade
from datamodules.tiny_world.scenery import ground_band, scatter, vary


def living_room(brush: Brush, rng: random.Random) -> None:
    """Window, sofa, picture and a rug."""
    h = rng.uniform(80, 88)
    wall = vary(rng, (236, 212, 182), 14)
    brush.gradient(0, h, wall, shade(wall, 0.93))
    brush.rectangle(0, h - 2.5, 128, h, (250, 244, 234))
    ground_band(brush, rng, h, (176, 122, 78), (146, 96, 60))
    for y in (h + 8, h + 19, h + 32):
        brush.rectangle(0, y, 128, y + 0.8, (130, 84, 52))
    x = rng.uniform(6, 30)
    brush.rectangle(x, 12, x + 34, 46, (250, 250, 250))
    brush.rectangle(x + 2, 14, x + 32, 44, (150, 208, 246))
    brush.rectangle(x + 16, 14, x + 18, 44, (250, 250, 250))
    color = vary(rng, (70, 130, 140), 40)
    sofa = rng.uniform(52, 62)
    brush.rectangle(sofa, h - 26, sofa + 58, h + 4, shade(color, 0.86))
    brush.rectangle(sofa + 3, h - 10, sofa + 55, h + 2, color)
    for x in (sofa - 4, sofa + 54):
        brush.rectangle(x, h - 16, x + 8, h + 6, shade(color, 0.74))
    x = rng.uniform(70, 100)
    brush.rectangle(x, 14, x + 22, 34, (110, 76, 46))
    brush.rectangle(x + 2, 16, x + 20, 32, vary(rng, (210, 130, 110), 40))
    brush.ellipse((64, h + 26), (44, 10), vary(rng, (190, 70, 76), 30))
    brush.ellipse((64, h + 26), (36, 7), (236, 210, 170))


def office(brush: Brush, rng: random.Random) -> None:
    """Bookshelf, desk, screen and a clock."""
    h = rng.uniform(82, 90)
    wall = vary(rng, (214, 222, 228), 10)
    brush.gradient(0, h, wall, shade(wall, 0.94))
    ground_band(brush, rng, h, (120, 132, 150), (98, 108, 128))
    left = rng.uniform(4, 14)
    brush.rectangle(left, 10, left + 40, h - 2, (122, 88, 60))
    for row in range(4):
        y = 13 + row * (h - 16) / 4
        brush.rectangle(left + 2, y, left + 38, y + (h - 16) / 4 - 3, (84, 60, 42))
        x = left + 3
        while x < left + 34:
            w = rng.uniform(4, 7)
            color = rng.choice(
                ((180, 78, 70), (72, 106, 160), (206, 174, 96), (88, 138, 104), (206, 198, 182))
            )
            brush.rectangle(x, y + rng.uniform(1, 5), x + w, y + (h - 16) / 4 - 3, color)
            x += w + 0.5
    x = rng.uniform(66, 76)
    brush.rectangle(x, h - 20, x + 52, h - 16, (226, 206, 170))
    for dx in (2, 47):
        brush.rectangle(x + dx, h - 16, x + dx + 3, h + 8, (150, 130, 100))
    brush.rectangle(x + 14, h - 42, x + 40, h - 25, (44, 48, 58))
    brush.rectangle(x + 16, h - 40, x + 38, h - 27, (112, 188, 232))
    brush.rectangle(x + 25, h - 25, x + 29, h - 20, (44, 48, 58))
    brush.disc((x + 38, 20), 8.5, (60, 64, 74))
    brush.disc((x + 38, 20), 7, (252, 252, 250))
    brush.polyline([(x + 38, 15.5), (x + 38, 20), (x + 41.5, 21.5)], 1.2, (40, 40, 48))


def stage(brush: Brush, rng: random.Random) -> None:
    """Curtains, spotlights and boards."""
    h = rng.uniform(84, 92)
    back = vary(rng, (70, 40, 110), 20)
    brush.gradient(0, h, shade(back, 0.6), shade(back, 1.25))
    for x in scatter(rng, 2, 30, 98):
        brush.polygon(
            [(x - 3, 0), (x + 3, 0), (x + 26, h), (x - 26, h)], mix(shade(back, 1.1), (255, 240, 190), 0.28)
        )
    ground_band(brush, rng, h, (184, 124, 76), (140, 88, 52))
    brush.ellipse((64, h + 20), (48, 13), (222, 168, 112))
    red = vary(rng, (186, 30, 48), 14)
    for k in range(3):
        for x in (k * 8.0, 120 - k * 8.0):
            brush.rectangle(x, 0, x + 8, h + 6 - 3 * k, shade(red, 1.0 - 0.16 * (k % 2)))
    for k in range(8):
        brush.ellipse((k * 18.3, 0), (9.4, 11), shade(red, 1.0 - 0.14 * (k % 2)))


def kitchen(brush: Brush, rng: random.Random) -> None:
    """Tiles, cupboards, a fridge and a pot."""
    h = rng.uniform(84, 92)
    wall = vary(rng, (208, 232, 222), 12)
    brush.rectangle(0, 0, 128, h, wall)
    for k in range(1, 10):
        brush.rectangle(k * 13, 0, k * 13 + 0.7, h, shade(wall, 0.93))
    for y in range(12, int(h), 12):
        brush.rectangle(0, y, 128, y + 0.7, shade(wall, 0.93))
    ground_band(brush, rng, h, (214, 206, 196), (190, 180, 170))
    color = vary(rng, (226, 158, 92), 26)
    counter = rng.uniform(34, 42)
    for k in range(3):
        x = counter + k * 29
        brush.rectangle(x, h - 28, x + 28, h + 3, color)
        brush.rectangle(x + 2, h - 24, x + 26, h, shade(color, 0.88))
        brush.rectangle(x, 6, x + 28, 28, shade(color, 1.05))
        brush.rectangle(x + 2, 8, x + 26, 26, shade(color, 0.92))
        brush.disc((x + 23, h - 12), 1.2, (70, 70, 76))
    brush.rectangle(counter - 1, h - 31, 128, h - 28, (96, 98, 108))
    brush.rectangle(4, 18, 30, h + 4, (236, 240, 244))
    brush.rectangle(4, 46, 30, 47.5, (150, 156, 166))
    brush.rectangle(25, 30, 27, 42, (120, 126, 138))
    brush.rectangle(25, 52, 27, 66, (120, 126, 138))
    x = counter + rng.uniform(16, 60)
    brush.rectangle(x, h - 40, x + 14, h - 31, (196, 60, 56))
    brush.rectangle(x - 2, h - 41, x + 16, h - 39, (226, 90, 84))
