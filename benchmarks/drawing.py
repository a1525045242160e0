"""Small multiples as inline SVG that takes its ink from the page, so it reads on light and dark alike."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

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
MAX_LINES = len(COLOURS)
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


@contextmanager
def house_style() -> Iterator[None]:
    """Everything drawn inside looks as plots of a report look."""
    with mpl.rc_context(_STYLE):
        yield


def panels(count: int, entries: int) -> tuple[Figure, list[Axes]]:
    """Axes for ``count`` panels, with room below them for a legend of so many entries."""
    columns = min(count, 3)
    rows = -(-count // columns)
    below = 0.2 * -(-min(entries, MAX_LINES) // LEGEND_COLUMNS)
    width, height = 3.5 * columns, 2.4 * rows + below + 0.05
    drawing = Figure(figsize=(width, height))
    # margins in inches by hand: matplotlib's own layout engines take most of the time a plot takes
    drawing.subplots_adjust(
        left=0.5 / width,
        right=1 - 0.1 / width,
        bottom=(0.55 + below) / height,
        top=1 - 0.3 / height,
        wspace=0.24,
        hspace=0.55,
    )
    grid = drawing.subplots(rows, columns, squeeze=False).flatten().tolist()
    for unused in grid[count:]:
        unused.set_visible(False)
    return drawing, grid[:count]


def legend(drawing: Figure, axes: list[Axes]) -> None:
    """Below the panels; none where there is one line."""
    handles, labels = axes[0].get_legend_handles_labels()
    if len(labels) > 1:
        drawing.legend(handles, labels, loc="lower center", ncols=min(LEGEND_COLUMNS, len(labels)))


def svg(drawing: Figure, salt: str) -> str:
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
