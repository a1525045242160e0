"""Steps of an ablation beside a paper's."""

import itertools
import math

import pytest

from benchmarks.directions import directions, rank_agreement
from benchmarks.report import Outcome, Report, Row

PROVENANCE = {"git": None, "started": "2030-01-01", "config": {}}


def outcome(method, values, paper):
    """``values``: one per seed."""
    seeds = [Row("s", method, "", i, "identity", v, None, None, 9) for i, v in enumerate(values)]
    mean = sum(values) / len(values)
    rows = [Row("s", method, "", None, "identity", mean, None, None, 9), *seeds]
    return Outcome(method, "", {}, rows, paper={} if paper is None else {"identity": paper})


def report(*outcomes):
    made = Report("s", "", PROVENANCE, {})
    made.outcomes = list(outcomes)
    return made


@pytest.mark.parametrize(
    ("ours", "papers", "verdict"),
    [
        (([0.2, 0.3], [0.6, 0.8]), (0.1, 0.5), "agrees"),
        (([0.6, 0.8], [0.2, 0.3]), (0.5, 0.1), "agrees"),
        (([0.6, 0.8], [0.2, 0.3]), (0.1, 0.5), "opposed"),
        (([0.2, 0.6], [0.3, 0.7]), (0.1, 0.5), "within the spread"),
        (([0.2], [0.21]), (0.1, 0.5), "agrees"),
    ],
)
def test_a_step_is_judged_by_its_sign_and_the_spread(ours, papers, verdict):
    (step,) = directions(report(outcome("a", ours[0], papers[0]), outcome("b", ours[1], papers[1])))
    assert (step.start, step.end, step.verdict) == ("a", "b", verdict)
    assert step.reported == papers[1] - papers[0]
    if len(ours[0]) == 2:
        half = [
            abs(x - y) / 2 for x, y in ours
        ]  # two values lie sqrt(2) of their deviation from the mean apart
        assert step.spread == pytest.approx(math.sqrt(2 * half[0] ** 2 + 2 * half[1] ** 2))
    else:
        assert step.spread is None


def test_rows_without_a_paper_are_stepped_over():
    made = report(outcome("a", [0.1], 0.1), outcome("mine", [0.9], None), outcome("b", [0.2], 0.3))
    assert [(step.start, step.end) for step in directions(made)] == [("a", "b")]
    assert directions(report(outcome("a", [0.1], None), outcome("b", [0.2], 0.3))) == []


def test_the_order_of_all_rows_is_counted_pair_by_pair():
    ours, papers = [0.1, 0.5, 0.3, 0.9], [0.2, 0.3, 0.6, 0.8]
    made = report(*(outcome(str(i), [o], p) for i, (o, p) in enumerate(zip(ours, papers, strict=True))))
    pairs = list(itertools.combinations(range(4), 2))
    signs = [1 if (ours[i] - ours[j]) * (papers[i] - papers[j]) > 0 else -1 for i, j in pairs]
    assert rank_agreement(made, "identity") == pytest.approx(sum(signs) / len(pairs))
    two = [outcome("a", [0.1], 0.1), outcome("b", [0.1], 0.2)]
    assert rank_agreement(report(*two), "identity") is None
    assert rank_agreement(report(*two, outcome("c", [0.1], 0.3)), "identity") is None, "no order at all"
