"""Plots of a report as inline SVG that takes its ink from the page, so it reads on light and dark alike."""

import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from benchmarks.figures import figure, ordered
from benchmarks.report import Outcome, Report, Row

_INK = "#010203"  # stands for the page's text colour; replaced after rendering
COLOURS = (
    "#2f7ed8",
    "#e07b00",
    "#2a9d6e",
    "#c2407f",
    "#7b61d1",
    "#b8860b",
    "#1aa3b8",
    "#d1495b",
    "#6b7280",
    "#5c9e31",
)
_MAX_LINES = len(COLOURS)
LEGEND_COLUMNS = 3
_STYLE: Any = {  # matplotlib types the keys of this dictionary one by one
    "font.family": "sans-serif",
    "font.size": 9,
    "svg.fonttype": "none",
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.15,
    "grid.color": _INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
}
_LEVEL: Any = {"linestyle": (0, (4, 3)), "linewidth": 1.2}
Point = tuple[float, Row]


def plots(report: Report) -> list[tuple[str, str]]:
    """All plots that the report has data for, as (caption, ``<svg>`` element)."""
    metrics = [m for m in ordered(report.metrics()) if m not in {"frechet", "seconds"}]
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
    return [(caption, svg) for caption, svg in found if svg]


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
    panels = [m for m in metrics if any(points(members, m) for members in families.values())]
    if not panels:
        return ""
    with mpl.rc_context(_STYLE):
        drawing, axes = _panels(len(panels), len(families))
        for axis, metric in zip(axes, panels, strict=True):
            for colour, (name, members) in zip(COLOURS, list(families.items())[:_MAX_LINES], strict=False):
                _line(axis, points(members, metric), name, colour, _level(members, metric))
            axis.set_title(
                figure(metric).label + {1: " ↑", -1: " ↓", 0: ""}[figure(metric).better], loc="left"
            )
            axis.set_xlabel(label)
        _legend(drawing, axes)
        return _svg(drawing, f"lines-{label}")


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
    panels = [m for m in ("count_exact", "identity", "oks", "quality") if m in metrics] or metrics[:4]
    with mpl.rc_context(_STYLE):
        drawing, axes = _panels(len(panels), len(families))
        for axis, metric in zip(axes, panels, strict=True):
            for colour, (name, members) in zip(COLOURS, list(families.items())[:_MAX_LINES], strict=False):
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
        _legend(drawing, axes)
        return _svg(drawing, "speed")


def _panels(count: int, entries: int) -> tuple[Figure, list[Axes]]:
    """Axes for ``count`` panels, with room below them for a legend of so many entries."""
    columns = min(count, 3)
    rows = -(-count // columns)
    legend = 0.2 * -(-min(entries, _MAX_LINES) // LEGEND_COLUMNS)
    width, height = 3.5 * columns, 2.4 * rows + legend + 0.05
    drawing = Figure(figsize=(width, height))
    # margins in inches by hand: matplotlib's own layout engines take most of the time a plot takes
    drawing.subplots_adjust(
        left=0.5 / width,
        right=1 - 0.1 / width,
        bottom=(0.55 + legend) / height,
        top=1 - 0.3 / height,
        wspace=0.24,
        hspace=0.55,
    )
    grid = drawing.subplots(rows, columns, squeeze=False).flatten().tolist()
    for unused in grid[count:]:
        unused.set_visible(False)
    return drawing, grid[:count]


def _legend(drawing: Figure, axes: list[Axes]) -> None:
    handles, labels = axes[0].get_legend_handles_labels()
    if len(labels) > 1:
        drawing.legend(handles, labels, loc="lower center", ncols=min(LEGEND_COLUMNS, len(labels)))


def _svg(drawing: Figure, salt: str) -> str:
    """The figure as an ``<svg>`` element: no XML header, no metadata, ids unlike any other figure's."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": salt}):
        FigureCanvasSVG(drawing).print_svg(
            buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    text = buffer.getvalue().decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # ids such as "axes_1" repeat from figure to figure; one page holds several
    text = re.sub(r'id="([A-Za-z][\w.]*_\d+)"', rf'id="{salt}-\1"', text)
    return text.replace(_INK, "currentColor")
