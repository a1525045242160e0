"""Tukey's fences against matplotlib's box plot."""

import numpy as np
import pytest
import torch
from matplotlib.cbook import boxplot_stats

from rewards.functional.outliers import within_fences


@pytest.mark.parametrize("whisker", [0.5, 1.5, 3.0])
def test_what_lies_outside_is_matplotlibs(whisker):
    values = np.random.default_rng(2).standard_t(2, size=200)
    outside = values[~within_fences(torch.from_numpy(values), whisker).numpy()]
    expected = boxplot_stats(values, whis=whisker)[0]["fliers"]
    assert len(expected) > 0
    np.testing.assert_array_equal(np.sort(outside), np.sort(expected))


def test_unknown_values_are_outside_and_move_nothing():
    values = torch.tensor([1.0, 1.1, torch.nan, 1.2, 9.0])
    assert within_fences(values).tolist() == [True, True, False, True, False]
    assert not len(within_fences(torch.zeros(0)))


def test_a_negative_reach_is_refused():
    with pytest.raises(ValueError, match="whisker"):
        within_fences(torch.ones(3), -1.0)
