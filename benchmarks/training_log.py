"""What a training leaves in its folder: figures epoch by epoch, or step by step, from Lightning's CSV log; its time."""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Curve = list[tuple[int, float]]
"""Epochs or steps done and the figure then, in this order."""
Unit = Literal["epochs", "steps"]

SECONDS_FILE = "seconds.txt"
REWARD = "reward/total/mean"
LOSS = "train/loss"


@dataclass(frozen=True)
class Training:
    """One training.

    Attributes:
        seconds: wall time; None where nobody took it.
        curves: figures by name. Those of validation (``val/...``) are of the model after so many epochs, 0 being the
            start; the others are of the images that were drawn then and learned from next.
        unit: what curves are drawn over.
    """

    seconds: float | None = None
    curves: dict[str, Curve] = field(default_factory=dict)
    unit: Unit = "epochs"


def read_training(run: Path, unit: Unit = "epochs") -> Training:
    """What is known of the training in a folder; also while it runs."""
    noted = run / SECONDS_FILE
    seconds = float(noted.read_text()) if noted.is_file() else None
    return Training(seconds, read_curves(run, unit), unit)


def read_curves(run: Path, unit: Unit = "epochs") -> dict[str, Curve]:
    """Rewards, losses and health from the youngest ``metrics.csv`` below a folder; empty without one."""
    logs = sorted(run.rglob("metrics.csv"), key=lambda path: path.stat().st_mtime)
    if not logs:
        return {}
    found: dict[str, dict[int, float]] = defaultdict(dict)
    text = logs[-1].read_text()
    whole = text[: text.rfind("\n") + 1]  # a line may be half written
    for row in csv.DictReader(io.StringIO(whole)):
        for name, value in row.items():
            if row["epoch"] and value and _is_watched(name):
                epochs = int(float(row["epoch"])) + name.startswith("val/")
                found[name][epochs if unit == "epochs" else int(row["step"]) + 1] = float(value)
    return {name: sorted(points.items()) for name, points in found.items()}


def last_words(run: Path, trainer: dict[str, Any]) -> str:
    """How far a training is, in one line.

    Args:
        run: its folder.
        trainer: the trainer's configuration.
    """
    curves, epochs = read_curves(run), trainer["max_epochs"]
    if not curves.get(REWARD):
        losses = read_curves(run, "steps").get(LOSS)
        return (
            f"step {losses[-1][0]} of {trainer['max_steps']}, loss {losses[-1][1]:.3f}"
            if losses
            else "starting"
        )
    epoch, reward = curves[REWARD][-1]
    judged = curves.get("val/total")
    validated = f", validated {judged[-1][1]:.3f}" if judged else ""
    return f"epoch {epoch + 1} of {epochs}, reward {reward:.3f}{validated}"


def _is_watched(name: str) -> bool:
    """Levels and health; spreads and correlations of single rewards stay in the log."""
    return name.startswith(("val/", "policy/", "train/")) or name == REWARD
