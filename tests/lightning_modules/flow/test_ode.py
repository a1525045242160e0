"""The Euler step against diffusers' scheduler."""

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from lightning_modules.flow.ode import EulerStepper, euler_step
from lightning_modules.flow.path import interpolate, velocity_target
from lightning_modules.flow.timesteps import StaticShift, resolution_mu, sigma_schedule


def random_pair(seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(3, 5, 4, generator=generator).to(dtype) for _ in range(2)]


@pytest.mark.parametrize("kind", ["dynamic", "static"])
def test_each_step_is_diffusers(kind):
    steps, tokens = 7, 1024
    if kind == "dynamic":
        scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
        scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=resolution_mu(tokens))
        sigmas = sigma_schedule(steps, tokens)
    else:
        scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
        scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps))
        sigmas = sigma_schedule(steps, tokens, StaticShift(3.0))
    ours = theirs = random_pair(0)[0]
    for index, timestep in enumerate(scheduler.timesteps):
        velocity = random_pair(index + 1)[1]
        ours = euler_step(ours, velocity, sigmas, index)
        theirs = scheduler.step(velocity, timestep, theirs, return_dict=False)[0]
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


def test_bf16_latents_step_in_fp32_and_stay_bf16():
    x, velocity = random_pair(0, torch.bfloat16)
    sigmas = sigma_schedule(4, 64)
    after = euler_step(x, velocity, sigmas, 1)
    wide = x.float() + (sigmas[2] - sigmas[1]) * velocity.float()
    assert after.dtype == torch.bfloat16
    assert torch.equal(after, wide.bfloat16())
    result = EulerStepper().step(x, velocity, sigmas, 1)
    assert torch.equal(result.sample, after)
    assert torch.equal(result.mean, wide)
    assert result.std == 0


def test_samples_may_stand_at_different_steps():
    x, velocity = random_pair(0)
    sigmas = sigma_schedule(4, 64)
    together = euler_step(x, velocity, sigmas, torch.tensor([3, 0, 2]))
    single = [euler_step(x[i : i + 1], velocity[i : i + 1], sigmas, j) for i, j in enumerate((3, 0, 2))]
    assert torch.equal(together, torch.cat(single))


def test_one_step_along_a_straight_path_reaches_its_end():
    data, noise = random_pair(0)
    x = interpolate(data, noise, 0.4)
    after = euler_step(x, velocity_target(data, noise), torch.tensor([0.4, 0.0]), 0)
    torch.testing.assert_close(after, data, atol=1e-6, rtol=0)


@pytest.mark.parametrize("index", [-1, 4, torch.tensor([0, 4, 1])])
def test_a_step_outside_the_schedule_is_refused(index):
    x, velocity = random_pair(0)
    with pytest.raises(ValueError, match="index"):
        euler_step(x, velocity, sigma_schedule(4, 64), index)
