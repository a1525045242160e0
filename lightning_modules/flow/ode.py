"""One deterministic step along the flow, and the result every kind of step returns."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from lightning_modules.flow.path import widen

StepIndex = int | Int[Tensor, " b"]


class StepResult(NamedTuple):
    """Where a step leads.

    Attributes:
        sample: the next latents, in the dtype of the latents they came from (what is stored).
        mean: their mean given the current latents, fp32 at least.
        std: their standard deviation, one number or one per sample, shaped to multiply whole samples; 0 where
            the step is deterministic.
    """

    sample: Float[Tensor, "b *shape"]
    mean: Float[Tensor, "b *shape"]
    std: Float[Tensor, "..."]


class Stepper(ABC):
    """A rule that takes the latents from one sigma of a schedule to the next."""

    @abstractmethod
    def step(
        self,
        x: Float[Tensor, "b *shape"],
        velocity: Float[Tensor, "b *shape"],
        sigmas: Float[Tensor, " t"],
        index: StepIndex,
        noise: Float[Tensor, "b *shape"] | None = None,
    ) -> StepResult:
        """Step from ``sigmas[index]`` to ``sigmas[index + 1]``; ``noise`` is standard normal."""


def sigma_pair(
    sigmas: Float[Tensor, " t"], index: StepIndex, like: Float[Tensor, "b *shape"]
) -> tuple[Tensor, Tensor]:
    """``sigmas[index]`` and ``sigmas[index + 1]``, shaped to multiply whole samples of ``like``.

    The noise level is always named by its place in the schedule: looking it up from a timestep that has been
    rounded on the way is a known source of ratios that are not 1.

    Raises:
        ValueError: if the schedule has no step at ``index``.
    """
    last = sigmas.shape[0] - 2
    low, high = (index, index) if isinstance(index, int) else (int(index.min()), int(index.max()))
    if low < 0 or high > last:
        raise ValueError(f"index: {low}..{high} is outside the steps 0..{last} of this schedule")
    grid = widen(sigmas).to(like.device)
    shape = () if isinstance(index, int) else (-1, *[1] * (like.ndim - 1))
    return grid[index].view(shape), grid[index + 1].view(shape)


def euler_step(
    x: Float[Tensor, "b *shape"],
    velocity: Float[Tensor, "b *shape"],
    sigmas: Float[Tensor, " t"],
    index: StepIndex,
) -> Float[Tensor, "b *shape"]:
    """``x + (sigma' - sigma) velocity``, in fp32 at least, returned in the dtype of ``x``.

    Args:
        x: latents at ``sigmas[index]``.
        velocity: predicted there.
        sigmas: a falling schedule.
        index: the step, one for all samples or one per sample.
    """
    sigma, after = sigma_pair(sigmas, index, x)
    return (widen(x) + (after - sigma) * widen(velocity)).to(x.dtype)


@dataclass(frozen=True)
class EulerStepper(Stepper):
    """The Euler step behind the interface all steps share."""

    def step(
        self,
        x: Float[Tensor, "b *shape"],
        velocity: Float[Tensor, "b *shape"],
        sigmas: Float[Tensor, " t"],
        index: StepIndex,
        noise: Float[Tensor, "b *shape"] | None = None,
    ) -> StepResult:
        """``euler_step`` with standard deviation 0; ``noise`` is not used."""
        after = euler_step(widen(x), velocity, sigmas, index)
        return StepResult(after.to(x.dtype), after, after.new_zeros(()))
