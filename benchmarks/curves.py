"""Training curves: what a policy gained epoch by epoch, and what it paid for it."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from benchmarks.drawing import COLOURS, MAX_LINES, house_style, legend, panels, svg
from benchmarks.report import Outcome
from benchmarks.training_log import REWARD, Training

CAPTION = (
    "Training curves: mean over the seeds that came so far, with a band from the lowest to the highest. Validated "
    "figures are those of scenes that are not trained on, before training at 0; the reward is that of the images "
    "learned from."
)
HEALTH = {"policy/divergence": "Distance from the start", "policy/diversity": "Spread within groups"}
LOSSES = {
    "train/ce": "Cross-entropy, training",
    "train/giou": "1 − gIoU, training",
    "train/l1": "L1 distance, training",
}


def training_curves(outcomes: Sequence[Outcome]) -> tuple[str, str]:
    """Caption and ``<svg>`` element of all methods that were trained; an empty element where none was."""
    # colours by place among all, so that a method has one colour on the whole page
    lines = [
        (colour, outcome)
        for colour, outcome in zip(COLOURS, outcomes[:MAX_LINES], strict=False)
        if any(training.curves for training in outcome.trainings.values())
    ]
    shown = _shown([training for _, outcome in lines for training in outcome.trainings.values()])
    if not shown:
        return CAPTION, ""
    with house_style():
        drawing, axes = panels(len(shown), len(lines))
        for axis, (name, title) in zip(axes, shown.items(), strict=True):
            for colour, outcome in lines:
                _line(axis, outcome.trainings, name, outcome.title, colour)
            axis.set_title(title, loc="left")
            axis.set_xlabel(next(t.unit for _, o in lines for t in o.trainings.values()))
        legend(drawing, axes)
        return CAPTION, svg(drawing, "training")


def _shown(trainings: Sequence[Training]) -> dict[str, str]:
    """Figures that any training has, with titles: validation, its total first, then reward and health."""
    names = dict.fromkeys(name for training in trainings for name in training.curves)
    judged = sorted((n for n in names if n.startswith("val/")), key=lambda name: name != "val/total")
    titles = {name: f"{name[4:].replace('_', '–').capitalize()}, validated" for name in judged}
    return titles | {n: t for n, t in {REWARD: "Reward", **HEALTH, **LOSSES}.items() if n in names}


def _line(axis: Axes, trainings: Mapping[int, Training], name: str, method: str, colour: str) -> None:
    """Mean and range over the seeds that came as far as an epoch."""
    points: dict[int, list[float]] = {}
    for training in trainings.values():
        for epoch, value in training.curves.get(name, ()):
            points.setdefault(epoch, []).append(value)
    epochs = np.array(sorted(points))
    values = [points[epoch] for epoch in epochs]
    axis.plot(epochs, np.array([np.mean(v) for v in values]), color=colour, label=method, linewidth=1.4)
    low, high = (np.array([end(v) for v in values]) for end in (min, max))
    axis.fill_between(epochs, low, high, color=colour, alpha=0.15, lw=0)
