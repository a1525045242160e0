"""Random steps: density against torch.distributions, marginals against closed forms, limits against Euler.

The closed form is a one-dimensional world, data ~ N(m, s²): along the path x ~ N((1 - sigma) m, V) with
V = (1 - sigma)² s² + sigma², and the best velocity is E[noise - data | x], affine in x.
"""

import math

import pytest
import torch
from torch.distributions import Normal

from lightning_modules.flow.ode import euler_step
from lightning_modules.flow.sde import CPS, FlowSDE, mean_log_prob
from lightning_modules.flow.timesteps import sigma_schedule

MEAN, STD = 1.5, 0.6


def gaussian_velocity(x, sigma):
    variance = (1 - sigma) ** 2 * STD**2 + sigma**2
    centred = x - (1 - sigma) * MEAN
    return (sigma - (1 - sigma) * STD**2) / variance * centred - MEAN


def marginal(sigma):
    return (1 - sigma) * MEAN, (1 - sigma) ** 2 * STD**2 + sigma**2


def random_batch(dtype=torch.float32):
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(3, 8, 4, generator=generator).to(dtype) for _ in range(3)]


def papers_flow_sde(x, v, t, after, denominator_t, a):
    """Flow-GRPO's drift written as velocity plus score: v + s²/(2t) (x + (1 - t) v)."""
    dt, s = after - t, a * math.sqrt(t / (1 - denominator_t))
    return x + (v + s**2 / (2 * t) * (x + (1 - t) * v)) * dt, s * math.sqrt(-dt)


@pytest.mark.parametrize("index", [0, 1, 5, 9])
def test_flow_sde_mean_and_std_follow_the_papers_drift(index):
    x, v, z = random_batch(torch.float64)
    sigmas = sigma_schedule(10, 1024).double()
    t, after = sigmas[index].item(), sigmas[index + 1].item()
    mean, std = papers_flow_sde(x, v, t, after, sigmas[1].item() if index == 0 else t, 0.9)
    result = FlowSDE(0.9).step(x, v, sigmas, index, z)
    torch.testing.assert_close(result.mean, mean, atol=1e-12, rtol=0)
    assert result.std.item() == pytest.approx(std, abs=1e-12)
    torch.testing.assert_close(result.sample, mean + std * z, atol=1e-12, rtol=0)


@pytest.mark.parametrize("index", [0, 4, 9])
def test_cps_mean_and_std_follow_the_papers_coefficients(index):
    x, v, z = random_batch(torch.float64)
    sigmas = sigma_schedule(10, 1024).double()
    t, after = sigmas[index].item(), sigmas[index + 1].item()
    std = after * math.sin(0.8 * math.pi / 2)
    mean = (1 - after) * (x - t * v) + math.sqrt(after**2 - std**2) * (x + (1 - t) * v)
    result = CPS(0.8).step(x, v, sigmas, index, z)
    torch.testing.assert_close(result.mean, mean, atol=1e-12, rtol=0)
    torch.testing.assert_close(result.sample, mean + std * z, atol=1e-12, rtol=0)


