"""The report as data: rows with intervals, samples, failures; written to ``report.json`` whole or not at all."""

import json
import math
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks.training_log import Training
from datamodules.whole_files import write_whole

FORMAT = 1
Status = Literal["running", "finished", "interrupted", "failed"]


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        suite: name of the suite.
        method: name of the method in the suite.
        setting: ``key=value`` words; empty for a method without settings.
        seed: sampling seed, or None for all seeds together.
        metric: name of the figure (see ``benchmarks.figures``).
        value: the figure over the slice (see ``Report.summed_up``); None where nothing defined it.
        low: lower end of its interval; None where no interval is given.
        high: upper end.
        n: scenes, files or rounds the value and its interval rest on.
        slice: ``all``, or one part such as ``people=3``.
        expected: what the suite expects of the value, such as ``≥ 1.75``; None where it states nothing.
        met: whether the value keeps that; None where nothing is expected.
        absent: why there is no value, in two or three words; empty where there is one or nothing is to be said.
    """

    suite: str
    method: str
    setting: str
    seed: int | None
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    slice: str = "all"
    expected: str | None = None
    met: bool | None = None
    absent: str = ""

    @property
    def verdict(self) -> str:
        """The expectation and whether it was met, in words; empty where nothing is expected."""
        if self.expected is None:
            return ""
        return f"{self.expected} {'met' if self.met else 'missed'}"


@dataclass(frozen=True)
class Badge:
    """A short verdict under a picture; ``good`` is None for a neutral one."""

    text: str
    good: bool | None = None


@dataclass(frozen=True)
class Sample:
    """One picture of the gallery, as an encoded file.

    Attributes:
        scene: pictures of one scene stand in one row.
        prompt: its caption.
        image: PNG or JPEG bytes.
        badges: verdicts.
        references: encoded reference faces, left to right.
        beside: encoded pictures that led to the image: the empty scene, the layout.
    """

    scene: str
    prompt: str
    image: bytes
    badges: tuple[Badge, ...] = ()
    references: tuple[bytes, ...] = ()
    beside: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """One finished configuration.

    Attributes:
        method: name of the method.
        setting: its setting as ``key=value`` words.
        parameters: the setting as a dictionary, and whatever else belongs into MLflow's parameters.
        rows: all figures.
        samples: pictures for the gallery.
        records: one dictionary per image.
        seconds: wall time of the whole configuration.
        ceiling: shown for scale, not a competitor.
        paper: what the method's paper reports, by figure; ``identity/people=2`` for a part.
        trainings: of a method that was trained for this, by seed.
    """

    method: str
    setting: str
    parameters: dict[str, Any]
    rows: list[Row]
    samples: list[Sample] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    ceiling: bool = False
    paper: dict[str, float] = field(default_factory=dict)
    trainings: dict[int, Training] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Method and setting."""
        return f"{self.method} · {self.setting}" if self.setting else self.method

    def row(self, metric: str, part: str = "all", seed: int | None = None) -> Row | None:
        """The figure ``metric`` over one slice, for all seeds together unless one is named."""
        for row in self.rows:
            if (row.metric, row.slice, row.seed) == (metric, part, seed):
                return row
        return None

    def spread(self, metric: str, part: str = "all") -> float | None:
        """Standard deviation of a figure over seeds; None with fewer than two."""
        values = [
            row.value
            for row in self.rows
            if row.metric == metric and row.slice == part and row.seed is not None and row.value is not None
        ]
        return statistics.stdev(values) if len(values) > 1 else None

    def reported(self, metric: str, part: str = "all") -> float | None:
        """What the method's paper reports of a figure over one slice."""
        return self.paper.get(metric if part == "all" else f"{metric}/{part}")

    def expectations(self) -> list[Row]:
        """The figures something is expected of."""
        return [row for row in self.rows if row.expected is not None]


@dataclass
class Report:
    """All that is known so far.

    Attributes:
        summed_up: what a figure and the interval beneath it are, for readers.
    """

    suite: str
    description: str
    provenance: dict[str, Any]
    judges: dict[str, str]
    status: Status = "running"
    outcomes: list[Outcome] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    excluded: list[dict[str, str]] = field(default_factory=list)
    converted: list[dict[str, str]] = field(default_factory=list)
    summed_up: str = "mean over scenes and seeds, 95 % bootstrap interval over scenes"
    planned: int = 0
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The content of ``report.json``: JSON types only, without pictures."""
        return {
            "format": FORMAT,
            "suite": self.suite,
            "description": self.description,
            "status": self.status,
            "finished_configurations": len(self.outcomes),
            "planned_configurations": self.planned,
            "seconds": round(self.seconds, 3),
            "judges": self.judges,
            "summed_up": self.summed_up,
            "notes": self.notes,
            "failures": self.failures,
            "excluded_files": self.excluded,
            "converted_files": self.converted,
            "configurations": [
                {
                    "method": o.method,
                    "setting": o.setting,
                    "parameters": o.parameters,
                    "seconds": round(o.seconds, 3),
                    "paper": o.paper,
                    "trainings": {seed: asdict(training) for seed, training in o.trainings.items()},
                }
                for o in self.outcomes
            ],
            "rows": [asdict(row) for outcome in self.outcomes for row in outcome.rows],
            "provenance": self.provenance,
        }

    def metrics(self) -> list[str]:
        """Every metric of the report, in order of first appearance."""
        return list(dict.fromkeys(row.metric for o in self.outcomes for row in o.rows))

    def slices(self) -> list[str]:
        """Every slice beside ``all``, in order of first appearance."""
        found = dict.fromkeys(row.slice for o in self.outcomes for row in o.rows)
        return sorted((s for s in found if s != "all"), key=_natural)


def finite(value: float) -> float | None:
    """JSON has no NaN: an undefined figure is None."""
    return float(value) if math.isfinite(value) else None


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON atomically; NaN is refused rather than written as invalid JSON."""
    write_whole(path, json.dumps(content, indent=1, allow_nan=False, default=str).encode())


def _natural(part: str) -> tuple[str, float, str]:
    """Sort ``people=10`` after ``people=9``."""
    key, _, value = part.partition("=")
    try:
        return key, float(value), ""
    except ValueError:
        return key, math.inf, value
