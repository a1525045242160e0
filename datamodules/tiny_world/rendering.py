"""Draws a staged scene: background with seats, people from far to near, masks, visibility.

The image equals the background exactly wherever no mask is set.
"""

import random
from dataclasses import dataclass

import numpy as np

from datamodules.tiny_world.bodies import BodyPainter
from datamodules.tiny_world.brush import SUPERSAMPLING, Brush, Point
from datamodules.tiny_world.environments import Environment
from datamodules.tiny_world.frames import HeadFrame
from datamodules.tiny_world.hair import draw_back_hair
from datamodules.tiny_world.heads import Expression, HeadGeometry, draw_head
from datamodules.tiny_world.placement import SIZE
from datamodules.tiny_world.scenery import SEATS
from datamodules.tiny_world.staging import CastMember, Staged, drawing_order

_MIN_COVERAGE = 24
"""Coverage (of 255) from which a supersampled pixel counts as touched."""


@dataclass(frozen=True)
class Rendering:
    """A drawn scene.

    Attributes:
        image, background: uint8 RGB (h, w, 3).
        owner: uint8 (h, w): 0 background, k + 1 the person whose pixel it is.
        heads: geometry of every face.
        covered: share of every face that others hide.
        order: indices from far to near.
    """

    image: np.ndarray
    background: np.ndarray
    owner: np.ndarray
    heads: tuple[HeadGeometry, ...]
    covered: tuple[float, ...]
    order: tuple[int, ...]


@dataclass(frozen=True)
class _Seat:
    ground: float
    window: tuple[slice, slice]
    mask: np.ndarray


def paint_place(environment: Environment, rng: random.Random) -> Brush:
    """The place without people or seats."""
    brush = Brush(SIZE, SIZE)
    environment.paint(brush, rng)
    return brush


def render(
    rng: random.Random,
    place: Brush,
    environment: Environment,
    members: list[CastMember],
    staged: list[Staged],
) -> Rendering:
    """Draw everybody into a copy of the place."""
    brush = Brush(SIZE, SIZE)
    brush.pixels[...] = place.pixels
    seats = _draw_seats(brush, environment, members, staged)
    background = brush.image()
    empty = brush.pixels.copy() if seats else brush.pixels
    gain = rng.uniform(*environment.light)
    order = drawing_order(staged)
    rank = np.zeros(brush.pixels.shape[:2], np.uint8)
    heads: list[HeadGeometry | None] = [None] * len(staged)
    areas = [0] * len(staged)
    for nearness, k in enumerate(order, start=1):
        brush.begin_layer()
        heads[k] = _draw_person(brush, members[k], staged[k], rng, gain)
        for seat in seats:
            if seat.ground > staged[k].slot.ground + 0.01:
                brush.pixels[seat.window][seat.mask] = empty[seat.window][seat.mask]
                brush.pixels[seat.window][seat.mask, 3] = 0
        reach = _reach(staged[k])
        rank[reach][brush.pixels[reach][..., 3] > _MIN_COVERAGE] = nearness
        areas[k] = int((rank[_window(heads[k])] == nearness).sum())
    # A final pixel belongs to the nearest person who touches one of its supersampled pixels.
    rows = np.maximum(rank[::2], rank[1::2])
    final = np.maximum(rows[:, ::2], rows[:, 1::2])
    names = np.array([0, *[k + 1 for k in order]], np.uint8)
    owner = names[final]
    image = np.where((final > 0)[..., None], brush.image(), background)
    drawn = tuple(head for head in heads if head is not None)
    covered = tuple(
        1.0 - float((rank[_window(head)] == order.index(k) + 1).sum()) / max(1, areas[k])
        for k, head in enumerate(drawn)
    )
    return Rendering(image, background, owner, drawn, covered, tuple(order))


def _reach(person: Staged) -> tuple[slice, slice]:
    """Supersampled window that holds everything drawn of a person: joints plus hair, hats and skirts."""
    xs, ys = zip(*person.figure.points(), strict=True)
    margin = 3.0 * person.slot.radius
    limits = (min(ys) - margin, max(ys) + margin, min(xs) - margin, max(xs) + margin)
    top, bottom, left, right = (max(0, min(SIZE * SUPERSAMPLING, round(v * SUPERSAMPLING))) for v in limits)
    return slice(top, bottom), slice(left, right)


def _window(head: HeadGeometry | None) -> tuple[slice, slice]:
    """Supersampled window of a face box."""
    if head is None:
        return slice(0, 0), slice(0, 0)
    left, top, right, bottom = (max(0, min(SIZE, v)) * SUPERSAMPLING for v in head.box)
    return slice(round(top), round(bottom)), slice(round(left), round(right))


def _draw_person(
    brush: Brush, member: CastMember, person: Staged, rng: random.Random, gain: float
) -> HeadGeometry:
    figure, radius = person.figure, person.slot.radius
    frame = HeadFrame(figure.head, radius, person.roll_deg, person.yaw_deg)
    draw_back_hair(brush, member.identity, frame, gain)
    body = BodyPainter(brush, figure, member.outfit, member.identity.skin, radius, gain)
    body.draw_below_head()
    gaze = 0.0 if abs(person.yaw_deg) < 6 else rng.uniform(-0.5, 0.5)
    head = draw_head(brush, member.identity, frame, Expression(rng.uniform(0.0, 1.0), gaze), gain)
    body.draw_above_head()
    return head


def _draw_seats(
    brush: Brush, environment: Environment, members: list[CastMember], staged: list[Staged]
) -> list[_Seat]:
    seats = []
    for k in drawing_order(staged):
        if members[k].action != "sitting":
            continue
        person = staged[k]
        x, y = person.figure.pelvis
        r = person.slot.radius
        brush.begin_layer()
        SEATS[environment.seat](brush, x, y + 0.34 * r, person.slot.ground, 1.25 * r)
        rows, columns = _bounds(x, y, person.slot.ground, r)
        seats.append(
            _Seat(person.slot.ground, (rows, columns), brush.pixels[rows, columns, 3] > _MIN_COVERAGE)
        )
    return seats


def _bounds(x: float, y: float, ground: float, radius: float) -> tuple[slice, slice]:
    s = SUPERSAMPLING
    limits = (y - 2.6 * radius - 4, ground + 4, x - 2.4 * radius - 4, x + 2.4 * radius + 4)
    top, bottom, left, right = (max(0, min(SIZE * s, round(v * s))) for v in limits)
    return slice(top, bottom), slice(left, right)


def keypoints(rendering: Rendering, k: int, person: Staged) -> list[tuple[Point, bool]]:
    """COCO-17 positions in pixels, each with whether the body itself lets it be seen."""
    head, f = rendering.heads[k], person.figure
    eyes = ((head.landmarks[1], True), (head.landmarks[0], True))
    ears = ((head.ears[1], head.ears_visible[1]), (head.ears[0], head.ears_visible[0]))
    pairs = (f.shoulders, f.elbows, f.wrists, f.hips, f.knees, f.ankles)
    # Index 1 is the image-right side: the person's own left.
    joints = [(pair[side], True) for pair in pairs for side in (1, 0)]
    return [(head.landmarks[2], True), *eyes, *ears, *joints]
