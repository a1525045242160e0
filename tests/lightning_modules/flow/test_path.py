"""The straight path: recovery of its ends, the paper's time direction, and gradients."""

import pytest
import torch

from lightning_modules.flow.path import (
    clean_estimate,
    flow_matching_loss,
    interpolate,
    velocity_target,
)


@pytest.fixture
def ends():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 6, 3, generator=generator), torch.randn(4, 6, 3, generator=generator)


@pytest.mark.parametrize("sigma", [0.0, 0.25, 1.0, torch.tensor(0.6), torch.tensor([0.1, 0.5, 0.9, 1.0])])
def test_the_data_are_recovered_from_any_point_of_a_straight_path(ends, sigma):
    data, noise = ends
    x = interpolate(data, noise, sigma)
    velocity = velocity_target(data, noise)
    torch.testing.assert_close(clean_estimate(x, velocity, sigma), data, atol=1e-6, rtol=0)


def test_the_ends_of_the_path_are_data_and_noise_exactly(ends):
    data, noise = ends
    assert torch.equal(interpolate(data, noise, 0.0), data)
    assert torch.equal(interpolate(data, noise, 1.0), noise)


def test_the_velocity_is_the_derivative_along_sigma(ends):
    data, noise = ends
    _, slope = torch.func.jvp(
        lambda s: interpolate(data, noise, s), (torch.tensor(0.3),), (torch.tensor(1.0),)
    )
    torch.testing.assert_close(slope, velocity_target(data, noise))


def test_skeleguides_time_runs_the_other_way(ends):
    x_data, x_noise = ends
    t = 0.7
    papers_point = (1 - t) * x_noise + t * x_data
    torch.testing.assert_close(interpolate(x_data, x_noise, 1 - t), papers_point)
    papers_velocity = x_data - x_noise
    torch.testing.assert_close(velocity_target(x_data, x_noise), -papers_velocity)
    # Eq. (6), M_hat = M_0 + v_hat, is the estimate at t = 0
    guess = papers_velocity + 0.1
    torch.testing.assert_close(clean_estimate(x_noise, -guess, 1.0), x_noise + guess)


def test_a_velocity_error_counts_times_sigma(ends):
    data, noise = ends
    for sigma in (0.1, 0.5, 1.0):
        estimate = clean_estimate(interpolate(data, noise, sigma), velocity_target(data, noise) + 0.4, sigma)
        torch.testing.assert_close(estimate - data, torch.full_like(data, -0.4 * sigma), atol=1e-6, rtol=0)


def test_gradients_reach_the_velocity_through_the_estimate(ends):
    data, noise = ends
    velocity = velocity_target(data, noise).requires_grad_()
    sigma = torch.tensor([0.1, 0.2, 0.5, 1.0])
    clean_estimate(interpolate(data, noise, sigma), velocity, sigma).sum().backward()
    torch.testing.assert_close(velocity.grad, -sigma.view(-1, 1, 1).expand_as(data))


def test_the_loss_is_a_mean_square_per_sample(ends):
    data, noise = ends
    velocity = torch.zeros_like(data)
    expected = torch.nn.functional.mse_loss(velocity, noise - data, reduction="none").mean(dim=(1, 2))
    torch.testing.assert_close(flow_matching_loss(velocity, data, noise), expected)
    assert flow_matching_loss(velocity.bfloat16(), data.bfloat16(), noise.bfloat16()).dtype == torch.float32


def test_weighted_tokens_count_as_if_repeated(ends):
    data, noise = ends
    velocity, weight = torch.zeros_like(data), torch.ones(data.shape[:2])
    weight[:, 0] = 3
    repeated = [torch.cat([x[:, :1], x[:, :1], x], dim=1) for x in (velocity, data, noise)]
    torch.testing.assert_close(
        flow_matching_loss(velocity, data, noise, weight), flow_matching_loss(*repeated)
    )


@pytest.mark.usefixtures("unchecked_shapes")
def test_a_sigma_of_the_wrong_length_is_refused(ends):
    data, noise = ends
    with pytest.raises(ValueError, match=r"sigma.*one number or one per sample"):
        interpolate(data, noise, torch.tensor([0.1, 0.2]))
