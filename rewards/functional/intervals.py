"""How sure a mean is, or a figure made of several means: percentile bootstrap."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
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
    _check(level, resamples)
    sample = values.detach().double().cpu().numpy()
    sample = sample[~np.isnan(sample)]
    if not len(sample):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    means = _resampled(sample, resamples, seed, lambda drawn: drawn.mean(axis=1))
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(sample.mean()), float(low), float(high), len(sample))


def bootstrap_combined(
    values: Float[Tensor, "n k"],
    combine: Callable[[Float[Tensor, "*b k"]], Float[Tensor, "*b"]],
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """A figure made of k means, with its percentile bootstrap interval; units are drawn whole, so parts stay paired.

    NaN is left out of its own mean only. A resample in which a part has no value at all is left out.

    Args:
        values: k measurements of each independent unit.
        combine: from the k means to the figure.
        level: coverage in (0, 1).
        resamples: number of resampled figures.
        seed: of the resampling.
    """
    _check(level, resamples)
    sample = values.detach().double().cpu().numpy()
    sample = sample[~np.isnan(sample).all(axis=1)]

    def figure(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        known = ~np.isnan(drawn)
        with np.errstate(invalid="ignore"):
            means = np.where(known, drawn, 0.0).sum(axis=1) / known.sum(axis=1)
        return np.asarray(combine(torch.from_numpy(means)).numpy(), dtype=np.float64)

    if not len(sample):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    drawn = _resampled(sample, resamples, seed, figure)
    drawn = drawn[~np.isnan(drawn)]
    quantiles = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) if len(drawn) else [np.nan, np.nan]
    return Interval(float(figure(sample[None])[0]), float(quantiles[0]), float(quantiles[1]), len(sample))


def _check(level: float, resamples: int) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level: {level} must lie in (0, 1)")
    if resamples < 1:
        raise ValueError(f"resamples: {resamples} must be at least 1")


def _resampled(
    sample: NDArray[np.float64],
    resamples: int,
    seed: int,
    figure: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """The figure of each resample, drawn in pieces of bounded size."""
    random = np.random.default_rng(seed)
    chunk = max(1, MAX_DRAWN // sample.size)
    sizes = [min(chunk, resamples - start) for start in range(0, resamples, chunk)]
    return np.concatenate(
        [figure(sample[random.integers(0, len(sample), (size, len(sample)))]) for size in sizes]
    )
