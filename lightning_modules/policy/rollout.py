"""Drawing images with recorded steps, and scoring those steps again: one function of the policy for both.

The ratio of new to old density is 1 before the first update only if both passes compute the same numbers: the latents
as they are stored, the noise level by its place in the schedule, the same batch.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.prepared import PreparedSequence
from lightning_modules.flow.ode import EulerStepper, Stepper
from lightning_modules.flow.sampling import Trajectory, sample, sample_trajectory
from lightning_modules.flow.sde import CPS, mean_log_prob
from lightning_modules.flow.timesteps import SigmaShift, sigma_schedule
from lightning_modules.policy.steps import StepChoice, StepWindow


@dataclass(frozen=True)
class Sampling:
    """How images are drawn.

    Attributes:
        steps: network calls per image in training.
        eval_steps: in validation, without random steps.
        guidance: the guidance scale that models embed; ignored by models that do not.
        free_guidance: scale of classifier-free guidance, away from the frozen base that is shown neither prompt nor
            conditions; 1 is none (one network pass per step, else two).
        stepper: rule of the random steps.
        choice: which steps are random and trained; the others follow the flow.
        shift: how the schedule leans towards noise; FLUX's resolution shift by default.
    """

    steps: int = 10
    eval_steps: int = 10
    guidance: float = 2.0
    free_guidance: float = 1.0
    stepper: Stepper = field(default_factory=CPS)
    choice: StepChoice = field(default_factory=StepWindow)
    shift: SigmaShift | None = None

    def __post_init__(self) -> None:
        if not self.free_guidance >= 1:
            raise ValueError(
                f"free_guidance: {self.free_guidance} must be at least 1, which is without; 2 to 4 is usual"
            )


class Scored(NamedTuple):
    """A recorded step, seen by the present policy.

    Attributes:
        log_prob: mean log-density of where the step led.
        mean: of the step.
        std: of the step.
        velocity: of the policy.
    """

    log_prob: Float[Tensor, " b"]
    mean: Float[Tensor, "b s c"]
    std: Float[Tensor, "..."]
    velocity: Float[Tensor, "b s c"]


@dataclass(frozen=True)
class Rollout:
    """Images drawn together, with what it takes to score their steps again.

    Attributes:
        sequence: prompt, conditions and positions, prepared once.
        trajectory: recorded steps.
        sigmas: the schedule.
        free: the sequence without prompt and conditions, where drawing is guided away from it.
    """

    sequence: PreparedSequence
    trajectory: Trajectory
    sigmas: Float[Tensor, " t"]
    free: PreparedSequence | None = None

    def __len__(self) -> int:
        return len(self.trajectory)


class Policy:
    """A backbone as a policy over steps.

    Args:
        backbone: draws.
        sampling: how.
    """

    def __init__(self, backbone: FluxBackbone, sampling: Sampling) -> None:
        self.backbone, self.sampling = backbone, sampling

    def velocity(
        self,
        sequence: PreparedSequence,
        x: Float[Tensor, "b s c"],
        sigmas: Float[Tensor, " t"],
        index: int,
        free: PreparedSequence | None = None,
    ) -> Float[Tensor, "b s c"]:
        """The velocity at a place of the schedule, guided away from ``free``, through which no gradient goes."""
        b = len(x)
        embeds = self.backbone.transformer.config.guidance_embeds
        scale = torch.full((b,), self.sampling.guidance, device=x.device) if embeds else None
        sigma = sigmas[index].to(x.device).expand(b)
        velocity = self.backbone(sequence.with_noise(x), sigma, scale)
        if free is None:
            return velocity
        with torch.no_grad():
            away = self.backbone(free.with_noise(x), sigma, scale).float()
        return away + self.sampling.free_guidance * (velocity.float() - away)

    @torch.no_grad()
    def rollout(
        self,
        sequence: PreparedSequence,
        noise: Float[Tensor, "b s c"],
        recorded: tuple[int, ...],
        rng: Generator,
        keep_means: bool = False,
        free: PreparedSequence | None = None,
    ) -> Rollout:
        """Draw images from ``noise``; the recorded steps are random, their means kept where they are asked for."""
        sigmas = sigma_schedule(self.sampling.steps, noise.shape[1], self.sampling.shift)
        trajectory = sample_trajectory(
            lambda x, index: self.velocity(sequence, x, sigmas, index, free),
            noise,
            sigmas,
            self.sampling.stepper,
            recorded,
            rng,
            keep_means=keep_means,
        )
        return Rollout(sequence, trajectory, sigmas, free)

    @torch.no_grad()
    def draw(
        self,
        sequence: PreparedSequence,
        noise: Float[Tensor, "b s c"],
        free: PreparedSequence | None = None,
    ) -> Float[Tensor, "b s c"]:
        """Clean latents without random steps: what the policy is used for."""
        sigmas = sigma_schedule(self.sampling.eval_steps, noise.shape[1], self.sampling.shift)
        return sample(
            lambda x, index: self.velocity(sequence, x, sigmas, index, free), noise, sigmas, EulerStepper()
        )

    def score(self, rollout: Rollout, k: int, sequence: PreparedSequence | None = None) -> Scored:
        """Recorded step ``k`` under the present weights; with gradients if they are on.

        Args:
            rollout: what was drawn.
            k: which of its recorded steps.
            sequence: in the place of the rollout's own, for example without LoRA sets: the base model.
        """
        record = rollout.trajectory
        index, x = record.indices[k], record.before[k]
        velocity = self.velocity(sequence or rollout.sequence, x, rollout.sigmas, index, rollout.free)
        step = self.sampling.stepper.step(x, velocity, rollout.sigmas, index)
        return Scored(mean_log_prob(record.after[k], step.mean, step.std), step.mean, step.std, velocity)
