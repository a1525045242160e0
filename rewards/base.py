"""A reward: one number per image, and as a torchmetrics ``Metric`` its mean over everything it has seen."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torchmetrics import Metric

from rewards.observation import Observation


class RewardUnavailable(RuntimeError):  # noqa: N818 - not the caller's mistake: the reward could not be had this time
    """A reward could not be computed for a batch: a server does not answer, a judge says nothing usable."""


class Reward(Metric, ABC):
    """Scores images; as a metric, the mean of all scores that are defined, synchronised over processes.

    A score is NaN where the reward does not apply to an image (frontality where the prompt does not ask for it).

    Attributes:
        needs_targets: it compares with the faces of the scene's true image.

    Args:
        scale: multiplies the raw score where it enters a sum of rewards; scores of public models have very different
            ranges (HPSv3 far above 1), so weights mean nothing without it.
        shift: added after scaling.
    """

    full_state_update = False
    higher_is_better: bool = True
    is_differentiable = False
    needs_targets: bool = False
    total: Tensor
    scored: Tensor

    def __init__(self, scale: float = 1.0, shift: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.shift = scale, shift
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("scored", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    @abstractmethod
    def score(self, seen: Observation) -> Float[Tensor, " b"]:
        """The raw score of each image, on the CPU; NaN where the reward does not apply.

        Raises:
            ValueError: if the observation lacks what the reward looks at.
            RewardUnavailable: if the score cannot be had now.
        """

    def scaled(self, raw: Float[Tensor, "*s"]) -> Float[Tensor, "*s"]:
        """``scale * raw + shift``: what is weighted and summed."""
        return self.scale * raw + self.shift

    def update(self, seen: Observation) -> None:
        """Score a batch and keep its sum."""
        self.accumulate(self.score(seen))

    def accumulate(self, scores: Float[Tensor, " b"]) -> None:
        """Keep scores that have been computed already; update's other half."""
        known = scores.isfinite()
        self.total += scores[known].sum().to(self.total)
        self.scored += known.sum().to(self.scored)
        self._update_count += 1  # as Metric.update does: compute would warn without it
        self._computed = None

    def compute(self) -> Float[Tensor, ""]:
        """The mean raw score; NaN if nothing has been scored."""
        return (self.total / self.scored).float()
