"""The straight path from data to noise, and what a velocity tells about both ends (SkeleGuide, section 3.1).

SkeleGuide counts time the other way round: its x_0 is noise, its x_1 data and ``t = 1 - sigma``, so that its
target ``x_1 - x_0`` is minus our velocity ``noise - data`` (the sign diffusers' FLUX uses).
"""

import torch
from jaxtyping import Float
from torch import Tensor

Sigma = float | Float[Tensor, ""] | Float[Tensor, " b"]


def interpolate(
    data: Float[Tensor, "b *shape"], noise: Float[Tensor, "b *shape"], sigma: Sigma
) -> Float[Tensor, "b *shape"]:
    """The point at ``sigma`` on the straight path: ``(1 - sigma) data + sigma noise``.

    SkeleGuide, section 3.1: ``x_t = (1 - t) x_0 + t x_1`` with t = 1 - sigma, x_0 = noise and x_1 = data.

    Args:
        data: clean latents.
        noise: standard normal, same shape.
        sigma: noise level in [0, 1], one for all samples or one per sample.
    """
    level = per_sample(sigma, data)
    return (1 - level) * data + level * noise


def velocity_target(
    data: Float[Tensor, "b *shape"], noise: Float[Tensor, "b *shape"]
) -> Float[Tensor, "b *shape"]:
    """What the network has to predict: ``dx/dsigma = noise - data``.

    SkeleGuide Eq. (1), (4) and (5) regress ``x_1 - x_0`` = data - noise, which is this with the sign turned.
    """
    return noise - data


def flow_matching_loss(
    velocity: Float[Tensor, "b s c"],
    data: Float[Tensor, "b s c"],
    noise: Float[Tensor, "b s c"],
    weight: Float[Tensor, "b s"] | None = None,
) -> Float[Tensor, " b"]:
    """Squared error of a predicted velocity per sample, as the mean over its elements.

    SkeleGuide Eq. (1), and Eq. (4) and (5) for layout and image. Evaluated in fp32 at least.

    Args:
        velocity: predicted.
        data: clean latents.
        noise: at the other end of the path.
        weight: how much each token counts in its sample's mean; all alike if None.
    """
    error = (widen(velocity) - widen(velocity_target(data, noise))).square().mean(dim=2)
    if weight is None:
        return error.mean(dim=1)
    return (weight * error).sum(dim=1) / weight.sum(dim=1)


def clean_estimate(
    x: Float[Tensor, "b *shape"], velocity: Float[Tensor, "b *shape"], sigma: Sigma
) -> Float[Tensor, "b *shape"]:
    """The data that one straight step would reach: ``x - sigma velocity``.

    SkeleGuide Eq. (6), ``M_hat = M_0 + v_hat``, is the case sigma = 1 (t = 0); elsewhere the equation's idea
    reads ``M_t + (1 - t) v_hat``, which this is: exact for an exact velocity at every sigma, and for the best
    possible velocity E[data | x]. Differentiable in ``velocity`` with derivative -sigma.
    """
    return x - per_sample(sigma, x) * velocity


def per_sample(value: Sigma, like: Float[Tensor, "b *shape"]) -> float | Tensor:
    """``value`` shaped so that it multiplies whole samples of ``like``.

    Raises:
        ValueError: if ``value`` holds neither one number nor one per sample.
    """
    if not isinstance(value, Tensor) or value.ndim == 0:
        return value
    if value.shape != like.shape[:1]:
        raise ValueError(
            f"sigma: shape {tuple(value.shape)} does not fit {like.shape[0]} samples; "
            "pass one number or one per sample"
        )
    return value.view(-1, *[1] * (like.ndim - 1))


def widen(x: Tensor) -> Tensor:
    """``x`` in fp32, or in its own type where that is wider: the precision all steps are computed in."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
