"""What stands in a suite, and what makes one impossible.

A suite says which scenes are drawn, which methods generate them in which settings, who analyses and scores the
images, and which figures are reported; or which ways of doing the same are timed side by side; or which published
benchmark is scored. ``kind`` chooses the job: a name of ``KINDS``, or the class path of any class with the interface of
:class:`benchmarks.jobs.Job`, so a later method adds a file and a YAML, nothing else.

This file is read before anything heavy: it imports OmegaConf and the standard library alone.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from benchmarks.expectation import Expectation, Gain, bound_of

KINDS = {
    "generate": "benchmarks.generation.GenerationJob",
    "score": "benchmarks.scoring.ScoringJob",
    "speed": "benchmarks.speed.job.SpeedJob",
    "multi_human": "benchmarks.published.job.MultiHumanJob",
    "multi_id": "benchmarks.published.job.MultiIDJob",
}


class SuiteError(ValueError):
    """A suite, a key or a value that cannot be used; the message says which, and what would be valid."""


@dataclass
class Component:
    """A class and the arguments it is built with."""

    class_path: str = MISSING
    init_args: dict[str, Any] = field(default_factory=dict)


@dataclass
class ScenePlan:
    """Which scenes are drawn.

    Attributes:
        source: class path called with split, size, counts and seed; answers with a sequence of ``Scene``.
        split: train, val or test.
        size: number of scenes.
        counts: head counts, taken in turn.
        seed: first seed of the scenes; not the sampling seed.
        reference_size: true images, of other scenes, that Fréchet distances are measured against; 0 for none.
    """

    source: str = "benchmarks.scenes.tiny_world"
    split: str = "test"
    size: int = 40
    counts: list[int] = field(default_factory=lambda: [1, 2, 3, 4, 5])
    seed: int = 0
    reference_size: int = 160


@dataclass
class Folder:
    """Which image files are scored.

    Attributes:
        folder: searched in depth for image files.
        prompts: JSONL or CSV with a column ``file`` and any of ``prompt``, ``people``, ``method``.
        max_pixels: larger files are named and left out.
    """

    folder: str | None = None
    prompts: str | None = None
    max_pixels: int = 64_000_000


@dataclass
class Method:
    """One generator and the settings it is run in: every row of ``settings`` with every point of ``grid``.

    A ``ceiling`` is shown for scale and left out when the best value of a figure is marked. ``paper`` holds what the
    method's paper reports, by figure, and is shown beside ours; ``identity/people=2`` is a figure of one part.
    ``expected`` says by figure what it must gain over the method called ``against``, or may lose, ``+0.15``, ``-5%``,
    or where the figure itself must lie, ``>= 0.7``.
    """

    generator: Component = field(default_factory=Component)
    description: str = ""
    settings: list[dict[str, Any]] = field(default_factory=list)
    grid: dict[str, Any] = field(default_factory=dict)
    seeds: list[int] | None = None
    ceiling: bool = False
    paper: dict[str, float] = field(default_factory=dict)
    against: str | None = None
    expected: dict[str, str] = field(default_factory=dict)


@dataclass
class Ratio:
    """One quantity over another, both measured in the same run.

    A quantity is written ``case.cpu`` for the CPU time of a case, ``case.wall`` for its time on the clock, or ``case.``
    and the name of what the case counts.

    Attributes:
        description: what is divided by what.
        over: the numerator.
        under: the denominator.
        expected: bar such as ``>= 1.75``; None states none.
    """

    description: str = ""
    over: str = MISSING
    under: str = MISSING
    expected: str | None = None


@dataclass
class Workload:
    """Ways of doing the same, run in turn, and the ratios between them.

    Attributes:
        cases: a class with the interface of :class:`benchmarks.speed.rounds.Cases`.
        ratios: by name; cases that none of them names are not run.
    """

    cases: Component = field(default_factory=Component)
    ratios: dict[str, Ratio] = field(default_factory=dict)


@dataclass
class Suite:
    """One benchmark from scenes to report.

    Attributes:
        kind: a name of ``KINDS`` or the class path of a job.
        seeds: sampling seeds; every setting is run once per seed, and what is trained is trained once per seed.
        draws: images per scene and seed; from two on, ``diversity`` says how far they are apart.
        metrics: dotted paths of functions from ``Observation`` to named per-image figures.
        gallery: scenes shown in the report.
        bootstrap: resamples behind each interval.
        workloads: what a suite of kind ``speed`` measures.
        repeats: rounds in which the cases of a workload are timed in turn.
        limit: caps the number of scenes or files; None for all.
        options: free keys, for jobs of one's own and for what several parts of a suite share (``${options.size}``).
    """

    name: str = MISSING
    description: str = ""
    kind: str = "generate"
    scenes: ScenePlan = field(default_factory=ScenePlan)
    images: Folder = field(default_factory=Folder)
    methods: dict[str, Method | None] = field(default_factory=dict)
    analyzer: Component | None = None
    scorers: dict[str, Component | None] = field(default_factory=dict)
    metrics: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=lambda: [0])
    draws: int = 1
    batch_size: int = 8
    gallery: int = 6
    bootstrap: int = 1000
    limit: int | None = None
    workloads: dict[str, Workload | None] = field(default_factory=dict)
    repeats: int = 7
    options: dict[str, Any] = field(default_factory=dict)


def nearest(name: str, valid: Iterable[str]) -> str:
    """The end of an error message: the closest valid name, or all of them."""
    valid = list(valid)
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; valid: {', '.join(valid)}" if valid else ""


def check(suite: Suite, file: str) -> None:
    """Refuse a suite that cannot be run.

    Args:
        suite: as read.
        file: named in errors.

    Raises:
        SuiteError: names the key, the value and what to do.
    """
    if suite.kind not in KINDS and "." not in suite.kind:
        raise SuiteError(
            f"{file}: kind {suite.kind!r}{nearest(suite.kind, KINDS)}; or the class path of a job"
        )
    for key, value, least in (
        ("scenes.size", suite.scenes.size, 1),
        ("draws", suite.draws, 1),
        ("batch_size", suite.batch_size, 1),
        ("bootstrap", suite.bootstrap, 0),
        ("repeats", suite.repeats, 1),
        ("limit", 1 if suite.limit is None else suite.limit, 1),
        ("seeds (how many)", len(suite.seeds), 1),
        ("scenes.counts (how many)", len(suite.scenes.counts), 1),
    ):
        if value < least:
            raise SuiteError(f"{file}: {key} must be at least {least}, got {value}")
    if suite.kind == "generate" and not any(suite.methods.values()):
        raise SuiteError(f"{file}: a suite of kind 'generate' needs at least one entry under 'methods'")
    if suite.kind == "speed" and not any(suite.workloads.values()):
        raise SuiteError(f"{file}: a suite of kind 'speed' needs at least one entry under 'workloads'")
    for name, method in suite.methods.items():
        if method is not None:
            _check_expected(method, suite, f"{file}: methods.{name}")
    for name, workload in suite.workloads.items():
        for ratio_name, ratio in workload.ratios.items() if workload else ():
            _check_ratio(ratio, f"{file}: workloads.{name}.ratios.{ratio_name}")


def _check_expected(method: Method, suite: Suite, key: str) -> None:
    for figure, text in method.expected.items():
        try:
            compares = isinstance(bound_of(text), Gain)
        except ValueError as error:
            raise SuiteError(f"{key}.expected.{figure}: {error}") from error
        if compares and method.against not in suite.methods:
            names = nearest(str(method.against), suite.methods)
            raise SuiteError(
                f"{key}.against: {method.against!r} is no method that figures could be held against{names}"
            )


def _check_ratio(ratio: Ratio, key: str) -> None:
    for quantity in (ratio.over, ratio.under):
        if len(quantity.split(".")) != 2:
            raise SuiteError(f"{key}: {quantity!r} is not written case.quantity, such as window.cpu")
    try:
        Expectation.of(ratio.expected)
    except ValueError as error:
        raise SuiteError(f"{key}.{error}") from error
