"""Rounds in turn, ratios round by round, and CPU time rather than time."""

import time

import numpy as np
import pytest
import torch

from benchmarks.expectation import Expectation
from benchmarks.speed import rounds
from benchmarks.speed.rounds import Measured, measure


def test_cases_run_in_turn_after_one_unmeasured_round():
    ran, after = [], []
    cases = {name: lambda name=name: ran.append(name) or {"runs": ran.count(name)} for name in "abc"}
    measured = measure(cases, {"a", "c"}, 2, after.append)
    assert ran == after == list("abcacac")
    assert {name: len(seconds) for name, seconds in measured.rounds.items()} == {"a": 2, "c": 2}
    assert measured.counts["b"] == {"runs": 1}
    assert measured.counts["a"]["runs"] == 1, "counts are those of the first run"


def test_the_first_run_counts_operations():
    x = torch.ones(2, 3)
    measured = measure(
        {"once": lambda: _product(x, 1), "twice": lambda: _product(x, 2)},
        {"once", "twice"},
        1,
        lambda _: None,
    )
    assert measured.counts["once"]["flops"] == 2 * 2 * 3 * 2
    assert measured.quotient("twice.flops", "once.flops")[:3] == (2.0, None, None)


def _product(x, times):
    for _ in range(times):
        x @ x.T
    return {}


def test_the_ratio_is_taken_round_by_round():
    """A machine that slows down tenfold between rounds changes both sides of each ratio alike."""
    measured = Measured({"a": [1.0, 10.0, 30.0], "b": [2.0, 20.0, 60.0]})
    assert measured.quotient("b.cpu", "a.cpu") == (2.0, 2.0, 2.0, 3)
    assert measured.quotient("a.cpu", "b.cpu").value == 0.5


def test_median_and_quartiles_are_numpys(monkeypatch):
    drawn = np.random.default_rng(0).uniform(1, 2, 18)
    clock = iter(np.stack([np.zeros(18), drawn], axis=1).ravel().tolist())
    monkeypatch.setattr(rounds.time, "process_time", lambda: next(clock))
    measured = measure({"a": dict, "b": dict}, {"a", "b"}, 9, lambda _: None)
    ratios = drawn[0::2] / drawn[1::2]
    found = measured.quotient("a.cpu", "b.cpu")
    assert found[:3] == pytest.approx(np.percentile(ratios, [50, 25, 75]))
    assert found.n == 9


def test_waiting_costs_no_cpu_time():
    def wait():
        time.sleep(0.05)
        return {}

    def work():
        until = time.process_time() + 0.02
        while time.process_time() < until:
            pass
        return {}

    measured = measure({"wait": wait, "work": work}, {"wait", "work"}, 3, lambda _: None)
    assert max(measured.rounds["wait"]) < 0.02 <= min(measured.rounds["work"])
    assert min(measured.waits["wait"]) >= 0.05  # but takes its time
    assert measured.quotient("wait.wall", "work.cpu").n == 3


def test_an_unknown_count_is_named():
    measured = Measured(counts={"a": {"bytes": 1.0}})
    with pytest.raises(ValueError, match=r"a\.bites: the case counts bytes"):
        measured.quotient("a.bites", "a.bytes")


@pytest.mark.parametrize(
    ("text", "shown", "met", "missed"),
    [
        (">= 1.75", "≥ 1.75", [1.75, 9.0], [1.7499]),
        ("<=0.3", "≤ 0.3", [0.3, -1.0], [0.3001]),
        ("== 1", "= 1", [1.0], [0.999, 1.001]),
    ],
)
def test_expectations(text, shown, met, missed):
    made = Expectation.of(text)
    assert str(made) == shown
    assert all(made.met(value) for value in met)
    assert not any(made.met(value) for value in missed)


@pytest.mark.parametrize("text", ["1.75", "> 1", ">= many", ">= 1 or so", ""])
def test_an_expectation_nobody_can_read_is_refused(text):
    with pytest.raises(ValueError, match="write a relation and a number"):
        Expectation.of(text)
    assert Expectation.of(None) is None
