"""Fréchet distance of two sets of features, each taken as one Gaussian (Heusel et al. 2017).

Whose features they are decides what the number means: it is an FID only with Inception's.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def gaussian_moments(
    features: Float[Tensor, "n d"],
) -> tuple[Float[Tensor, " d"], Float[Tensor, "d d"]]:
    """Mean and unbiased covariance in fp64.

    Raises:
        ValueError: for fewer than two features.
    """
    if features.shape[0] < 2:
        raise ValueError(f"features: {features.shape[0]} given, a covariance needs at least 2")
    wide = features.double()
    return wide.mean(dim=0), torch.cov(wide.T).reshape(features.shape[1], features.shape[1])


def frechet_distance(
    mean_a: Float[Tensor, " d"],
    covariance_a: Float[Tensor, "d d"],
    mean_b: Float[Tensor, " d"],
    covariance_b: Float[Tensor, "d d"],
) -> Float[Tensor, ""]:
    """``|mean_a - mean_b|² + tr(A + B - 2 (A B)^½)``, in fp64, never negative.

    The trace of the root is taken from the eigenvalues of the symmetric A^½ B A^½, which are those of A B:
    it stays real for covariances without full rank (fewer images than features).
    """
    a, b = covariance_a.double(), covariance_b.double()
    values, vectors = torch.linalg.eigh(a)
    root_a = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    product = root_a @ b @ root_a
    cross = torch.linalg.eigvalsh((product + product.T) / 2).clamp(min=0).sqrt().sum()
    shift = (mean_a.double() - mean_b.double()).square().sum()
    distance: Tensor = shift + a.trace() + b.trace() - 2 * cross
    return distance.clamp(min=0)


def feature_distance(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, ""]:
    """``frechet_distance`` of two sets of features."""
    return frechet_distance(*gaussian_moments(a), *gaussian_moments(b))
