"""How sure a mean is: percentile bootstrap."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

MAX_DRAWN = 1 << 22
"""Most values drawn at once, so that large samples need no more memory than small ones."""


class Interval(NamedTuple):
    """A mean and the bootstrap interval around it.

    Attributes:
        mean: of the values.
        low: lower bound.
        high: upper bound.
        n: number of values that were not NaN.
    """

    mean: float
    low: float
    high: float
    n: int


def bootstrap_mean(
    values: Float[Tensor, " n"], level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Mean with its percentile bootstrap interval, the same for the same seed.

    NaN (a failed measurement) is left out. One value is its own interval; none gives NaN.

    Args:
        values: one per independent unit (a scene, not a seed of a scene).
        level: coverage in (0, 1).
        resamples: number of resampled means.
        seed: of the resampling.
    """
    if not 0 < level < 1:
        raise ValueError(f"level: {level} must lie in (0, 1)")
    if resamples < 1:
        raise ValueError(f"resamples: {resamples} must be at least 1")
    sample = values.detach().double().cpu().numpy()
    sample = sample[~np.isnan(sample)]
    if not len(sample):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    means = _resampled_means(sample, resamples, seed)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(sample.mean()), float(low), float(high), len(sample))


def _resampled_means(sample: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    chunk = max(1, MAX_DRAWN // len(sample))
    sizes = [min(chunk, resamples - start) for start in range(0, resamples, chunk)]
    return np.concatenate(
        [sample[random.integers(0, len(sample), (size, len(sample)))].mean(axis=1) for size in sizes]
    )
