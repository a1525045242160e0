"""The unified score against scipy's geometric mean."""

import numpy as np
import pytest
import torch
from scipy import stats

from rewards.functional.unified import unified_score


def test_it_is_scipys_geometric_mean():
    parts = np.random.default_rng(0).uniform(0.01, 1.0, (50, 4))
    np.testing.assert_allclose(unified_score(torch.from_numpy(parts)), stats.gmean(parts, axis=1), rtol=1e-12)


def test_a_part_that_fails_fails_the_whole_and_one_unknown_leaves_it_unknown():
    found = unified_score(torch.tensor([[0.9, 0.0], [0.9, -0.2], [0.9, torch.nan], [1.0, 1.0]]))
    assert found[:2].tolist() == [0, 0]
    assert found[2].isnan()
    assert found[3] == 1


def test_the_unit_of_a_part_changes_no_order():
    parts = torch.rand(20, 3, generator=torch.Generator().manual_seed(1))
    scaled = parts * torch.tensor([1.0, 7.0, 0.3])
    assert torch.equal(unified_score(parts).argsort(), unified_score(scaled).argsort())
    assert unified_score(scaled)[0] / unified_score(parts)[0] == pytest.approx((7 * 0.3) ** (1 / 3))
