"""What a method is expected to gain over another, and what it may lose."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import hypot

from benchmarks.expectation import Gain
from benchmarks.report import Outcome, Row


def with_expectations(
    outcome: Outcome, others: Sequence[Outcome], against: str | None, expected: Mapping[str, str]
) -> Outcome:
    """The outcome with what is expected of its figures, beside those of the first configuration of ``against``."""
    other = next((o for o in others if o.method == against), None)
    if other is None or not expected:
        return outcome
    return replace(outcome, rows=[_expected(row, outcome, other, expected) for row in outcome.rows])


def _expected(row: Row, outcome: Outcome, other: Outcome, expected: Mapping[str, str]) -> Row:
    beside = other.row(row.metric)
    if row.metric not in expected or row.slice != "all" or row.seed is not None:
        return row
    if beside is None or beside.value is None or row.value is None:
        return row
    gain = Gain.of(expected[row.metric])
    spread = hypot(*(o.spread(row.metric) or 0.0 for o in (outcome, other)))
    said = f"{row.metric} {gain} over {other.method}"
    return replace(row, expected=said, met=gain.met(row.value, beside.value, spread))
