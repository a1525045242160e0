"""Do figures move the way a paper's do, from one row of an ablation to the next."""

from dataclasses import dataclass
from itertools import pairwise
from math import hypot

from scipy import stats

from benchmarks.figures import ordered
from benchmarks.report import Outcome, Report, finite

AGREES, OPPOSED, UNDECIDED = "agrees", "opposed", "within the spread"


@dataclass(frozen=True)
class Direction:
    """One figure from one configuration to the next that the paper has too.

    Attributes:
        metric: name of the figure.
        start: title of the first configuration.
        end: title of the second.
        reported: the paper's change.
        measured: ours.
        spread: standard deviation of our change over seeds, both configurations' taken together; None with one seed.
    """

    metric: str
    start: str
    end: str
    reported: float
    measured: float
    spread: float | None

    @property
    def verdict(self) -> str:
        """Whether both moved the same way; a change below the spread over seeds is none."""
        if abs(self.measured) <= (self.spread or 0.0):
            return UNDECIDED
        return AGREES if self.measured * self.reported > 0 else OPPOSED


def directions(report: Report) -> list[Direction]:
    """Every figure that the paper gives for two configurations or more, in the order in which they are written."""
    found = []
    for metric in ordered(report.metrics()):
        for first, second in pairwise(_reported(report, metric)):
            spreads = [o.spread(metric) for o in (first, second)]
            known = [s for s in spreads if s is not None]
            found.append(
                Direction(
                    metric,
                    first.title,
                    second.title,
                    second.paper[metric] - first.paper[metric],
                    _value(second, metric) - _value(first, metric),
                    hypot(*known) if len(known) == len(spreads) else None,
                )
            )
    return found


def rank_agreement(report: Report, metric: str) -> float | None:
    """Kendall's tau between the paper's order of the configurations and ours, 1 for the same.

    None below three configurations, or where all of them are equal.
    """
    both = [(o.paper[metric], _value(o, metric)) for o in _reported(report, metric)]
    if len(both) < 3:
        return None
    return finite(float(stats.kendalltau(*zip(*both, strict=True)).statistic))


def _reported(report: Report, metric: str) -> list[Outcome]:
    rows = [(o, o.row(metric)) for o in report.outcomes if metric in o.paper]
    return [o for o, row in rows if row is not None and row.value is not None]


def _value(outcome: Outcome, metric: str) -> float:
    row = outcome.row(metric)
    assert row is not None
    assert row.value is not None  # as _reported makes sure of
    return row.value
