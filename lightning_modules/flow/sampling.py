"""From noise to latents: the sampling loop, and its recording form for reinforcement."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from lightning_modules.flow.ode import EulerStepper, Stepper
from lightning_modules.flow.sde import mean_log_prob

VelocityFn = Callable[[Float[Tensor, "b *shape"], int], Float[Tensor, "b *shape"]]
OnStep = Callable[[int, Float[Tensor, "b *shape"]], None]


@dataclass(frozen=True)
class Trajectory:
    """A sampling run with the steps that are to be replayed.

    Attributes:
        final: the latents at sigma 0.
        indices: places of the recorded steps in the schedule, rising.
        before: latents each recorded step started from, as stored.
        after: latents it led to, as stored (the very tensor ``before`` holds where steps follow each other).
        mean_log_probs: of ``after`` given ``before``, fp32.
        means: means of the recorded steps, where they were asked for; else empty.
    """

    final: Float[Tensor, "b *shape"]
    indices: tuple[int, ...]
    before: tuple[Float[Tensor, "b *shape"], ...]
    after: tuple[Float[Tensor, "b *shape"], ...]
    mean_log_probs: Float[Tensor, "b t"]
    means: tuple[Float[Tensor, "b *shape"], ...] = ()

    def __len__(self) -> int:
        return len(self.final)


def sample(
    velocity_fn: VelocityFn,
    noise: Float[Tensor, "b *shape"],
    sigmas: Float[Tensor, " t"],
    stepper: Stepper | None = None,
    generator: Generator | None = None,
    on_step: OnStep | None = None,
) -> Float[Tensor, "b *shape"]:
    """Follow the flow from ``noise`` to clean latents.

    Gradients are kept if the caller keeps them. The latents stay in the dtype of ``noise``.

    Args:
        velocity_fn: (x, index) to the velocity at ``sigmas[index]``.
        noise: standard normal start.
        sigmas: schedule of t + 1 falling levels (``sigma_schedule``).
        stepper: ``EulerStepper()`` if None.
        generator: source of the steps' noise, on any device; torch's global one if None.
        on_step: called with (index, latents after it) as each step is done.
    """
    stepper = stepper or EulerStepper()
    x = noise
    for index in range(_steps(sigmas)):
        fresh = None if isinstance(stepper, EulerStepper) else _normal(x, generator)
        x = stepper.step(x, velocity_fn(x, index), sigmas, index, fresh).sample
        if on_step is not None:
            on_step(index, x)
    return x


def sample_trajectory(
    velocity_fn: VelocityFn,
    noise: Float[Tensor, "b *shape"],
    sigmas: Float[Tensor, " t"],
    stepper: Stepper,
    record: Collection[int],
    generator: Generator | None = None,
    on_step: OnStep | None = None,
    keep_means: bool = False,
) -> Trajectory:
    """Sample with ``stepper`` at the steps of ``record``, which are kept, and the Euler step elsewhere.

    Args:
        velocity_fn: (x, index) to the velocity at ``sigmas[index]``.
        noise: standard normal start; its dtype is the dtype latents are stored and scored in.
        sigmas: schedule of t + 1 falling levels.
        stepper: a random step (``FlowSDE``, ``CPS``).
        record: places of the steps to train, in any order.
        generator: source of the steps' noise, on any device; torch's global one if None.
        on_step: called with (index, latents after it) as each step is done.
        keep_means: also keep the means of the recorded steps (ratio normalisation needs them).

    Raises:
        ValueError: if ``record`` names no step or one outside the schedule, or a step without a density.
    """
    chosen = set(record)
    steps = _steps(sigmas)
    if not chosen or min(chosen) < 0 or max(chosen) >= steps:
        raise ValueError(f"record: {sorted(chosen)} must name steps among 0..{steps - 1}")
    x, euler = noise, EulerStepper()
    before, after, scores, means = [], [], [], []
    for index in range(steps):
        velocity = velocity_fn(x, index)
        if index in chosen:
            result = stepper.step(x, velocity, sigmas, index, _normal(x, generator))
            before.append(x)
            after.append(result.sample)
            means += [result.mean] if keep_means else []
            scores.append(mean_log_prob(result.sample, result.mean, result.std))
        else:
            result = euler.step(x, velocity, sigmas, index)
        x = result.sample
        if on_step is not None:
            on_step(index, x)
    return Trajectory(
        x, tuple(sorted(chosen)), tuple(before), tuple(after), torch.stack(scores, dim=1), tuple(means)
    )


def _steps(sigmas: Float[Tensor, " t"]) -> int:
    if sigmas.ndim != 1 or sigmas.shape[0] < 2:
        raise ValueError(f"sigmas: shape {tuple(sigmas.shape)} is not a schedule of at least one step")
    return sigmas.shape[0] - 1


def _normal(x: Tensor, generator: Generator | None) -> Tensor:
    device = x.device if generator is None else generator.device
    return torch.randn(x.shape, generator=generator, device=device).to(x.device)
