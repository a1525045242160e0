"""What is expected of a method: a bound on a figure, what it must gain over another method, and what it may lose."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import hypot

from benchmarks.expectation import Gain, bound_of
from benchmarks.report import Outcome, Row


def with_expectations(
    outcome: Outcome, others: Sequence[Outcome], against: str | None, expected: Mapping[str, str]
) -> Outcome:
    """The outcome with what is expected of its figures, beside those of the first configuration of ``against``."""
    other = next((o for o in others if o.method == against), None)
    return replace(outcome, rows=[_expected(row, outcome, other, expected) for row in outcome.rows])


def _expected(row: Row, outcome: Outcome, other: Outcome | None, expected: Mapping[str, str]) -> Row:
    if row.metric not in expected or row.slice != "all" or row.seed is not None or row.value is None:
        return row
    bound = bound_of(expected[row.metric])
    if not isinstance(bound, Gain):
        return replace(row, expected=f"{row.metric} {bound}", met=bound.met(row.value))
    beside = other.row(row.metric) if other else None
    if other is None or beside is None or beside.value is None:
        return row
    spread = hypot(*(o.spread(row.metric) or 0.0 for o in (outcome, other)))
    said = f"{row.metric} {bound} over {other.method}"
    return replace(row, expected=said, met=bound.met(row.value, beside.value, spread))
