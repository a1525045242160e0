"""Estimates of the layout against closed forms: exact velocities, the best velocity of two poses, Jacobians."""

import pytest
import torch

from lightning_modules.flow.path import interpolate
from lightning_modules.flow.timesteps import StaticShift, sigma_schedule
from lightning_modules.skeleguide.layout_estimate import LayoutEstimate, Prediction

KINDS = ("general", "t0", "literal", "k_step_last_grad")
DOUBLE = torch.float64


def path(b=5, sigma=None):
    rng = torch.Generator().manual_seed(3)
    data, noise = (torch.randn(b, 4, 3, generator=rng, dtype=DOUBLE) for _ in range(2))
    level = (
        torch.linspace(0.05, 1.0, b, dtype=DOUBLE) if sigma is None else torch.full((b,), sigma, dtype=DOUBLE)
    )
    return data, noise, level, interpolate(data, noise, level)


@pytest.mark.parametrize("kind", KINDS)
def test_an_exact_velocity_gives_the_layout_from_anywhere(kind):
    data, noise, sigma, point = path()
    said = Prediction(point, noise, sigma, noise - data)
    estimate = LayoutEstimate(kind, steps=3).of(said, lambda x, level: noise - data)
    torch.testing.assert_close(estimate, data, rtol=0, atol=1e-6)


@pytest.mark.parametrize("t", [0.0, 0.3, 0.9])
def test_an_error_of_the_velocity_costs_its_share_of_the_way(t):
    """Literal: e. General: (1 - t) e. So their ratio is 1 / (1 - t)."""
    data, noise, sigma, point = path(sigma=1 - t)
    error = torch.randn(data.shape, generator=torch.Generator().manual_seed(5), dtype=DOUBLE)
    said = Prediction(point, noise, sigma, noise - data - error)  # the paper's v_hat is v + error
    general = LayoutEstimate("general").of(said, None) - data
    literal = LayoutEstimate("literal").of(said, None) - data
    torch.testing.assert_close(general, (1 - t) * error, rtol=0, atol=1e-12)
    torch.testing.assert_close(literal, error, rtol=0, atol=1e-12)


def best_velocity(point, sigma, poses):
    """E[noise - data | point] for data that is one of ``poses`` with equal chance."""
    level = sigma[:, None, None, None]
    away = point[:, None] - (1 - level) * poses[None]
    weight = (-(away.square().sum(dim=(2, 3)) / (2 * sigma[:, None] ** 2))).softmax(dim=1)
    mean = (weight[..., None, None] * poses[None]).sum(dim=1)
    return (point - mean) / sigma[:, None, None], mean


@pytest.mark.parametrize("t", [0.0, 0.5, 0.9])
def test_with_the_best_velocity_the_general_form_is_the_conditional_mean(t):
    data, noise, sigma, _ = path(b=2, sigma=1 - t)
    point = interpolate(data, noise, sigma)
    velocity, mean = best_velocity(point, sigma, data)
    said = Prediction(point, noise, sigma, velocity)
    torch.testing.assert_close(LayoutEstimate("general").of(said, None), mean, rtol=0, atol=1e-12)
    if t == 0:
        torch.testing.assert_close(LayoutEstimate("literal").of(said, None), mean, rtol=0, atol=1e-12)
        at_noise = LayoutEstimate("t0").of(said, lambda x, level: best_velocity(x, level, data)[0])
        torch.testing.assert_close(at_noise, mean, rtol=0, atol=1e-12)


def test_many_steps_reach_one_of_the_poses_where_one_step_reaches_their_mean():
    data, noise, sigma, point = path(b=2, sigma=0.7)
    said = Prediction(point, noise, sigma, noise - data)

    def reasoner(x, level):
        return best_velocity(x, level, data)[0]

    one = LayoutEstimate("k_step_last_grad", steps=1).of(said, reasoner)
    many = LayoutEstimate("k_step_last_grad", steps=200, shift=StaticShift(1.0)).of(said, reasoner)
    torch.testing.assert_close(one, LayoutEstimate("t0").of(said, reasoner), rtol=0, atol=1e-6)
    distance = (many[:, None] - data[None]).abs().amax(dim=(2, 3)).amin(dim=1)
    assert float(distance.max()) < 0.02
    assert float((one[:, None] - data[None]).abs().amax(dim=(2, 3)).amin(dim=1).max()) > 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_the_jacobian_is_minus_the_way_that_is_left(kind):
    data, noise, sigma, point = path()
    velocity = (noise - data).requires_grad_()
    said = Prediction(point, noise, sigma, velocity)
    asked = []

    def reasoner(x, level):
        asked.append((torch.is_grad_enabled(), x.requires_grad))
        return velocity

    LayoutEstimate(kind, steps=3).of(said, reasoner).sum().backward()
    last = sigma_schedule(3, data.shape[1])[2].double()
    way = {
        "general": sigma,
        "t0": torch.ones(5),
        "literal": torch.ones(5),
        "k_step_last_grad": last.expand(5),
    }
    torch.testing.assert_close(
        velocity.grad, -way[kind].to(DOUBLE)[:, None, None].expand_as(velocity), rtol=0, atol=1e-6
    )
    passes = {"general": 0, "t0": 1, "literal": 0, "k_step_last_grad": 3}
    assert [grad for grad, _ in asked] == [False] * (passes[kind] - 1) + [True] * min(1, passes[kind])


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="steps: 0"):
        LayoutEstimate("k_step_last_grad", steps=0)
