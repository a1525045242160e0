"""Ways of doing the same, timed in turn: A B C A B C …, so that a busy minute of the machine falls on all of them."""

import statistics
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from benchmarks.speed.flops import count_flops

Case = Callable[[], Mapping[str, float]]
"""Does the work once; answers with what it counted, if anything."""

CPU, WALL, FLOPS = "cpu", "wall", "flops"
TIMES = (CPU, WALL)


class Cases(Protocol):
    """What a suite names as the ``cases`` of a workload."""

    def cases(self) -> Mapping[str, Case]:
        """Ways of doing the same, by name."""
        ...


class Quotient(NamedTuple):
    """A ratio with the spread of its rounds.

    Attributes:
        value: median over rounds.
        low: lower quartile; None where nothing varies.
        high: upper quartile.
        n: rounds.
    """

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass
class Measured:
    """What was measured of a workload.

    Attributes:
        rounds: CPU seconds of each case, one per round.
        waits: seconds on the clock, likewise: what a case that waits for others takes.
        counts: what each case counted, its floating-point operations under ``flops`` among it.
    """

    rounds: dict[str, list[float]] = field(default_factory=dict)
    counts: dict[str, Mapping[str, float]] = field(default_factory=dict)
    waits: dict[str, list[float]] = field(default_factory=dict)

    def quotient(self, over: str, under: str) -> Quotient:
        """One quantity over another, round by round where both are times.

        Args:
            over: ``case.cpu``, ``case.wall``, or ``case.`` and the name of a count.
            under: the same.

        Raises:
            ValueError: if a case does not count what is asked for.
        """
        pairs = list(zip(self._values(over), self._values(under), strict=True))
        ratios = [a / b for a, b in pairs]
        low = high = None
        if len(ratios) > 1:
            low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return Quotient(statistics.median(ratios), low, high, len(ratios))

    def _values(self, quantity: str) -> list[float]:
        case, what = quantity.split(".")
        if what in TIMES:
            return (self.rounds if what == CPU else self.waits)[case]
        if what not in self.counts[case]:
            raise ValueError(f"{quantity}: the case counts {', '.join(self.counts[case]) or 'nothing'}")
        return [self.counts[case][what]]


def measure(
    cases: Mapping[str, Case], timed: Collection[str], repeats: int, after: Callable[[str], None]
) -> Measured:
    """Run every case once, to warm up and to count, then time some of them in turn.

    Args:
        cases: by name, in the order of a round.
        timed: which of them are timed.
        repeats: rounds.
        after: called with the name of a case each time it has run.
    """
    chosen = [name for name in cases if name in timed]
    measured = Measured({name: [] for name in chosen}, waits={name: [] for name in chosen})
    for name, case in cases.items():
        if name in timed:
            counts, flops = count_flops(case)
            measured.counts[name] = {**counts, FLOPS: flops}
        else:
            measured.counts[name] = case()
        after(name)
    for _ in range(repeats):
        for name, seconds in measured.rounds.items():
            began, at = time.process_time(), time.perf_counter()
            cases[name]()
            seconds.append(time.process_time() - began)
            measured.waits[name].append(time.perf_counter() - at)
            after(name)
    return measured
