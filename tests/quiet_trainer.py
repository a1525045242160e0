"""A trainer for tests."""

from typing import Any

import lightning as L


def quiet_trainer(**options: Any) -> L.Trainer:
    """A trainer on the CPU that prints, logs and keeps nothing; ``options`` are its own and come first."""
    quiet = ("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing")
    return L.Trainer(**{"accelerator": "cpu", **dict.fromkeys(quiet, False), **options})
