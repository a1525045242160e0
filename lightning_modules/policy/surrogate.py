"""The clipped objective of policy optimisation for flow models, and its divergences from the base model.

A step's density is a Gaussian around a mean that the velocity decides; ``mean_log_prob`` (flow/sde.py) is its logarithm
divided by the number of elements D. The spread of the log-ratio therefore falls as 1 / sqrt(D), and clip ranges hold
for one D only: they are given for ``REFERENCE_ELEMENTS`` and rescaled.
"""

import math
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lightning_modules.flow.path import widen

REFERENCE_ELEMENTS = 65_536
"""Elements of FLUX's latents at 512 x 512 pixels, for which published clip ranges are meant."""

Divergence = Literal["gaussian", "flow_grpo", "velocity"]


class Surrogate(NamedTuple):
    """The objective of some images at one step.

    Attributes:
        loss: per image, to be averaged and minimised.
        ratio: new density over old.
        clipped_low: 1 where the ratio is below the range and the clip binds.
        clipped_high: 1 where it is above.
    """

    loss: Float[Tensor, " b"]
    ratio: Float[Tensor, " b"]
    clipped_low: Float[Tensor, " b"]
    clipped_high: Float[Tensor, " b"]


def clip_range(reference: float, elements: int) -> float:
    """A clip range given for ``REFERENCE_ELEMENTS``, for latents of ``elements`` numbers per image."""
    if elements < 1 or reference <= 0:
        raise ValueError(f"reference, elements: {reference} and {elements} must be positive")
    return reference * math.sqrt(REFERENCE_ELEMENTS / elements)


def clipped_surrogate(
    log_ratio: Float[Tensor, " b"], advantages: Float[Tensor, " b"], low: float, high: float | None = None
) -> Surrogate:
    """``max(-A r, -A clip(r, 1 - low, 1 + high))`` per image, as in PPO and the public Flow-GRPO framework.

    Args:
        log_ratio: new minus old log-density of the step, as means over elements.
        advantages: of the images.
        low: how far below 1 the ratio may fall before the gradient stops.
        high: how far above; ``low`` if None.
    """
    high = low if high is None else high
    ratio = log_ratio.exp()
    clamped = ratio.clamp(1 - low, 1 + high)
    loss = torch.maximum(-advantages * ratio, -advantages * clamped)
    binding_low = (ratio < 1 - low) & (advantages < 0)
    binding_high = (ratio > 1 + high) & (advantages > 0)
    return Surrogate(loss, ratio.detach(), binding_low.float(), binding_high.float())


def normalized_log_ratio(
    log_ratio: Float[Tensor, " b"],
    mean: Float[Tensor, "b *shape"],
    old_mean: Float[Tensor, "b *shape"],
    std: Float[Tensor, "..."],
) -> Float[Tensor, " b"]:
    """GRPO-Guard's RatioNorm: the log-ratio without its bias, times the step's deviation.

    A log-ratio as a mean over elements is ``noise . D / s - |D|² / (2 s²)`` with D the change of the mean: the second
    term pushes every ratio below 1, so that images with a positive advantage are never clipped. Adding it back and
    multiplying by s leaves a quantity of mean 0 and of the same spread at every step.

    Args:
        log_ratio: new minus old log-density.
        mean: of the step by the new policy.
        old_mean: of the step by the policy that drew it.
        std: of the step.
    """
    wide = widen(std)
    moved = ((widen(mean) - widen(old_mean)) / wide).square().flatten(1).mean(dim=1)
    scale = wide.reshape(-1)
    return (log_ratio + moved / 2) * scale


def divergence(
    kind: Divergence,
    *,
    mean: Float[Tensor, "b *shape"],
    base_mean: Float[Tensor, "b *shape"],
    std: Float[Tensor, "..."],
    step_size: Float[Tensor, "..."],
    velocity: Float[Tensor, "b *shape"],
    base_velocity: Float[Tensor, "b *shape"],
) -> Float[Tensor, " b"]:
    """Distance of a step from the base model's, per image, as a mean over elements; gradients reach the policy.

    Args:
        kind: ``gaussian`` is the divergence of the two Gaussians, |dmean|² / (2 std²). ``flow_grpo`` is what that
            framework computes, which leaves out the factor 1 / |dt|: a coefficient for one means another for the other.
            ``velocity`` is |dv|², the same at every step.
        mean: of the step by the policy.
        base_mean: by the base model.
        std: of the step, the same for both.
        step_size: |dt|, the fall of sigma.
        velocity: of the policy.
        base_velocity: of the base model.

    Raises:
        ValueError: for any other kind.
    """
    if kind == "velocity":
        return (widen(velocity) - widen(base_velocity)).square().flatten(1).mean(dim=1)
    if kind not in ("gaussian", "flow_grpo"):
        raise ValueError(f"kind: {kind!r}; choose gaussian, flow_grpo or velocity")
    apart = ((widen(mean) - widen(base_mean)) / widen(std)).square().flatten(1).mean(dim=1) / 2
    return apart * widen(step_size).reshape(-1) if kind == "flow_grpo" else apart
