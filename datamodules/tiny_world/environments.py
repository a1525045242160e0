"""Twelve places, each with words, a kind of seat and a light."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from datamodules.tiny_world import indoors, outdoors
from datamodules.tiny_world.brush import Brush

Painter = Callable[[Brush, random.Random], None]


@dataclass(frozen=True)
class Environment:
    """A place.

    Attributes:
        phrases: ways to say where ("in a park").
        seat: what people sit on there.
        paint: draws it, 128 x 128.
        light: range of the light on people.
    """

    phrases: tuple[str, ...]
    seat: str
    paint: Painter
    light: tuple[float, float] = (0.94, 1.05)


ENVIRONMENTS: dict[str, Environment] = {
    "park": Environment(
        ("in a park", "in the park", "in a green park", "on a park lawn"),
        "bench", outdoors.park,
    ),
    "beach": Environment(
        ("on a beach", "at the beach", "on a sandy beach", "by the sea"),
        "crate", outdoors.beach,
    ),
    "living room": Environment(
        ("in a living room", "in the living room", "at home", "in a cozy living room"),
        "stool", indoors.living_room, (0.92, 1.0),
    ),
    "street": Environment(
        ("on a street", "on a city street", "in the street", "by the road in a town"),
        "bench", outdoors.street,
    ),
    "desert": Environment(
        ("in a desert", "in the desert", "among cacti in the desert", "on desert sand"),
        "rock", outdoors.desert,
    ),
    "snow": Environment(
        ("in the snow", "on a snowy field", "in snowy mountains", "next to a snowman"),
        "log", outdoors.snow,
    ),
    "office": Environment(
        ("in an office", "at the office", "in an office with a bookshelf", "at work"),
        "chair", indoors.office, (0.94, 1.02),
    ),
    "stage": Environment(
        ("on a stage", "on stage", "on a theater stage", "in front of red curtains"),
        "stool", indoors.stage, (0.92, 1.04),
    ),
    "forest": Environment(
        ("in a forest", "in the woods", "among tall trees", "in a dense forest"),
        "log", outdoors.forest, (0.88, 0.98),
    ),
    "night city": Environment(
        ("in a city at night", "downtown at night", "under a night sky in the city", "in the city by night"),
        "crate", outdoors.night_city, (0.80, 0.92),
    ),
    "kitchen": Environment(
        ("in a kitchen", "in the kitchen", "in a bright kitchen", "beside a fridge"),
        "chair", indoors.kitchen, (0.94, 1.02),
    ),
    "football field": Environment(
        ("on a football field", "on a soccer field", "in a stadium", "in front of a goal"),
        "bench", outdoors.football_field,
    ),
}  # fmt: skip
ENVIRONMENT_NAMES: tuple[str, ...] = tuple(ENVIRONMENTS)
