"""Plots of a report: figures against settings and numbers of people, quality against speed, and training curves."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from benchmarks.curves import training_curves
from benchmarks.drawing import COLOURS, MAX_LINES, house_style, legend, panels, svg
from benchmarks.figures import figure, ordered
from benchmarks.report import Outcome, Report, Row

_LEVEL: Any = {"linestyle": (0, (4, 3)), "linewidth": 1.2}
Point = tuple[float, Row]


def plots(report: Report) -> list[tuple[str, str]]:
    """All plots that the report has data for, as (caption, ``<svg>`` element)."""
    metrics = [m for m in ordered(report.metrics()) if m not in {"frechet", "seconds", "training_minutes"}]
    families = _families(report.outcomes)
    found = []
    for key in _numeric_keys(report.outcomes):
        wanted = [*metrics, *(m for m in ("frechet", "seconds") if m in report.metrics())]
        lines = {n: part for name, own in families.items() for n, part in _apart(name, own, key).items()}
        found.append(
            (f"Figures against {key}, 95 % intervals over scenes", _lines(lines, wanted, key, _over(key)))
        )
    if any(part.startswith("people=") for part in report.slices()):
        last = {name: members[-1:] for name, members in families.items()}
        caption = "Figures against the number of people asked for"
        if any(len(members) > 1 for members in families.values()):
            caption += ", at each family's last setting"
        found.append((caption, _lines(last, metrics, "people", _by_people)))
    if len(report.outcomes) > 1 and "seconds" in report.metrics():
        found.append(("Quality against speed", _speed(families, metrics)))
    found.append(training_curves(report.outcomes))
    return [(caption, drawn) for caption, drawn in found if drawn]


def _families(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """Configurations that differ in numbers alone form one line."""
    families: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        words = [f"{k}={v}" for k, v in outcome.parameters.items() if not _number(v)]
        families.setdefault(" ".join([outcome.method, *words]), []).append(outcome)
    return families


def _apart(name: str, members: list[Outcome], key: str) -> dict[str, list[Outcome]]:
    """A family cut into lines along which only ``key`` varies."""
    others = [k for k in _numeric_keys(members) if k != key]
    lines: dict[str, list[Outcome]] = {}
    for member in members:
        words = [f"{k}={member.parameters[k]}" for k in others if k in member.parameters]
        lines.setdefault(" ".join([name, *words]), []).append(member)
    return lines


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numeric_keys(outcomes: Sequence[Outcome]) -> list[str]:
    """Settings that are numbers and take more than one value."""
    keys = dict.fromkeys(k for o in outcomes for k, v in o.parameters.items() if _number(v))
    return [k for k in keys if len({o.parameters.get(k) for o in outcomes if k in o.parameters}) > 1]


def _over(key: str) -> Callable[[list[Outcome], str], list[Point]]:
    def points(members: list[Outcome], metric: str) -> list[Point]:
        rows = ((o.parameters[key], o.row(metric)) for o in members if key in o.parameters)
        return sorted(
            ((float(x), row) for x, row in rows if row and row.value is not None), key=lambda p: p[0]
        )

    return points


def _by_people(members: list[Outcome], metric: str) -> list[Point]:
    rows = (
        r
        for o in members
        for r in o.rows
        if r.metric == metric and r.slice.startswith("people=") and r.seed is None
    )
    return sorted(((float(r.slice[7:]), r) for r in rows if r.value is not None), key=lambda p: p[0])


def _lines(
    families: dict[str, list[Outcome]],
    metrics: list[str],
    label: str,
    points: Callable[[list[Outcome], str], list[Point]],
) -> str:
    """Small multiples: one panel per metric, one line per family."""
    shown = [m for m in metrics if any(points(members, m) for members in families.values())]
    if not shown:
        return ""
    with house_style():
        drawing, axes = panels(len(shown), len(families))
        for axis, metric in zip(axes, shown, strict=True):
            for colour, (name, members) in zip(COLOURS, list(families.items())[:MAX_LINES], strict=False):
                _line(axis, points(members, metric), name, colour, _level(members, metric))
            axis.set_title(
                figure(metric).label + {1: " ↑", -1: " ↓", 0: ""}[figure(metric).better], loc="left"
            )
            axis.set_xlabel(label)
        legend(drawing, axes)
        return svg(drawing, f"lines-{label}")


def _level(members: list[Outcome], metric: str) -> float | None:
    """The value of a family of one configuration, drawn as a level where it does not have the x axis's setting."""
    row = members[0].row(metric) if len(members) == 1 else None
    return None if row is None else row.value


def _line(axis: Axes, points: list[Point], name: str, colour: str, level: float | None) -> None:
    if not points:
        if level is None:
            axis.plot([], [], color=colour, label=name)
        else:
            axis.axhline(level, color=colour, label=name, **_LEVEL)
        return
    xs = [x for x, _ in points]
    axis.plot(
        xs,
        _values(row.value for _, row in points),
        color=colour,
        label=name,
        marker="o",
        markersize=3.5,
        linewidth=1.6,
    )
    if all(row.low is not None for _, row in points):
        axis.fill_between(
            xs,
            _values(r.low for _, r in points),
            _values(r.high for _, r in points),
            color=colour,
            alpha=0.13,
            lw=0,
        )
    axis.set_xticks(
        sorted(
            {float(x) for line in axis.lines if line.get_marker() == "o" for x in np.ravel(line.get_xdata())}
        )
    )


def _values(found: Iterable[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in found])


def _speed(families: dict[str, list[Outcome]], metrics: list[str]) -> str:
    """Each configuration a point: seconds per image against a metric."""
    shown = [m for m in ("count_exact", "identity", "oks", "quality") if m in metrics] or metrics[:4]
    with house_style():
        drawing, axes = panels(len(shown), len(families))
        for axis, metric in zip(axes, shown, strict=True):
            for colour, (name, members) in zip(COLOURS, list(families.items())[:MAX_LINES], strict=False):
                level = _level(members, metric)
                if members[0].ceiling and level is not None:
                    axis.axhline(level, color=colour, label=name, **_LEVEL)
                    continue
                pairs = [(o.row("seconds"), o.row(metric)) for o in members]
                kept = [(s.value, m.value) for s, m in pairs if s and m and s.value and m.value is not None]
                axis.plot(
                    [s for s, _ in kept], [m for _, m in kept], "o-", color=colour, label=name, ms=4, lw=0.8
                )
            axis.set_title(figure(metric).label, loc="left")
            axis.set_xlabel("seconds per image")
        legend(drawing, axes)
        return svg(drawing, "speed")
