"""Random steps along the flow with a known density: Flow-SDE (Flow-GRPO) and CPS.

Reinforcement needs the probability of a step, which a deterministic sampler does not have (Ar2Can, section
3.3.2, by the public Flow-GRPO framework). Both rules draw ``x' = mean + std z``. Everything is computed in
fp32 at least; the log-density is that of the latents **as stored**: a bf16 sample is first rounded, then
scored, so that a replay of the stored trajectory scores the same numbers.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from lightning_modules.flow.ode import StepIndex, Stepper, StepResult, sigma_pair
from lightning_modules.flow.path import widen


def mean_log_prob(
    sample: Float[Tensor, "b *shape"], mean: Float[Tensor, "b *shape"], std: Float[Tensor, "..."]
) -> Float[Tensor, " b"]:
    """Log-density of ``sample`` under N(mean, std), as the **mean** over its elements.

    The mean, not the sum, since the clip ranges published for flow models (1e-5 … 1e-3) assume it.

    Args:
        sample: next latents as stored; any float dtype.
        mean: of the step that led there.
        std: of that step, as ``StepResult.std``.

    Raises:
        ValueError: if ``std`` is 0 somewhere: a deterministic step has no density.
    """
    if bool((std <= 0).any()):
        raise ValueError(
            "std: 0, so this step is deterministic and has no density; "
            "train steps with noise_level > 0 only (and not CPS's last step)"
        )
    mean, std = widen(mean), widen(std)
    log_density = -0.5 * ((widen(sample) - mean) / std).square() - std.log() - 0.5 * math.log(2 * math.pi)
    return log_density.flatten(1).mean(dim=1)


@dataclass(frozen=True)
class FlowSDE(Stepper):
    """The SDE with the same marginals as the flow (Flow-GRPO), by Euler-Maruyama.

    With dt = sigma' - sigma < 0 and s = noise_level sqrt(sigma / (1 - sigma)):
    mean = x (1 + s² dt / (2 sigma)) + v (1 + s² (1 - sigma) / (2 sigma)) dt and std = s sqrt(-dt).
    Where sigma = 1, s is taken with the schedule's second sigma in its denominator.

    Attributes:
        noise_level: a >= 0; 0.9 for FLUX and Kontext in the public framework, 0 is the Euler step.
    """

    noise_level: float = 0.9

    def __post_init__(self) -> None:
        if self.noise_level < 0:
            raise ValueError(f"noise_level: {self.noise_level} must not be negative")

    def step(
        self,
        x: Float[Tensor, "b *shape"],
        velocity: Float[Tensor, "b *shape"],
        sigmas: Float[Tensor, " t"],
        index: StepIndex,
        noise: Float[Tensor, "b *shape"] | None = None,
    ) -> StepResult:
        """From ``sigmas[index]`` to the next sigma; ``noise`` is standard normal (None: the mean itself)."""
        sigma, after = sigma_pair(sigmas, index, x)
        dt = after - sigma
        second = widen(sigmas[1]).to(x.device)
        diffusion = self.noise_level * torch.sqrt(sigma / (1 - torch.where(sigma == 1, second, sigma)))
        score_weight = diffusion.square() / (2 * sigma)
        wide, flow = widen(x), widen(velocity)
        mean = wide * (1 + score_weight * dt) + flow * (1 + score_weight * (1 - sigma)) * dt
        return _draw(x, mean, diffusion * torch.sqrt(-dt), noise)

    mean_log_prob = staticmethod(mean_log_prob)


@dataclass(frozen=True)
class CPS(Stepper):
    """Coefficients-preserving sampling: trades part of the predicted noise for fresh noise.

    std = sigma' sin(a pi/2); mean = (1 - sigma') data_hat + sqrt(sigma'² - std²) noise_hat, so that the total
    noise is the schedule's at every step and the result is clean. The last step (sigma' = 0) is
    deterministic. The public code scores -(x' - mean)² alone; here it is the Gaussian log-density.

    Attributes:
        noise_level: a in [0, 1]; 0.8 works across models, 0 is the Euler step.
    """

    noise_level: float = 0.8

    def __post_init__(self) -> None:
        if not 0 <= self.noise_level <= 1:
            raise ValueError(f"noise_level: {self.noise_level} must lie in [0, 1]")

    def step(
        self,
        x: Float[Tensor, "b *shape"],
        velocity: Float[Tensor, "b *shape"],
        sigmas: Float[Tensor, " t"],
        index: StepIndex,
        noise: Float[Tensor, "b *shape"] | None = None,
    ) -> StepResult:
        """From ``sigmas[index]`` to the next sigma; ``noise`` is standard normal (None: the mean itself)."""
        sigma, after = sigma_pair(sigmas, index, x)
        angle = self.noise_level * math.pi / 2
        wide, flow = widen(x), widen(velocity)
        # the Euler step less the replaced noise: the same mean, and bit for bit Euler's at noise level 0
        mean = wide + (after - sigma) * flow - (1 - math.cos(angle)) * after * (wide + (1 - sigma) * flow)
        return _draw(x, mean, after * math.sin(angle), noise)

    mean_log_prob = staticmethod(mean_log_prob)


def _draw(x: Tensor, mean: Tensor, std: Tensor, noise: Tensor | None) -> StepResult:
    sample = mean if noise is None else mean + std * widen(noise)
    return StepResult(sample.to(x.dtype), mean, std)
