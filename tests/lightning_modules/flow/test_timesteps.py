"""Schedules against diffusers' own scheduler and pipelines; training draws against their distributions."""

import math

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from scipy import stats

from lightning_modules.flow.timesteps import (
    LogitNormalSigmas,
    ResolutionShift,
    ShiftedGridSigmas,
    StaticShift,
    UniformSigmas,
    dynamic_shift,
    resolution_mu,
    sigma_schedule,
    static_shift,
)


def diffusers_sigmas(steps, scheduler, mu=None):
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=mu)
    return scheduler.sigmas


@pytest.mark.parametrize("tokens", [16, 64, 256, 1024, 4096, 8192])
def test_resolution_mu_is_the_pipelines(tokens):
    assert resolution_mu(tokens) == calculate_shift(tokens)


@pytest.mark.parametrize("steps", [1, 2, 4, 10, 18, 28, 50])
@pytest.mark.parametrize("tokens", [64, 1024, 4096])
def test_dev_and_kontext_schedule_is_diffusers(steps, tokens):
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    expected = diffusers_sigmas(steps, scheduler, calculate_shift(tokens))
    torch.testing.assert_close(sigma_schedule(steps, tokens, ResolutionShift()), expected, atol=1e-7, rtol=0)
    assert torch.equal(sigma_schedule(steps, tokens), sigma_schedule(steps, tokens, ResolutionShift()))


@pytest.mark.parametrize("steps", [1, 4, 16])
@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_static_schedule_is_diffusers(steps, shift):
    expected = diffusers_sigmas(steps, FlowMatchEulerDiscreteScheduler(shift=shift))
    torch.testing.assert_close(sigma_schedule(steps, 64, StaticShift(shift)), expected, atol=1e-7, rtol=0)


def test_both_shifts_agree_where_mu_is_the_log_of_the_factor():
    sigma = torch.linspace(0, 1, 11, dtype=torch.float64)
    torch.testing.assert_close(dynamic_shift(sigma, math.log(3.0)), static_shift(sigma, 3.0))


@pytest.mark.parametrize(
    "call",
    [lambda: sigma_schedule(0, 64), lambda: resolution_mu(0), lambda: static_shift(torch.ones(1), 0.0)],
)
def test_senseless_arguments_are_refused_by_name(call):
    with pytest.raises(ValueError, match=r"steps|noise_tokens|shift"):
        call()


def draws(sampler, count=20_000):
    return sampler.draw(count, torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "sampler", [UniformSigmas(), LogitNormalSigmas(), ShiftedGridSigmas(64)], ids=lambda s: type(s).__name__
)
def test_draws_repeat_by_generator_and_lie_above_zero(sampler):
    drawn = draws(sampler)
    assert torch.equal(drawn, draws(sampler))
    assert drawn.dtype == torch.float32
    assert drawn.shape == (20_000,)
    assert 0 < drawn.min() <= drawn.max() <= 1


def test_uniform_draws_are_uniform():
    assert stats.kstest(draws(UniformSigmas()).numpy(), "uniform").pvalue > 0.01


def test_logit_normal_draws_have_a_normal_logit():
    logit = torch.logit(draws(LogitNormalSigmas(mean=0.4, std=0.8)).double())
    assert stats.kstest(logit.numpy(), stats.norm(0.4, 0.8).cdf).pvalue > 0.01


def test_a_shifted_mean_is_a_dynamic_shift():
    mu = resolution_mu(64)
    torch.testing.assert_close(
        draws(LogitNormalSigmas(mean=mu)), dynamic_shift(draws(LogitNormalSigmas()), mu)
    )


def test_grid_draws_cover_the_sampling_schedule_evenly():
    grid = sigma_schedule(8, 1024)[:-1]
    drawn = draws(ShiftedGridSigmas(1024, steps=8))
    counts = [(drawn == level).sum().item() for level in grid]
    assert sum(counts) == len(drawn)
    assert stats.chisquare(counts).pvalue > 0.01


def test_logit_normal_needs_a_positive_std():
    with pytest.raises(ValueError, match="std"):
        LogitNormalSigmas(std=0.0)
