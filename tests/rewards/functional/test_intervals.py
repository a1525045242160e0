"""Bootstrap intervals against scipy's."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from rewards.functional import intervals
from rewards.functional.intervals import bootstrap_mean


def sample(n, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).gamma(2.0, size=n))


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_is_scipys(level):
    values = sample(60)
    reference = stats.bootstrap(
        (values.numpy(),),
        np.mean,
        n_resamples=1500,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(7),
    ).confidence_interval
    ours = bootstrap_mean(values, level=level, resamples=1500, seed=7)
    assert ours.low == pytest.approx(reference.low, abs=1e-12)
    assert ours.high == pytest.approx(reference.high, abs=1e-12)
    assert ours.mean == pytest.approx(values.mean().item())
    assert ours.n == 60


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    covered = 0
    for seed in range(200):
        interval = bootstrap_mean(sample(80, seed), level=0.9, resamples=400)
        covered += interval.low <= 2.0 <= interval.high
    assert 0.82 < covered / 200 < 0.96


def test_large_samples_are_drawn_in_pieces_with_the_same_result(monkeypatch):
    whole = bootstrap_mean(sample(50), resamples=300)
    monkeypatch.setattr(intervals, "MAX_DRAWN", 700)
    assert bootstrap_mean(sample(50), resamples=300) == whole


def test_failed_measurements_are_left_out():
    values = torch.tensor([1.0, torch.nan, 3.0, 5.0])
    assert bootstrap_mean(values) == bootstrap_mean(values[~values.isnan()])
    assert bootstrap_mean(values).n == 3


def test_one_value_and_none():
    assert bootstrap_mean(torch.tensor([0.5])) == (0.5, 0.5, 0.5, 1)
    empty = bootstrap_mean(torch.zeros(0))
    assert empty.n == 0
    assert all(math.isnan(v) for v in empty[:3])


@pytest.mark.parametrize("options", [{"level": 1.0}, {"level": 0.0}, {"resamples": 0}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        bootstrap_mean(sample(5), **options)
