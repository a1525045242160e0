"""Bootstrap intervals against scipy's."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from rewards.functional import intervals
from rewards.functional.intervals import bootstrap_combined, bootstrap_mean
from rewards.functional.unified import unified_score


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


def table(n=40):
    """Three figures that go together, the third known of every other unit."""
    rng = np.random.default_rng(5)
    common = rng.uniform(0.2, 0.6, (n, 1))
    values = common + rng.uniform(0, 0.4, (n, 3))
    values[::2, 2] = np.nan
    return values


def test_the_interval_of_a_combined_figure_is_scipys_paired_bootstrap():
    values = table()

    def statistic(*columns):
        return stats.gmean([np.nanmean(column) for column in columns])

    reference = stats.bootstrap(
        tuple(values.T),
        statistic,
        paired=True,
        vectorized=False,
        n_resamples=700,
        method="percentile",
        rng=np.random.default_rng(4),
    ).confidence_interval
    ours = bootstrap_combined(torch.from_numpy(values), unified_score, resamples=700, seed=4)
    assert ours.low == pytest.approx(reference.low, abs=1e-12)
    assert ours.high == pytest.approx(reference.high, abs=1e-12)
    assert ours.mean == pytest.approx(statistic(*values.T))
    assert ours.n == 40


def test_of_one_figure_it_is_the_mean(monkeypatch):
    values = sample(30)
    whole = bootstrap_combined(values[:, None], lambda means: means[..., 0], resamples=300)
    assert whole == pytest.approx(bootstrap_mean(values, resamples=300))
    monkeypatch.setattr(intervals, "MAX_DRAWN", 500)
    assert bootstrap_combined(values[:, None], lambda means: means[..., 0], resamples=300) == whole


def test_units_of_which_nothing_is_known_do_not_count():
    values = torch.from_numpy(table())
    with_empty = torch.cat([values, torch.full((3, 3), torch.nan, dtype=torch.float64)])
    assert bootstrap_combined(with_empty, unified_score) == bootstrap_combined(values, unified_score)
    nothing = bootstrap_combined(torch.full((2, 2), torch.nan), unified_score)
    assert nothing.n == 0
    assert math.isnan(nothing.mean)
