"""What a training leaves in its folder: figures epoch by epoch from Lightning's CSV log, and the time it took."""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

Curve = list[tuple[int, float]]
"""Epochs done and the figure then, in this order."""

SECONDS_FILE = "seconds.txt"
REWARD = "reward/total/mean"


@dataclass(frozen=True)
class Training:
    """One training.

    Attributes:
        seconds: wall time; None where nobody took it.
        curves: figures by name. Those of validation (``val/...``) are of the model after so many epochs, 0 being the
            start; the others are of the images that were drawn then and learned from next.
    """

    seconds: float | None = None
    curves: dict[str, Curve] = field(default_factory=dict)


def read_training(run: Path) -> Training:
    """What is known of the training in a folder; also while it runs."""
    noted = run / SECONDS_FILE
    return Training(float(noted.read_text()) if noted.is_file() else None, read_curves(run))


def read_curves(run: Path) -> dict[str, Curve]:
    """Rewards and health from the youngest ``metrics.csv`` below a folder; empty without one."""
    logs = sorted(run.rglob("metrics.csv"), key=lambda path: path.stat().st_mtime)
    if not logs:
        return {}
    found: dict[str, dict[int, float]] = defaultdict(dict)
    text = logs[-1].read_text()
    whole = text[: text.rfind("\n") + 1]  # a line may be half written
    for row in csv.DictReader(io.StringIO(whole)):
        for name, value in row.items():
            if row["epoch"] and value and _is_watched(name):
                found[name][int(float(row["epoch"])) + name.startswith("val/")] = float(value)
    return {name: sorted(points.items()) for name, points in found.items()}


def last_words(curves: dict[str, Curve], epochs: int) -> str:
    """How far a training is, in one line."""
    if not curves.get(REWARD):
        return "starting"
    epoch, reward = curves[REWARD][-1]
    judged = curves.get("val/total")
    validated = f", validated {judged[-1][1]:.3f}" if judged else ""
    return f"epoch {epoch + 1} of {epochs}, reward {reward:.3f}{validated}"


def _is_watched(name: str) -> bool:
    """Levels and health; spreads and correlations of single rewards stay in the log."""
    return name.startswith(("val/", "policy/")) or name == REWARD
