"""What a scene is about: how many people, who does what, where.

Compositions are disjoint between the splits by construction: everything but the place is hashed, and the place (one
of twelve) decides the split: ``(hash + place) mod 12`` is 0 for val, 1 for test, 2 ... 11 for train. A forced place
is honoured by drawing the other parts again until the sum fits; only when everything is forced may a composition
leave its split (identities never do).
"""

import random
from dataclasses import dataclass

from datamodules.tiny_world.environments import ENVIRONMENT_NAMES
from datamodules.tiny_world.identities import SPLIT_BUCKETS, Split, bucket_split, stable_hash
from datamodules.tiny_world.outfits import CLOTH_COLORS, ROLES
from datamodules.tiny_world.poses import ACTIONS, LOW_ACTIONS, TILTED_ACTIONS

MAX_COUNT = 7
_COUNT_WEIGHTS = (14, 18, 18, 16, 14, 10, 10)
_ACTION_WEIGHTS = {"standing": 1.6, "lying": 2.2, "leaning": 2.5, "bowing": 1.4}
_ATTEMPTS = 400
MAX_LYING, MAX_LYING_IN_CROWD = 3, 1


@dataclass(frozen=True)
class Group:
    """People whom the caption names together.

    Attributes:
        count: how many.
        noun: "person", "woman", "man" or a role.
        action: what they do.
        color: colour of their clothes if the caption may name it.
    """

    count: int
    noun: str
    action: str
    color: str | None = None


@dataclass(frozen=True)
class Composition:
    """The plan of a scene."""

    groups: tuple[Group, ...]
    environment: str
    frontal: bool

    @property
    def count(self) -> int:
        """People in all."""
        return sum(group.count for group in self.groups)

    @property
    def split(self) -> Split:
        """The split this composition belongs to; the camera phrase does not matter."""
        return bucket_split(_groups_hash(self.groups) + ENVIRONMENT_NAMES.index(self.environment))


def _groups_hash(groups: tuple[Group, ...]) -> int:
    return stable_hash(sorted((g.count, g.noun, g.action) for g in groups))


def compose(
    rng: random.Random,
    split: Split,
    *,
    count: int | None = None,
    environment: str | None = None,
    action: str | None = None,
    frontal: bool | None = None,
) -> Composition:
    """Draw a composition of a split.

    Args:
        rng: source of randomness.
        split: train, val or test.
        count: people, 1 to 7.
        environment: place.
        action: what everybody does.
        frontal: whether everyone looks at the camera.

    Raises:
        ValueError: for an unknown or impossible request.
    """
    _check(count, environment, action)
    if frontal is None:
        frontal = rng.random() < 0.3
    number = count
    for _ in range(_ATTEMPTS):
        groups = _sample_groups(
            rng, number if number is not None else _sample_count(rng, action), action, frontal
        )
        base = _groups_hash(groups)
        if environment is not None:
            place = ENVIRONMENT_NAMES.index(environment)
        elif split == "train":
            place = (rng.randrange(2, SPLIT_BUCKETS) - base) % SPLIT_BUCKETS
        else:
            place = ((0 if split == "val" else 1) - base) % SPLIT_BUCKETS
        composition = Composition(groups, ENVIRONMENT_NAMES[place], frontal)
        if composition.split == split:
            break
    return composition


def _check(count: int | None, environment: str | None, action: str | None) -> None:
    if count is not None and not 1 <= count <= MAX_COUNT:
        raise ValueError(f"count: {count}; the tiny world has scenes of 1 to {MAX_COUNT} people")
    if environment is not None and environment not in ENVIRONMENT_NAMES:
        raise ValueError(f"environment: {environment!r}; choose one of {', '.join(ENVIRONMENT_NAMES)}")
    if action is not None and action not in ACTIONS:
        raise ValueError(f"action: {action!r}; choose one of {', '.join(ACTIONS)}")
    if action == "leaning" and count == 1:
        raise ValueError(
            "count: 1 with action 'leaning'; leaning needs a neighbour, ask for 2 people or more"
        )
    if action == "lying" and count is not None and count > MAX_LYING:
        raise ValueError(
            f"count: {count} with action 'lying'; at most {MAX_LYING} people can lie side by side"
        )


