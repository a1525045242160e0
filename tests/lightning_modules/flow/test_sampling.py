"""The sampling loop and its recording form."""

import pytest
import torch

from lightning_modules.flow.ode import euler_step
from lightning_modules.flow.sampling import sample, sample_trajectory
from lightning_modules.flow.sde import CPS, FlowSDE
from lightning_modules.flow.timesteps import sigma_schedule

SIGMAS = sigma_schedule(6, 64)


def start(dtype=torch.float32):
    return torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(1)).to(dtype)


def velocity_fn(x, index):
    return torch.tanh(x.float()).to(x.dtype) * SIGMAS[index].to(x.dtype)


def test_straight_paths_are_followed_to_their_data_in_any_number_of_steps():
    noise = start()
    data = torch.full_like(noise, 0.3)
    for steps in (1, 4, 28):
        clean = sample(lambda x, i: noise - data, noise, sigma_schedule(steps, 1024))
        torch.testing.assert_close(clean, data, atol=1e-6, rtol=0)


def test_more_steps_come_nearer_to_the_exact_solution():
    """dx/dsigma = x has the solution x(0) = x(1) / e; Euler's error falls in the first order."""
    noise = start().double()
    errors = [
        (sample(lambda x, i: x, noise, torch.linspace(1, 0, n + 1).double()) - noise / torch.e).abs().max()
        for n in (50, 100)
    ]
    assert (errors[0] / errors[1]).item() == pytest.approx(2, rel=0.05)


def test_each_step_is_announced_with_its_latents():
    seen = []
    final = sample(velocity_fn, start(), SIGMAS, on_step=lambda index, x: seen.append((index, x)))
    assert [index for index, _ in seen] == list(range(6))
    assert torch.equal(seen[-1][1], final)
    assert torch.equal(seen[0][1], euler_step(start(), velocity_fn(start(), 0), SIGMAS, 0))


def test_random_steps_repeat_by_generator():
    runs = [sample(velocity_fn, start(), SIGMAS, CPS(), torch.Generator().manual_seed(s)) for s in (0, 0, 1)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_gradients_flow_through_the_loop():
    scale = torch.tensor(0.5, requires_grad=True)
    sample(lambda x, i: scale * x, start(), SIGMAS).sum().backward()
    assert scale.grad.abs() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("stepper", [FlowSDE(), CPS()], ids=["flow_sde", "cps"])
def test_a_replay_of_the_stored_latents_scores_the_same_bits(stepper, dtype):
    trajectory = sample_trajectory(
        velocity_fn, start(dtype), SIGMAS, stepper, record=(2, 1), generator=torch.Generator().manual_seed(5)
    )
    assert trajectory.indices == (1, 2)
    assert trajectory.final.dtype == dtype
    for i, index in enumerate(trajectory.indices):
        x = trajectory.before[i]
        again = stepper.step(x, velocity_fn(x, index), SIGMAS, index)
        score = stepper.mean_log_prob(trajectory.after[i], again.mean, again.std)
        assert torch.equal(score, trajectory.mean_log_probs[:, i])


def test_steps_outside_the_record_are_eulers_and_neighbours_share_storage():
    states = {}
    trajectory = sample_trajectory(
        velocity_fn, start(), SIGMAS, FlowSDE(), record=[2, 3], on_step=lambda i, x: states.update({i: x})
    )
    assert torch.equal(states[1], sample(velocity_fn, start(), SIGMAS[:3]))
    assert torch.equal(states[4], euler_step(states[3], velocity_fn(states[3], 4), SIGMAS, 4))
    assert trajectory.before[0] is states[1]
    assert trajectory.after[0] is trajectory.before[1]
    assert not torch.equal(states[2], euler_step(states[1], velocity_fn(states[1], 2), SIGMAS, 2))
    assert trajectory.mean_log_probs.shape == (2, 2)


def test_noise_differs_between_samples_and_elements():
    still = torch.zeros(4, 50, 20)
    final = sample_trajectory(lambda x, i: x * 0, still, SIGMAS, CPS(1.0), record=[2]).after[0]
    correlation = torch.corrcoef(final.flatten(1))
    assert (correlation - torch.eye(4)).abs().max() < 0.15
    assert final.std().item() == pytest.approx(SIGMAS[3].item(), rel=0.05)


@pytest.mark.parametrize("record", [[], [6], [-1]])
def test_a_senseless_record_is_refused(record):
    with pytest.raises(ValueError, match="record"):
        sample_trajectory(velocity_fn, start(), SIGMAS, CPS(), record=record)


def test_recording_a_step_without_density_is_refused():
    with pytest.raises(ValueError, match="deterministic"):
        sample_trajectory(velocity_fn, start(), SIGMAS, CPS(), record=[5])


def test_a_schedule_needs_a_step():
    with pytest.raises(ValueError, match="sigmas"):
        sample(velocity_fn, start(), torch.ones(1))
