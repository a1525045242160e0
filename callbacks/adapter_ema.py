"""An exponential moving average of the trained parameters: what is validated and shipped.

Lightning's own weight averaging copies the whole module, frozen base included; here only what is trained is copied.
"""

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Protocol, runtime_checkable

import lightning as L
import torch
from torch import Tensor

from callbacks.adapter_checkpoint import full_copies, trained_parameters
from lightning_modules.sharding.zero_init import gathered

logger = logging.getLogger(__name__)


@runtime_checkable
class Resting(Protocol):
    """A module that trains some of its parameters at a time."""

    def rested(self, parameter: str) -> bool:
        """Whether the last optimizer step left a parameter, by its name, as it was."""


class AdapterEMA(L.Callback):
    """Averages trained parameters after every optimizer step, and puts the average in place for validation.

    A parameter that a step leaves alone keeps its average: the mean over the last steps that moved it.

    The decay grows from 0.1 as (1 + n) / (10 + n) with the number n of updates, up to ``decay``. Updates, swaps and
    checkpoints are collective under ZeRO-3, where every rank holds the average in full.

    Args:
        decay: share of the old average that an update keeps; the half-life is log 0.5 / log decay updates.
        every: ``step`` updates after every optimizer step; ``batch`` once per training batch, which in group-relative
            policy optimisation is an epoch of several steps, or of none where all rewards agree.

    Raises:
        ValueError: if ``decay`` is not in [0, 1).
    """

    def __init__(self, decay: float = 0.9, every: Literal["step", "batch"] = "step") -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay: {decay} must lie in [0, 1); 0.9 has a half-life of 6.6 updates")
        self.decay, self.every = decay, every
        self.updates = 0
        self._steps = 0
        self.average: dict[str, Tensor] = {}
        self._aside: dict[str, Tensor] = {}

    def half_life(self) -> float:
        """Updates after which a change has gone half way into the average."""
        return math.log(0.5) / math.log(self.decay) if self.decay else 0.0

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start at the present parameters, unless a checkpoint brings an average."""
        if not self.average:
            self.average = full_copies(trained_parameters(pl_module))
        if trainer.is_global_zero:
            unit = {"step": "optimizer steps", "batch": "training batches"}[self.every]
            logger.info("the average of what is trained has a half-life of %.1f %s", self.half_life(), unit)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count from here; a checkpoint has set the trainer's count by now."""
        self._steps = trainer.global_step

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        """Take in the step before this one, where a batch has several."""
        if self.every == "step":
            self._take_in(trainer, pl_module)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        """Take in the batch, or its last step."""
        if self.every == "batch":
            self._move(pl_module)
        else:
            self._take_in(trainer, pl_module)

    def _take_in(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        # Lightning has no hook behind a step; its count tells a step from a batch that only accumulates.
        if trainer.global_step > self._steps:
            self._steps = trainer.global_step
            self._move(pl_module)

    def _move(self, pl_module: L.LightningModule) -> None:
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        resting = pl_module if isinstance(pl_module, Resting) else None
        with torch.no_grad():
            for name, parameter in trained_parameters(pl_module).items():
                if resting is not None and resting.rested(name):
                    continue
                with gathered([parameter]):
                    self.average[name].lerp_(parameter.detach().to(self.average[name]), 1 - decay)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Validate the average: that of the training, or of the checkpoint that ``validate`` was given."""
        if self.average:
            self._aside = _exchange(pl_module, self.average)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Go on with what is trained."""
        if self._aside:
            _exchange(pl_module, self._aside)
            self._aside = {}

    def on_predict_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Predict with the average of the checkpoint that ``predict`` was given."""
        self.on_validation_start(trainer, pl_module)

    def on_predict_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the module as the checkpoint has it."""
        self.on_validation_end(trainer, pl_module)

    @contextmanager
    def in_place(self, pl_module: L.LightningModule) -> Iterator[None]:
        """The average in the place of the trained parameters, for as long as the context lasts."""
        aside = _exchange(pl_module, self.average)
        try:
            yield
        finally:
            _exchange(pl_module, aside)

    def state_dict(self) -> dict[str, Any]:
        """The average and how often it moved."""
        return {"updates": self.updates, "average": self.average}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.updates = int(state_dict["updates"])
        self.average = {name: value.clone() for name, value in state_dict["average"].items()}


def averages_of(trainer: L.Trainer) -> list[AdapterEMA]:
    """The averages that a trainer keeps."""
    return [c for c in trainer.callbacks if isinstance(c, AdapterEMA)]  # type: ignore[attr-defined]


@torch.no_grad()
def _exchange(module: L.LightningModule, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Put ``values`` into the module; returns copies of what was there."""
    aside = {}
    for name, parameter in trained_parameters(module).items():
        with gathered([parameter], writable=True):
            aside[name] = parameter.detach().clone()  # a view would follow the parameter and restore nothing
            parameter.copy_(values[name])
    return aside
