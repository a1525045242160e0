"""Which steps of a sampling run are drawn at random and trained; the others follow the flow."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator


class StepChoice(ABC):
    """Chooses steps of a schedule, anew for every epoch."""

    @abstractmethod
    def choose(self, steps: int, epoch: int, generator: Generator) -> tuple[int, ...]:
        """Places of the trained steps among ``0 .. steps - 1``, rising; the last step is never among them.

        Raises:
            ValueError: if the schedule is too short.
        """


@dataclass(frozen=True)
class AllSteps(StepChoice):
    """Every step but the last, whose Gaussian is too sharp to be trained (Flow-GRPO)."""

    def choose(self, steps: int, epoch: int, generator: Generator) -> tuple[int, ...]:
        """0 ... steps - 2."""
        if steps < 2:
            raise ValueError(f"steps: {steps}; the last step is not trained, so at least 2 are needed")
        return tuple(range(steps - 1))


@dataclass(frozen=True)
class StepWindow(StepChoice):
    """A few neighbouring steps in the noisy part of the schedule (Flow-GRPO-Fast, MixGRPO).

    Attributes:
        size: trained steps per epoch.
        share: the window lies within this first share of the schedule.
        strategy: ``random`` place each epoch, ``progressive`` from noise to image, one place per ``stay`` epochs, or
            ``fixed`` at the beginning.
        stay: epochs that a progressive window stays.
    """

    size: int = 2
    share: float = 0.5
    strategy: Literal["random", "progressive", "fixed"] = "random"
    stay: int = 25

    def __post_init__(self) -> None:
        if self.size < 1 or self.stay < 1 or not 0 < self.share <= 1:
            raise ValueError(
                f"StepWindow: size {self.size} and stay {self.stay} must be positive, share {self.share} in (0, 1]"
            )
        if self.strategy not in ("random", "progressive", "fixed"):
            raise ValueError(f"strategy: {self.strategy!r}; choose random, progressive or fixed")

    def choose(self, steps: int, epoch: int, generator: Generator) -> tuple[int, ...]:
        """``size`` neighbouring places."""
        last = min(
            steps - 1, max(self.size, round(self.share * steps))
        )  # first place behind the allowed part
        places = last - self.size + 1
        if places < 1:
            raise ValueError(
                f"size: {self.size} trained steps do not fit into a schedule of {steps}; shorten the window"
            )
        start = 0
        if self.strategy == "random":
            start = int(torch.randint(places, (1,), generator=generator))
        elif self.strategy == "progressive":
            start = min(epoch // self.stay, places - 1)
        return tuple(range(start, start + self.size))
