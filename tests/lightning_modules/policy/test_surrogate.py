"""The objective against autograd's REINFORCE, torch.distributions and simulation."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from lightning_modules.flow.sde import mean_log_prob
from lightning_modules.policy.surrogate import clip_range, clipped_surrogate, divergence, normalized_log_ratio


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_on_policy_the_gradient_is_reinforces():
    mean = drawn(0, 4, 6).requires_grad_()
    sample, std, advantage = drawn(1, 4, 6), torch.tensor(0.3).double(), drawn(2, 4)
    log_prob = Normal(mean, std).log_prob(sample).mean(dim=1)
    (reinforce,) = torch.autograd.grad(-(advantage * log_prob).sum(), mean, retain_graph=True)
    result = clipped_surrogate(log_prob - log_prob.detach(), advantage, 1e-4)
    (ours,) = torch.autograd.grad(result.loss.sum(), mean)
    torch.testing.assert_close(ours, reinforce)
    assert bool((result.ratio == 1).all())
    assert not (result.clipped_low + result.clipped_high).any()


@pytest.mark.parametrize(
    ("log_ratio", "advantage", "slope", "side"),
    [
        (0.5, 1.0, 0, "clipped_high"),
        (0.5, -1.0, 1, None),
        (-0.5, 1.0, -1, None),
        (-0.5, -1.0, 0, "clipped_low"),
        (0.01, 1.0, -1, None),
        (0.15, 1.0, -1, None),
    ],
)
def test_the_clip_binds_only_where_it_would_gain(log_ratio, advantage, slope, side):
    """Ranges: 0.1 below, 0.2 above."""
    value = torch.tensor([log_ratio], dtype=torch.float64, requires_grad=True)
    result = clipped_surrogate(value, torch.tensor([advantage]).double(), 0.1, 0.2)
    (gradient,) = torch.autograd.grad(result.loss.sum(), value)
    assert float(gradient) == pytest.approx(slope * float(result.ratio))
    assert {s for s in ("clipped_low", "clipped_high") if getattr(result, s).any()} == (
        {side} if side else set()
    )


def test_the_clip_scales_as_the_log_ratio_does():
    """Same change of every element: the log-ratio's spread over the clip range is the same for every size."""
    shares = []
    for elements in (256, 4096, 65_536):
        old, std = torch.zeros(400, elements), torch.tensor(0.5)
        sample = std * torch.randn(400, elements, generator=torch.Generator().manual_seed(elements))
        new = old + 0.01
        log_ratio = mean_log_prob(sample, new, std) - mean_log_prob(sample, old, std)
        shares.append(float(log_ratio.std()) / clip_range(1e-4, elements))
    assert clip_range(1e-4, 65_536) == pytest.approx(1e-4)
    assert max(shares) / min(shares) < 1.1
    with pytest.raises(ValueError, match="positive"):
        clip_range(0.0, 5)


def test_ratio_norm_removes_the_bias_and_evens_out_the_steps():
    spreads = []
    for std in (0.1, 0.4):
        old = torch.zeros(2000, 64)
        level = torch.tensor(std)
        sample = level * torch.randn(2000, 64, generator=torch.Generator().manual_seed(1))
        new = old + 0.05
        raw = mean_log_prob(sample, new, level) - mean_log_prob(sample, old, level)
        fair = normalized_log_ratio(raw, new, old, level)
        assert float(raw.mean()) == pytest.approx(-(0.05**2) / (2 * std**2), rel=0.05)
        assert abs(float(fair.mean())) < 3 * float(fair.std()) / 2000**0.5
        spreads.append(float(fair.std()))
    assert spreads[0] == pytest.approx(spreads[1], rel=1e-3)


def test_the_gaussian_divergence_is_torchs_and_flow_grpos_lacks_a_factor():
    mean, base, velocity, base_velocity = (drawn(i, 3, 5) for i in range(4))
    std, size = torch.tensor([0.2, 0.4, 0.7]).double().view(3, 1), torch.tensor([0.1, 0.2, 0.05]).double()
    given = {
        "mean": mean,
        "base_mean": base,
        "std": std,
        "step_size": size,
        "velocity": velocity,
        "base_velocity": base_velocity,
    }
    expected = kl_divergence(Normal(mean, std), Normal(base, std)).mean(dim=1)
    torch.testing.assert_close(divergence("gaussian", **given), expected)
    torch.testing.assert_close(divergence("flow_grpo", **given), expected * size)
    square = torch.nn.functional.mse_loss(velocity, base_velocity, reduction="none").mean(1)
    torch.testing.assert_close(divergence("velocity", **given), square)
    with pytest.raises(ValueError, match="gaussian, flow_grpo or velocity"):
        divergence("exact", **given)


@pytest.mark.parametrize("kind", ["gaussian", "flow_grpo", "velocity"])
def test_divergences_train_the_policy_and_vanish_at_the_base(kind):
    velocity = drawn(0, 2, 4).requires_grad_()
    base = drawn(1, 2, 4)

    def measured(v):
        return divergence(
            kind,
            mean=0.3 * v,
            base_mean=0.3 * base,
            std=torch.tensor(0.5),
            step_size=torch.tensor(0.1),
            velocity=v,
            base_velocity=base,
        )

    (gradient,) = torch.autograd.grad(measured(velocity).sum(), velocity)
    assert bool((gradient.sign() == (velocity - base).sign()).all())
    assert not measured(base).any()
