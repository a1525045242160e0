"""Identities of different splits never meet."""

import random

from datamodules.tiny_world.identities import SPLITS, likeness, sample_identity, split_of


def draw(split, count=1500):
    rng = random.Random(f"identities/{split}")
    return [sample_identity(rng, split, woman=rng.random() < 0.5) for _ in range(count)]


def test_every_identity_lies_in_its_split():
    for split in SPLITS:
        assert {split_of(identity.traits) for identity in draw(split, 400)} == {split}


def test_no_combination_of_traits_occurs_in_two_splits():
    traits = {split: {identity.traits for identity in draw(split)} for split in SPLITS}
    assert not traits["train"] & traits["val"]
    assert not traits["train"] & traits["test"]
    assert not traits["val"] & traits["test"]


def test_single_traits_are_spread_alike_in_every_split():
    for value in (lambda i: i.nose, lambda i: i.iris, lambda i: i.glasses, lambda i: i.hair):
        shares = []
        for split in SPLITS:
            people = draw(split)
            shares.append(
                {v: sum(value(p) == v for p in people) / len(people) for v in {value(p) for p in people}}
            )
        assert shares[0].keys() == shares[1].keys() == shares[2].keys()
        for v in shares[0]:
            # Three standard errors of a difference of two shares near 1/3 with 1500 draws each.
            assert max(s[v] for s in shares) - min(s[v] for s in shares) < 0.06


def test_names_tell_people_apart():
    people = draw("train")
    assert len({person.name for person in people}) == len(people)
    twin_a = sample_identity(random.Random(5), "train", woman=True)
    twin_b = sample_identity(random.Random(5), "train", woman=True)
    assert twin_a.name == twin_b.name
    assert likeness(twin_a, twin_b) == 6
