"""Kernel distance of two sets of features: the unbiased squared maximum mean discrepancy (Binkowski et al. 2018).

Whose features they are decides what the number means: it is a KID only with Inception's. Unlike the Fréchet distance it
is unbiased for small sets, so it may come out slightly below zero.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

DEGREE = 3
"""Of the polynomial kernel ``(a · b / d + 1)³``."""


class KernelDistance(NamedTuple):
    """Mean over random subsets, and the standard deviation between them.

    Attributes:
        mean: of the subsets.
        std: between subsets, not of their mean; 0 where there is one.
    """

    mean: float
    std: float


def polynomial_mmd(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, ""]:
    """Squared discrepancy with the kernel ``(a · b / d + 1)³``, without bias, in fp64.

    Raises:
        ValueError: for fewer than two features, or features of different width.
    """
    if min(len(a), len(b)) < 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"features: shapes {tuple(a.shape)} and {tuple(b.shape)}; two or more of one width are needed on each side"
        )
    a, b = a.double(), b.double()
    n, m = len(a), len(b)

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1) ** DEGREE

    within_a, within_b = kernel(a, a), kernel(b, b)
    same_a = (within_a.sum() - within_a.trace()) / (n * (n - 1))
    same_b = (within_b.sum() - within_b.trace()) / (m * (m - 1))
    return same_a + same_b - 2 * kernel(a, b).mean()


def kernel_distance(
    a: Float[Tensor, "n d"],
    b: Float[Tensor, "m d"],
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> KernelDistance:
    """:func:`polynomial_mmd` over random subsets, as KID is reported; the same for the same seed.

    Args:
        a: features of one set.
        b: of the other.
        subsets: how many pairs of subsets are drawn.
        subset_size: features in each; where a set has no more, all of both sets are compared once.
        seed: of the drawing.

    Raises:
        ValueError: if ``subsets`` or ``subset_size`` is too small, or as :func:`polynomial_mmd`.
    """
    if subsets < 1 or subset_size < 2:
        raise ValueError(f"subsets, subset_size: {subsets} and {subset_size}; give at least 1 of at least 2")
    if min(len(a), len(b)) <= subset_size:
        return KernelDistance(float(polynomial_mmd(a, b)), 0.0)
    rng = torch.Generator().manual_seed(seed)
    values = torch.stack(
        [
            polynomial_mmd(
                a[torch.randperm(len(a), generator=rng)[:subset_size]],
                b[torch.randperm(len(b), generator=rng)[:subset_size]],
            )
            for _ in range(subsets)
        ]
    )
    return KernelDistance(float(values.mean()), float(values.std(unbiased=False)))
