"""Takes a module from phase to phase: after a number of steps, or when a figure has stopped falling."""

import logging
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import lightning as L

logger = logging.getLogger(__name__)


@runtime_checkable
class Phased(Protocol):
    """What the schedule asks of a module."""

    def set_phase(self, name: str) -> None:
        """Go on in the phase called ``name``."""


@dataclass(frozen=True)
class Plateau:
    """When a figure counts as no longer falling.

    Attributes:
        patience: validations without an improvement.
        min_delta: a fall by less is none.
    """

    patience: int = 3
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        if self.patience < 1:
            raise ValueError(f"patience: {self.patience} must be at least 1")


class PhaseSchedule(L.Callback):
    """Phases in the order given; training ends after the last one.

    A phase lasts its number of optimizer steps, or ends earlier, at a validation, once its watched figure has reached a
    plateau. Set the trainer's ``max_steps`` to -1. The state is saved: a resumed run goes on inside the phase.

    Args:
        steps: phase name to its greatest number of steps; a phase with 0 is left out.
        watch: phase name to the logged figure that ends it early; phases left out go by steps alone.
        plateau: when a watched figure counts as no longer falling.

    Raises:
        ValueError: if no phase has steps, or a figure is watched in a phase that is not there.
    """

    def __init__(
        self, steps: dict[str, int], watch: dict[str, str] | None = None, plateau: Plateau | None = None
    ) -> None:
        self.steps = {name: count for name, count in steps.items() if count}
        if not self.steps or min(self.steps.values()) < 0:
            raise ValueError(f"steps: {steps}; give at least one phase a positive number of steps")
        self.watch, self.plateau = dict(watch or {}), plateau or Plateau()
        unknown = sorted(set(self.watch) - set(steps))
        if unknown:
            raise ValueError(f"watch: there is no phase {unknown[0]!r}; phases are {sorted(steps)}")
        self.place, self.began, self.waited, self.best = 0, 0, 0, float("inf")

    @property
    def phase(self) -> str:
        """The phase that is being trained; the last one once all are over."""
        return list(self.steps)[min(self.place, len(self.steps) - 1)]

    @property
    def over(self) -> bool:
        """Whether all phases are through."""
        return self.place >= len(self.steps)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin, or go on, in the present phase.

        Raises:
            TypeError: if the module knows no phases.
        """
        if not isinstance(pl_module, Phased):
            raise TypeError(f"PhaseSchedule: {type(pl_module).__name__} has no method set_phase")
        pl_module.set_phase(self.phase)
        if self.over:
            trainer.should_stop = True

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        """Go on once the phase has had its steps."""
        if not self.over and trainer.global_step - self.began >= self.steps[self.phase]:
            self._go_on(trainer, pl_module)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Go on once the watched figure has stopped falling.

        Raises:
            ValueError: if the figure is not logged.
        """
        if trainer.sanity_checking or self.over or self.phase not in self.watch:
            return
        name = self.watch[self.phase]
        if name not in trainer.callback_metrics:
            raise ValueError(f"watch: {name!r} is not logged; there are {sorted(trainer.callback_metrics)}")
        value = float(trainer.callback_metrics[name])
        if value < self.best - self.plateau.min_delta:
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= self.plateau.patience:
            self._go_on(trainer, pl_module)

    def _go_on(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        ended = self.phase
        self.place, self.began, self.waited, self.best = self.place + 1, trainer.global_step, 0, float("inf")
        if self.over:
            logger.info("step %d: phase %r was the last", trainer.global_step, ended)
            trainer.should_stop = True
            return
        logger.info("step %d: phase %r ends, %r begins", trainer.global_step, ended, self.phase)
        cast(Phased, pl_module).set_phase(self.phase)

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule stands, by the phase's name: a resumed run may have other lengths."""
        phase = None if self.over else self.phase
        return {"phase": phase, "began": self.began, "waited": self.waited, "best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint.

        Raises:
            ValueError: if it is from a phase that has no steps here.
        """
        phase, names = state_dict["phase"], list(self.steps)
        if phase is not None and phase not in names:
            raise ValueError(f"steps: the checkpoint is in phase {phase!r}; give it steps, beside {names}")
        self.place = len(names) if phase is None else names.index(phase)
        self.began, self.waited, self.best = (state_dict[name] for name in ("began", "waited", "best"))
