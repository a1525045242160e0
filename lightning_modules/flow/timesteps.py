"""Which noise levels are visited: the sampler's schedule and the trainer's draws.

Schedules are those of diffusers' FLUX pipelines: N sigmas evenly spaced from 1 to 1/N, shifted towards noise
(by a factor fixed per model, or growing with resolution), then a final 0.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

BASE_TOKENS, MAX_TOKENS, BASE_MU, MAX_MU = 256, 4096, 0.5, 1.15


def resolution_mu(noise_tokens: int) -> float:
    """Log of the shift for an image of ``noise_tokens`` latent tokens: linear, 256 -> 0.5, 4096 -> 1.15.

    Condition tokens are not counted: they would shift the schedule of an image of the same size.
    """
    if noise_tokens < 1:
        raise ValueError(f"noise_tokens: {noise_tokens} must be at least 1")
    slope = (MAX_MU - BASE_MU) / (MAX_TOKENS - BASE_TOKENS)
    return noise_tokens * slope + (BASE_MU - slope * BASE_TOKENS)


def dynamic_shift(sigma: Float[Tensor, "*shape"], mu: float) -> Float[Tensor, "*shape"]:
    """``e^mu / (e^mu + 1/sigma - 1)``; 0 and 1 stay where they are."""
    return math.exp(mu) / (math.exp(mu) + (1 / sigma - 1))


def static_shift(sigma: Float[Tensor, "*shape"], shift: float) -> Float[Tensor, "*shape"]:
    """``shift sigma / (1 + (shift - 1) sigma)``: the dynamic shift with mu = ln(shift)."""
    if shift <= 0:
        raise ValueError(f"shift: {shift} must be positive (1 leaves the schedule as it is)")
    return shift * sigma / (1 + (shift - 1) * sigma)


class SigmaShift(ABC):
    """How a schedule leans towards noise."""

    @abstractmethod
    def apply(self, sigma: Float[Tensor, " t"], noise_tokens: int) -> Float[Tensor, " t"]:
        """The shifted sigmas for images of ``noise_tokens`` latent tokens."""


@dataclass(frozen=True)
class ResolutionShift(SigmaShift):
    """FLUX-dev and Kontext: the more noise tokens, the longer at high noise."""

    def apply(self, sigma: Float[Tensor, " t"], noise_tokens: int) -> Float[Tensor, " t"]:
        """``dynamic_shift`` with ``resolution_mu``."""
        return dynamic_shift(sigma, resolution_mu(noise_tokens))


@dataclass(frozen=True)
class StaticShift(SigmaShift):
    """The same shift at every resolution; ``shift = 1`` (FLUX-schnell) is none.

    Attributes:
        shift: positive factor; 3 is Stable Diffusion 3's.
    """

    shift: float = 1.0

    def apply(self, sigma: Float[Tensor, " t"], noise_tokens: int) -> Float[Tensor, " t"]:
        """``static_shift``, whatever the resolution."""
        return static_shift(sigma, self.shift)


def sigma_schedule(steps: int, noise_tokens: int, shift: SigmaShift | None = None) -> Float[Tensor, " t"]:
    """The ``steps + 1`` sigmas of a sampling run, from 1 down to 0, in fp32.

    Args:
        steps: number of network calls, at least 1.
        noise_tokens: latent tokens of one image (without conditions).
        shift: ``ResolutionShift()`` if None.
    """
    if steps < 1:
        raise ValueError(f"steps: {steps} must be at least 1")
    even = torch.linspace(1.0, 1 / steps, steps, dtype=torch.float64).float()
    shifted = (shift or ResolutionShift()).apply(even, noise_tokens)
    return torch.cat([shifted, shifted.new_zeros(1)])


class SigmaSampler(ABC):
    """Which noise levels a training step draws."""

    @abstractmethod
    def draw(self, count: int, generator: Generator | None = None) -> Float[Tensor, " b"]:
        """``count`` sigmas in (0, 1], in fp32, on the generator's device (CPU without one)."""


@dataclass(frozen=True)
class UniformSigmas(SigmaSampler):
    """Every noise level alike (EasyControl)."""

    def draw(self, count: int, generator: Generator | None = None) -> Float[Tensor, " b"]:
        """1 - U[0, 1): never exactly 0, where there is nothing to denoise."""
        return 1 - torch.rand(count, generator=generator, device=_device(generator))


@dataclass(frozen=True)
class LogitNormalSigmas(SigmaSampler):
    """``sigmoid(N(mean, std))``: mostly middle noise levels (Stable Diffusion 3, OminiControl).

    Attributes:
        mean: of the logit; a positive one equals a dynamic shift by mu = mean of the centred draw.
        std: of the logit.
    """

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        if self.std <= 0:
            raise ValueError(f"std: {self.std} must be positive")

    def draw(self, count: int, generator: Generator | None = None) -> Float[Tensor, " b"]:
        """The sigmoid of ``count`` normal draws."""
        logit = self.mean + self.std * torch.randn(count, generator=generator, device=_device(generator))
        return torch.sigmoid(logit)


@dataclass(frozen=True)
class ShiftedGridSigmas(SigmaSampler):
    """A uniform index into a shifted sampling schedule (UNO): trains the levels that sampling visits.

    Attributes:
        noise_tokens: latent tokens of one image (without conditions).
        steps: length of the grid.
        shift: ``ResolutionShift()`` if None.
    """

    noise_tokens: int
    steps: int = 1000
    shift: SigmaShift | None = None

    def draw(self, count: int, generator: Generator | None = None) -> Float[Tensor, " b"]:
        """``count`` grid points; the final 0 is not one of them."""
        grid = sigma_schedule(self.steps, self.noise_tokens, self.shift).to(_device(generator))
        return grid[torch.randint(self.steps, (count,), generator=generator, device=grid.device)]


def _device(generator: Generator | None) -> torch.device:
    return torch.device("cpu") if generator is None else generator.device