@pytest.mark.parametrize("stepper", [FlowSDE(0.0), CPS(0.0)], ids=["flow_sde", "cps"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_without_noise_the_step_is_eulers_bit_for_bit_and_has_no_density(stepper, dtype):
    x, v, z = random_batch(dtype)
    sigmas = sigma_schedule(6, 64)
    for index in range(6):
        result = stepper.step(x, v, sigmas, index, z)
        assert torch.equal(result.sample, euler_step(x, v, sigmas, index))
        with pytest.raises(ValueError, match=r"std.*deterministic"):
            stepper.mean_log_prob(result.sample, result.mean, result.std)


@pytest.mark.parametrize("make", [FlowSDE, CPS])
def test_little_noise_tends_to_euler(make):
    x, v, z = random_batch(torch.float64)
    sigmas = sigma_schedule(6, 64).double()
    exact = euler_step(x, v, sigmas, 2)
    gaps = [(make(a).step(x, v, sigmas, 2, z).sample - exact).abs().max().item() for a in (1e-2, 1e-3, 1e-4)]
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=0.05)
    assert gaps[1] / gaps[2] == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize("stepper", [FlowSDE(0.9), CPS(0.8)], ids=["flow_sde", "cps"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_mean_log_prob_is_that_of_a_normal_at_the_stored_latents(stepper, dtype):
    x, v, z = random_batch(dtype)
    result = stepper.step(x, v, sigma_schedule(10, 64), 3, z)
    assert result.sample.dtype == dtype
    assert result.mean.dtype == torch.float32
    expected = (
        Normal(result.mean.double(), result.std.double()).log_prob(result.sample.double()).mean(dim=(1, 2))
    )
    ours = stepper.mean_log_prob(result.sample, result.mean, result.std)
    torch.testing.assert_close(ours.double(), expected, atol=1e-5, rtol=0)


def test_mean_log_prob_takes_one_std_per_sample():
    x, mean, _ = random_batch()
    std = torch.tensor([0.1, 0.5, 2.0]).view(3, 1, 1)
    expected = Normal(mean, std).log_prob(x).mean(dim=(1, 2))
    torch.testing.assert_close(mean_log_prob(x, mean, std), expected)


@pytest.mark.parametrize("stepper", [FlowSDE(0.9), CPS(0.8)], ids=["flow_sde", "cps"])
def test_samples_may_stand_at_different_steps(stepper):
    x, v, z = random_batch()
    sigmas = sigma_schedule(6, 64)
    together = stepper.step(x, v, sigmas, torch.tensor([4, 0, 2]), z)
    for i, index in enumerate((4, 0, 2)):
        alone = stepper.step(x[i : i + 1], v[i : i + 1], sigmas, index, z[i : i + 1])
        torch.testing.assert_close(together.sample[i : i + 1], alone.sample, atol=1e-6, rtol=0)
        torch.testing.assert_close(together.std[i].reshape(()), alone.std.reshape(()), atol=1e-7, rtol=0)


def affine_moments(stepper, sigmas, mean, variance):
    """Mean and variance after all steps, exactly: every step here is affine in x plus independent noise."""
    for index in range(len(sigmas) - 1):
        x = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
        result = stepper.step(x, gaussian_velocity(x, sigmas[index].item()), sigmas, index)
        offset, slope = result.mean[0, 0].item(), (result.mean[1, 0] - result.mean[0, 0]).item()
        mean, variance = offset + slope * mean, slope**2 * variance + result.std.item() ** 2
    return mean, variance


@pytest.mark.parametrize("noise_level", [0.3, 0.7, 1.0])
def test_flow_sde_keeps_the_marginals_as_steps_shrink(noise_level):
    """The mean moves on a straight line, hence exactly; Euler-Maruyama's variance errs in the first order."""
    mean, variance = marginal(0.2)
    errors = []
    for steps in (100, 200, 400):
        sigmas = torch.linspace(0.9, 0.2, steps + 1, dtype=torch.float64)
        got_mean, got_variance = affine_moments(FlowSDE(noise_level), sigmas, *marginal(0.9))
        assert got_mean == pytest.approx(mean, abs=1e-12)
        errors.append(abs(got_variance - variance))
    assert errors[2] < 1e-3
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.1)


def test_flow_sde_samples_the_data_from_pure_noise():
    generator = torch.Generator().manual_seed(0)
    sigmas = sigma_schedule(200, 1024)
    x = torch.randn(40_000, 1, generator=generator)
    stepper = FlowSDE(0.7)
    for index in range(200):
        noise = torch.randn(x.shape, generator=generator)
        x = stepper.step(x, gaussian_velocity(x, sigmas[index]), sigmas, index, noise).sample
    # standard errors are 0.003 and 0.0025; the rest is the discretisation's
    assert x.mean().item() == pytest.approx(MEAN, abs=0.02)
    assert x.var().item() == pytest.approx(STD**2, abs=0.02)


@pytest.mark.parametrize("steps", [3, 10])
def test_cps_keeps_the_schedules_noise_exactly_for_any_number_of_steps(steps):
    """With each sample's true velocity, the noise left at sigma is sigma N(0, 1), however few the steps."""
    generator = torch.Generator().manual_seed(0)
    data = MEAN + STD * torch.randn(40_000, 1, generator=generator)
    sigmas = sigma_schedule(steps, 1024)
    x = torch.randn(data.shape, generator=generator)
    for index in range(steps):
        velocity = (x - data) / sigmas[index]
        x = CPS(0.8).step(x, velocity, sigmas, index, torch.randn(x.shape, generator=generator)).sample
        mean, variance = marginal(sigmas[index + 1].item())
        assert x.mean().item() == pytest.approx(mean, abs=0.02)
        assert x.var().item() == pytest.approx(variance, abs=0.03)
    torch.testing.assert_close(x, data, atol=1e-4, rtol=0)


@pytest.mark.parametrize("make", [lambda: FlowSDE(-0.1), lambda: CPS(1.2), lambda: CPS(-0.1)])
def test_senseless_noise_levels_are_refused(make):
    with pytest.raises(ValueError, match="noise_level"):
        make()