def _sample_count(rng: random.Random, action: str | None) -> int:
    count = rng.choices(range(1, MAX_COUNT + 1), _COUNT_WEIGHTS)[0]
    if action == "lying":
        return min(count, MAX_LYING)
    return max(count, 2) if action == "leaning" else count


def _sample_groups(rng: random.Random, count: int, action: str | None, frontal: bool) -> tuple[Group, ...]:
    sizes = _sample_sizes(rng, count)
    nouns = _sample_nouns(rng, sizes)
    actions = [action] * len(sizes) if action is not None else _sample_actions(rng, sizes, count, frontal)
    groups = []
    for size, noun, act in zip(sizes, nouns, actions, strict=True):
        color = rng.choice(tuple(CLOTH_COLORS)) if noun not in ROLES and rng.random() < 0.35 else None
        groups.append(Group(size, noun, act, color))
    return tuple(groups)


def _sample_sizes(rng: random.Random, count: int) -> list[int]:
    """One group, two groups, or (up to four people) one by one."""
    kind = rng.random()
    if count == 1 or kind < 0.36:
        return [count]
    if count <= 3 and kind > 0.68:
        return [1] * count
    if count >= 4 and kind > 0.86:
        a = rng.randrange(1, count - 1)
        b = rng.randrange(1, count - a)
        return [a, b, count - a - b]
    first = rng.randrange(1, count)
    return [first, count - first]


def _sample_nouns(rng: random.Random, sizes: list[int]) -> list[str]:
    kind = rng.random()
    roles = tuple(ROLES)
    if len(sizes) == 1:
        weights = (0.55, 0.70, 0.85)
        plain = ("person", "woman", "man")
        return [next((noun for noun, w in zip(plain, weights, strict=True) if kind < w), rng.choice(roles))]
    if kind < 0.22:
        return ["person"] * len(sizes)
    if kind < 0.62:
        first = rng.choice((["woman", "man"], ["man", "woman"]))
        return [first[k % 2] for k in range(len(sizes))]
    chosen = rng.sample(roles, len(sizes))
    return [role if rng.random() < 0.75 else rng.choice(("woman", "man")) for role in chosen]


def _sample_actions(rng: random.Random, sizes: list[int], count: int, frontal: bool) -> list[str]:
    names = [a for a in ACTIONS if not (frontal and a in TILTED_ACTIONS)]
    weights = [_ACTION_WEIGHTS.get(a, 1.0) for a in names]
    if len(sizes) > 1 and rng.random() < 0.25:
        return [_draw_fitting(rng, names, weights, (count, count), [])] * len(sizes)
    chosen: list[str] = []
    for size in sizes:
        chosen.append(_draw_fitting(rng, names, weights, (size, count), chosen))
    return chosen


def _draw_fitting(
    rng: random.Random, names: list[str], weights: list[float], sizes: tuple[int, int], others: list[str]
) -> str:
    """An action that a group of ``sizes[0]`` among ``sizes[1]`` people may do; standing if chance finds none."""
    for _ in range(50):
        action = rng.choices(names, weights)[0]
        if _fits(action, *sizes, others):
            return action
    return "standing"


def _fits(action: str, size: int, count: int, others: list[str]) -> bool:
    """Whether a group of this size may do the action among ``count`` people."""
    if action == "lying":
        return size <= (MAX_LYING_IN_CROWD if count > 2 else 2) and "lying" not in others
    if action == "leaning":
        # Somebody upright must be there to lean on.
        return count > 1 and (size == 1 or size == count == 2) and not LOW_ACTIONS & set(others)
    if action in LOW_ACTIONS:
        return size <= 4 and "leaning" not in others and not (count > 4 and LOW_ACTIONS & set(others))
    if action == "bowing":
        return size <= 3 and count <= 5 and action not in others
    return action not in others or action == "standing"
