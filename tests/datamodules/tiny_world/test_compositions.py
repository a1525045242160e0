"""Compositions: forced parts, splits, feasibility."""

import random
from collections import Counter

import pytest

from datamodules.tiny_world.compositions import MAX_LYING, compose
from datamodules.tiny_world.environments import ENVIRONMENT_NAMES
from datamodules.tiny_world.identities import SPLITS
from datamodules.tiny_world.poses import ACTIONS


def key(composition):
    groups = sorted((g.count, g.noun, g.action) for g in composition.groups)
    return composition.environment, tuple(groups)


def test_splits_are_disjoint():
    seen = {split: {key(compose(random.Random(i), split)) for i in range(1000)} for split in SPLITS}
    assert not seen["train"] & seen["val"]
    assert not seen["train"] & seen["test"]
    assert not seen["val"] & seen["test"]


@pytest.mark.parametrize("split", SPLITS)
def test_one_forced_part_keeps_the_split(split):
    for i in range(12):
        for count in range(1, 8):
            composition = compose(random.Random(i), split, count=count)
            assert (composition.count, composition.split) == (count, split)
        for environment in ENVIRONMENT_NAMES:
            composition = compose(random.Random(i), split, environment=environment)
            assert (composition.environment, composition.split) == (environment, split)
        for action in ACTIONS:
            composition = compose(random.Random(i), split, action=action)
            assert {g.action for g in composition.groups} == {action}
            assert composition.split == split


def test_places_counts_and_actions_all_occur():
    drawn = [compose(random.Random(i), "train") for i in range(1500)]
    places = Counter(c.environment for c in drawn)
    assert set(places) == set(ENVIRONMENT_NAMES)
    assert min(places.values()) > 0.55 * max(places.values())
    assert {c.count for c in drawn} == set(range(1, 8))
    assert {g.action for c in drawn for g in c.groups} == set(ACTIONS)
    assert sum(c.frontal for c in drawn) / len(drawn) == pytest.approx(0.3, abs=0.05)


def test_nobody_lies_in_a_heap_or_leans_on_nobody():
    for i in range(1500):
        composition = compose(random.Random(i), "train")
        doing = Counter()
        for group in composition.groups:
            doing[group.action] += group.count
        assert doing["lying"] <= (1 if composition.count > 2 else 2)
        if doing["leaning"]:
            assert composition.count > 1


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"count": 0}, "count: 0"),
        ({"count": 8}, "count: 8"),
        ({"environment": "moon"}, "environment: 'moon'"),
        ({"action": "flying"}, "action: 'flying'"),
        ({"action": "leaning", "count": 1}, "leaning"),
        ({"action": "lying", "count": MAX_LYING + 1}, "lying"),
    ],
)
def test_impossible_requests_are_refused(request_, message):
    with pytest.raises(ValueError, match=message):
        compose(random.Random(0), "train", **request_)
