"""Stops a policy that buys its reward with what the reward does not see, and keeps the best that does not."""

import logging
from typing import Any

import lightning as L
import torch
from torch import Tensor

from callbacks.adapter_checkpoint import full_copies, trained_parameters
from callbacks.adapter_ema import averages_of
from lightning_modules.sharding.zero_init import gathered

logger = logging.getLogger(__name__)


class HoldOutGuard(L.Callback):
    """Early stopping on hold-out rewards; at the end the best honest weights are put back, the start's if need be.

    The figures before training come from Lightning's sanity check, which must run over the whole validation set
    (``num_sanity_val_steps: -1``). A validation is honest if no hold-out lies more than ``tolerance`` below its
    start. Of the honest ones, the weights with the best ``objective`` are kept; after ``patience`` dishonest ones in a
    row, training stops. List it before callbacks that write results. With an
    :class:`~callbacks.adapter_ema.AdapterEMA` it keeps averages.

    Args:
        hold_outs: names of logged figures that must not fall.
        tolerance: share of its start value that a hold-out may lose.
        objective: logged figure to maximise.
        patience: dishonest validations in a row before training stops.

    Raises:
        ValueError: if ``tolerance`` or ``patience`` is out of range, or a figure was not logged.
    """

    def __init__(
        self,
        hold_outs: list[str],
        tolerance: float = 0.05,
        objective: str = "val/total",
        patience: int = 3,
    ) -> None:
        if not 0 <= tolerance < 1:
            raise ValueError(f"tolerance: {tolerance} must lie in [0, 1); 0.05 allows a loss of 5 %")
        if patience < 1:
            raise ValueError(f"patience: {patience} must be at least 1")
        self.hold_outs, self.tolerance = list(hold_outs), tolerance
        self.objective, self.patience = objective, patience
        self.start: dict[str, float] = {}
        self.best: dict[str, Tensor] = {}
        self.best_figures: dict[str, float] = {}
        self.best_value, self.best_epoch, self.dishonest = -torch.inf, -1, 0

    def on_sanity_check_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note where the hold-outs start, from weights that are honest by definition."""
        if not self.start:
            self.start = {name: self._figure(trainer, name) for name in self.hold_outs}
            self._keep(trainer, pl_module)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Refuse to guard against nothing."""
        if not self.start:
            raise ValueError(
                "HoldOutGuard: nothing was validated before training; set num_sanity_val_steps: -1"
            )

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep these weights if they are the best honest ones; stop if honesty does not come back."""
        if trainer.sanity_checking:
            return
        fallen = {
            name: now
            for name, first in self.start.items()
            if (now := self._figure(trainer, name)) < first - self.tolerance * abs(first)
        }
        self.dishonest = self.dishonest + 1 if fallen else 0
        if not fallen and self._figure(trainer, self.objective) > self.best_value:
            self._keep(trainer, pl_module)
            self.best_epoch = trainer.current_epoch
        if self.dishonest >= self.patience:
            logger.warning(
                "stopping: %s lost more than %.0f %% of their start", sorted(fallen), 100 * self.tolerance
            )
            trainer.should_stop = True

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Put the best honest weights back, in the module and in its average."""
        if self.best_epoch < 0:
            logger.warning(
                "no honest validation was better than the start: its weights are put back; lower the learning rate, "
                "validate more often, or reward what fell"
            )
        else:
            logger.info(
                "keeping the weights of epoch %d, %s %.4f", self.best_epoch, self.objective, self.best_value
            )
        with torch.no_grad():
            for name, parameter in trained_parameters(pl_module).items():
                with gathered([parameter], writable=True):
                    parameter.copy_(self.best[name])
            for callback in averages_of(trainer):
                for name, value in self.best.items():
                    callback.average[name].copy_(value)

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs."""
        names = ("start", "best", "best_figures", "best_value", "best_epoch", "dishonest")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        for name, value in state_dict.items():
            setattr(self, name, value)

    def _keep(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """These weights are the best so far."""
        self.best_value = self._figure(trainer, self.objective)
        self.best = full_copies(self._weights(trainer, pl_module))
        self.best_figures = validated(trainer)

    def _weights(self, trainer: L.Trainer, module: L.LightningModule) -> dict[str, Tensor]:
        averages = averages_of(trainer)
        return dict(averages[0].average) if averages else dict(trained_parameters(module))

    @staticmethod
    def _figure(trainer: L.Trainer, name: str) -> float:
        if name not in trainer.callback_metrics:
            raise ValueError(f"{name!r} is not logged; there are {sorted(trainer.callback_metrics)}")
        return float(trainer.callback_metrics[name])


def validated(trainer: L.Trainer) -> dict[str, float]:
    """The figures of the last validation, by name."""
    return {name: float(v) for name, v in trainer.callback_metrics.items() if name.startswith("val/")}


def kept_figures(trainer: L.Trainer) -> dict[str, float]:
    """The figures of the weights a training ends with: those a guard puts back, or the last that were validated."""
    guards = [c for c in trainer.callbacks if isinstance(c, HoldOutGuard) and c.best]  # type: ignore[attr-defined]
    return guards[0].best_figures if guards else validated(trainer)
