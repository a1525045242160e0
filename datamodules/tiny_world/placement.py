"""Where people stand: rows, spacing, size, who is nearer."""

import random
from dataclasses import dataclass, replace

from datamodules.tiny_world.poses import LOW_ACTIONS, RAISING_ACTIONS

SIZE = 128
_STANDING_HEIGHT = 7.75
_RADIUS = {1: 12.4, 2: 12.0, 3: 11.2, 4: 10.2, 5: 9.6}


@dataclass(frozen=True)
class Slot:
    """Place of one person.

    Attributes:
        x: column of the head in pixels.
        ground: row of the feet in pixels; larger is nearer.
        radius: head radius in pixels.
        room: distance to the nearest head of the same row, in head radii.
        leans_on: index of the neighbour whom a leaning person leans on.
    """

    x: float
    ground: float
    radius: float
    room: float
    leans_on: int | None = None


def place(rng: random.Random, actions: list[str]) -> list[Slot]:
    """One slot per person.

    Low actions (sitting, kneeling ...) go to the front row, somebody lying gets a row of their own.

    Args:
        rng: source of randomness.
        actions: what each person does.
    """
    rows = _rows(rng, actions)
    tightest = max(len(row) for row in rows)
    radius = _RADIUS.get(tightest, 9.5)
    if len(rows) > 1:
        radius = min(radius, 10.1 if tightest <= 3 else 9.8)
    radius *= rng.uniform(0.98, 1.03)
    slots: list[Slot | None] = [None] * len(actions)
    for row, ground in zip(rows, _grounds(rng, rows, actions, radius), strict=True):
        xs = _columns(rng, row, actions, radius)
        for k, person in enumerate(row):
            gaps = [abs(xs[k] - xs[m]) for m in (k - 1, k + 1) if 0 <= m < len(row)]
            slots[person] = Slot(
                x=xs[k],
                # Raised arms go behind the neighbours' heads.
                ground=ground
                + (rng.uniform(-3, -1) if actions[person] in RAISING_ACTIONS else rng.uniform(-1, 2.5)),
                radius=radius * rng.uniform(0.98, 1.03),
                room=min(gaps) / radius if gaps else 6.0,
                leans_on=_support(row, k, xs, actions),
            )
    return [_in_front_of_support(slot, slots) for slot in slots if slot is not None]


def _in_front_of_support(slot: Slot, slots: list[Slot | None]) -> Slot:
    """A leaning person is nearer than the one leant on, so that the arm shows."""
    support = None if slot.leans_on is None else slots[slot.leans_on]
    if support is None or support.leans_on is not None:
        return slot
    return replace(slot, ground=max(slot.ground, support.ground + 0.5))


def _rows(rng: random.Random, actions: list[str]) -> list[list[int]]:
    """Rows from back to front, each left to right."""
    people = list(range(len(actions)))
    rng.shuffle(people)
    lying = [p for p in people if actions[p] == "lying"]
    low = [p for p in people if actions[p] in LOW_ACTIONS and actions[p] != "lying"]
    upright = [p for p in people if actions[p] not in LOW_ACTIONS]
    if len(people) == 1:
        return [people]
    rows = []
    if len(upright) + len(low) <= 3:
        rows = [[p for p in people if actions[p] != "lying"]]
    elif low and upright and len(low) <= 5 and len(upright) <= 5:
        rows = [upright, low]
    else:
        rows = _split(rng, [p for p in people if actions[p] != "lying"], actions)
    return [row for row in rows if row] + [[p] for p in lying]


def _split(rng: random.Random, people: list[int], actions: list[str]) -> list[list[int]]:
    together = [p for p in people if actions[p] == "leaning"]
    people = [p for p in people if p not in together]
    people[1:1] = together
    if len(people) <= 3 or (len(people) <= 5 and rng.random() < 0.55):
        return [people]
    front = len(people) // 2 + (rng.random() < 0.5) * (len(people) % 2)
    return [people[: len(people) - front], people[len(people) - front :]]


def _grounds(rng: random.Random, rows: list[list[int]], actions: list[str], radius: float) -> list[float]:
    if len(rows) == 1:
        return [rng.uniform(117, 123)]
    height = _STANDING_HEIGHT * radius
    lying = sum(actions[row[0]] == "lying" for row in rows)
    others = len(rows) - lying
    if others == 0:
        return [122 - 27.0 * (len(rows) - 1 - k) for k in range(len(rows))]
    back = height + rng.uniform(18.5, 23)
    if others == 1:
        return [min(back, 106), *[123.0 - 24 * (lying - 1 - k) for k in range(lying)]]
    front_low = all(actions[p] in LOW_ACTIONS for p in rows[1])
    front = rng.uniform(119, 123) if front_low else back + rng.uniform(25.5, 28.5)
    if lying:
        front = min(front, 112.0)
        return [min(back, front - 24), front, *[124.0] * lying]
    return [min(back, front - 24), front]


def _columns(rng: random.Random, row: list[int], actions: list[str], radius: float) -> list[float]:
    """Ascending columns of a row; a leaning person is drawn close to the neighbour."""
    count = len(row)
    margin = 1.45 * radius
    if count == 1:
        wide = 12 if actions[row[0]] == "lying" else 26
        return [SIZE / 2 + rng.uniform(-wide, wide)]
    step = min((SIZE - 2 * margin) / (count - 1), 4.6 * radius)
    slack = SIZE - 2 * margin - step * (count - 1)
    start = margin + slack / 2 + rng.uniform(-0.5, 0.5) * max(0.0, slack)
    jitter = max(0.0, step - 2.3 * radius) * 0.3
    xs = [start + k * step + rng.uniform(-jitter, jitter) for k in range(count)]
    for k, person in enumerate(row):
        if actions[person] == "leaning":
            other = _neighbour(k, xs)
            gap = xs[other] - xs[k]
            wanted = min(abs(gap), 2.75 * radius)
            xs[k] = xs[other] - (wanted if gap > 0 else -wanted)
    return xs


def _neighbour(k: int, xs: list[float]) -> int:
    """The nearer neighbour in the row."""
    candidates = [m for m in (k - 1, k + 1) if 0 <= m < len(xs)]
    return min(candidates, key=lambda m: abs(xs[m] - xs[k]))


def _support(row: list[int], k: int, xs: list[float], actions: list[str]) -> int | None:
    if actions[row[k]] != "leaning" or len(row) < 2:
        return None
    return row[_neighbour(k, xs)]
