"""From a method's settings and grid to the list of configurations to run, in a fixed order."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.suite import Component, Method, Suite, SuiteError


@dataclass(frozen=True)
class Configuration:
    """One method in one setting, with the sampling seeds it is run for.

    Attributes:
        method: name of the method in the suite.
        generator: what is built.
        setting: keyword arguments of ``generate`` beside the seed.
        seeds: sampling seeds.
        ceiling: shown for scale, not a competitor.
        paper: what the method's paper reports, by figure.
        against: method that ``expected`` compares with.
        expected: by figure, what must be gained over it or may be lost.
    """

    method: str
    generator: Component
    setting: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    ceiling: bool = False
    paper: dict[str, float] = field(default_factory=dict)
    against: str | None = None
    expected: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The setting as one line: ``context=canvas steps=10``; empty for a method without settings."""
        return setting_label(self.setting)

    @property
    def title(self) -> str:
        """Method and setting."""
        return f"{self.method} · {self.label}" if self.label else self.method


def setting_label(setting: Mapping[str, Any]) -> str:
    """A setting as ``key=value`` words in the order it was written."""
    return " ".join(f"{key}={value}" for key, value in setting.items())


def expand(settings: Sequence[Mapping[str, Any]], grid: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every row of ``settings`` combined with every point of ``grid``; the last grid key varies fastest.

    Raises:
        SuiteError: a grid value that is not a non-empty list, a key in both, or the same setting twice.
    """
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise SuiteError(f"grid.{key}: a non-empty list of values, got {values!r}")
        if any(key in row for row in settings):
            raise SuiteError(f"grid.{key}: also set in a row of 'settings'; keep it in one of the two")
    points = [dict(zip(grid, combo, strict=True)) for combo in itertools.product(*grid.values())]
    rows = [{**row, **point} for row in (settings or [{}]) for point in points]
    for index, row in enumerate(rows):
        if row in rows[:index]:
            raise SuiteError(f"the setting '{setting_label(row)}' occurs twice")
    return rows


def configurations(suite: Suite) -> list[Configuration]:
    """All that a suite runs, method by method in the order written; methods set to null are left out."""
    found = []
    for name, method in suite.methods.items():
        if method is not None:
            found += _of_method(name, method, suite)
    return found


def _of_method(name: str, method: Method, suite: Suite) -> list[Configuration]:
    try:
        rows = expand(method.settings, method.grid)
    except SuiteError as error:
        raise SuiteError(f"methods.{name}: {error}") from error
    seeds = tuple(suite.seeds if method.seeds is None else method.seeds)
    shared = (seeds, method.ceiling, dict(method.paper), method.against, dict(method.expected))
    return [Configuration(name, method.generator, row, *shared) for row in rows]
