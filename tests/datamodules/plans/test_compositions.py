"""Combinations of numbers: a sixth is kept from training, of every total and of sums of every length."""

import itertools
from collections import Counter

import numpy as np
import pytest

from datamodules.plan_files import MAX_PEOPLE
from datamodules.plans import examples
from datamodules.plans.compositions import HELD_OUT_COMPOSITIONS, divisions, is_held_out
from datamodules.plans.examples import draw_example
from datamodules.plans.sentences import Numbers


def every_sum():
    """By brute force."""
    for terms in range(2, MAX_PEOPLE + 1):
        for numbers in itertools.product(range(1, MAX_PEOPLE), repeat=terms):
            if sum(numbers) <= MAX_PEOPLE:
                yield numbers


@pytest.fixture(scope="module")
def tallies():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examples, "arrange", lambda rng, actions: np.zeros((len(actions), 4), np.float32))
        return {
            split: [e for seed in range(size) if (e := draw_example(seed, split)).count is not None]
            for split, size in (("train", 6000), ("test_compositions", 600))
        }


def test_all_divisions_are_found():
    assert sorted(every_sum()) == sorted(
        d
        for total in range(2, MAX_PEOPLE + 1)
        for terms in range(2, total + 1)
        for d in divisions(total, terms)
    )


def test_a_sixth_is_held_out_of_every_total_and_length():
    kept_out = [numbers for numbers in every_sum() if is_held_out(numbers, Numbers(numbers))]
    trained = [numbers for numbers in every_sum() if not is_held_out(numbers, Numbers(numbers))]
    assert 1 / 8 < len(kept_out) / (len(kept_out) + len(trained)) < 1 / 4
    of_length = Counter(map(len, kept_out))
    assert of_length[2] >= 4
    assert of_length[3] >= 5
    assert {sum(n) for n in kept_out if len(n) == 2} == {4, 5, 6, 7}
    assert {sum(n) for n in kept_out if len(n) == 3} == {4, 5, 6, 7}
    for length in (2, 3):
        for place in range(length):
            assert {n[place] for n in trained if len(n) == length} == set(range(1, MAX_PEOPLE + 2 - length))
    assert not any(is_held_out(n, Numbers(n)) for n in [(1, 2), (2, 1), *[(1,) * k for k in range(2, 8)]])


def test_training_shows_every_number_and_total_and_none_that_is_held_out(tallies):
    def sums(split):
        return {e.tally for e in tallies[split] if "+" in e.tally}

    assert not sums("train") & sums("test_compositions")
    assert len(sums("test_compositions")) >= 12
    named = {f"{' + '.join(map(str, c[1:]))} = {sum(c[1:])}" for c in HELD_OUT_COMPOSITIONS if c[0] == "sum"}
    assert sums("test_compositions") <= named
    terms = {int(term) for tally in sums("train") for term in tally.partition(" = ")[0].split(" + ")}
    assert terms == set(range(1, MAX_PEOPLE))
    assert {e.count for e in tallies["train"] if "+" in e.tally} == set(range(2, MAX_PEOPLE + 1))
    assert {e.count for e in tallies["train"] if "-" in e.tally} == set(range(1, MAX_PEOPLE + 1))
