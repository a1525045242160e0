"""Group advantages against numpy loops, and the cases that crash or mislead elsewhere."""

import numpy as np
import pytest
import torch

from lightning_modules.policy.advantages import group_advantages

WEIGHTS = torch.tensor([0.2, 0.5, 0.0])


def loop(rewards, weights, groups, aggregate, spread, epsilon=1e-4):
    """Literal reading of the formula; NaN is filled with the group's mean first."""
    rewards, weights, groups = rewards.double().numpy().copy(), weights.numpy(), groups.numpy()
    out = np.zeros(len(groups))
    for g in np.unique(groups):
        own = groups == g
        for k in range(len(rewards)):
            values = rewards[k, own]
            values[np.isnan(values)] = np.nanmean(values)
            rewards[k, own] = values
    rows = [weights @ rewards] if aggregate == "sum" else list(rewards)
    factors = [1.0] if aggregate == "sum" else list(weights)
    for factor, row in zip(factors, rows, strict=True):
        centred = np.concatenate([row[groups == g] - row[groups == g].mean() for g in np.unique(groups)])
        everyone = np.sqrt((centred**2).mean())
        for g in np.unique(groups):
            own = groups == g
            deviation = row[own].std() if spread == "group" else everyone
            out[own] += factor * (row[own] - row[own].mean()) / (deviation + epsilon)
    return np.clip(out, -5, 5)


@pytest.fixture
def rewards():
    values = torch.rand(3, 24, generator=torch.Generator().manual_seed(1))
    values[1] *= 40
    values[0, 3] = values[1, 17] = torch.nan
    return values


@pytest.fixture
def groups():
    return torch.tensor([7, 2, 900_000_000_123, 2**53 + 1]).repeat(6)


@pytest.mark.parametrize("aggregate", ["sum", "gdpo"])
@pytest.mark.parametrize("spread", ["group", "global"])
def test_values_are_the_formulas(rewards, groups, aggregate, spread):
    found = group_advantages(rewards, WEIGHTS, groups, aggregate, spread)
    expected = loop(rewards, WEIGHTS, groups, aggregate, spread)
    np.testing.assert_allclose(found.values.numpy(), expected, atol=2e-6)
    assert found.informative.all()
    assert found.equal_groups == 0


def test_order_does_not_matter(rewards, groups):
    order = torch.randperm(24, generator=torch.Generator().manual_seed(0))
    straight = group_advantages(rewards, WEIGHTS, groups).values
    shuffled = group_advantages(rewards[:, order], WEIGHTS, groups[order]).values
    torch.testing.assert_close(shuffled, straight[order], atol=1e-6, rtol=0)


def test_scale_drowns_the_small_reward_in_a_sum_but_not_in_gdpo(rewards, groups):
    changed = rewards.clone()
    changed[0] = 1 - changed[0]
    weights = torch.ones(3)
    apart = [
        (group_advantages(r, weights, groups, a).values) for a in ("sum", "gdpo") for r in (rewards, changed)
    ]
    assert float((apart[0] - apart[1]).abs().mean()) < 0.2
    assert float((apart[2] - apart[3]).abs().mean()) > 1.0


def test_equal_groups_teach_nothing_and_crash_nothing():
    """21 times 0.1 in fp32 has a deviation of 7e-9, not 0."""
    equal = torch.full((1, 21), 0.1)
    found = group_advantages(equal, torch.ones(1), torch.zeros(21, dtype=torch.long))
    assert not found.values.any()
    assert not found.informative.any()
    assert found.equal_groups == 1
    nothing = group_advantages(torch.full((1, 4), torch.nan), torch.ones(1), torch.zeros(4, dtype=torch.long))
    assert not nothing.values.any()


@pytest.mark.parametrize("aggregate", ["sum", "gdpo"])
def test_jitter_is_not_blown_up(aggregate):
    jitter = 0.5 + 1e-6 * torch.rand(1, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = group_advantages(jitter, torch.ones(1), torch.zeros(8, dtype=torch.long), aggregate)
    assert float(found.values.abs().max()) < 0.05


def test_one_equal_group_does_not_silence_the_others():
    rewards = torch.tensor([[1.0, 1.0, 0.0, 1.0]])
    found = group_advantages(rewards, torch.ones(1), torch.tensor([5, 5, 9, 9]))
    assert found.informative.tolist() == [False, False, True, True]
    assert found.values.tolist() == pytest.approx([0, 0, -0.9998, 0.9998], abs=1e-4)
    assert found.equal_groups == 0.5


def test_a_group_of_one_is_refused():
    with pytest.raises(ValueError, match="at least two"):
        group_advantages(torch.rand(1, 3), torch.ones(1), torch.tensor([0, 0, 1]))


def test_advantages_are_limited():
    rewards = torch.zeros(1, 40)
    rewards[0, 0] = 1.0  # 6.2 deviations above the mean
    found = group_advantages(rewards, torch.ones(1), torch.zeros(40, dtype=torch.long), limit=5.0)
    assert float(found.values.max()) == 5.0
    assert float(found.values.min()) > -1
