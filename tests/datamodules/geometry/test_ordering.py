"""Reading order against Python's sort."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from datamodules.geometry.ordering import reading_order

grid = st.integers(0, 4)


@given(st.lists(st.tuples(grid, grid), min_size=0, max_size=8))
def test_sorts_by_x_then_y_and_is_stable(centres):
    boxes = torch.tensor([[x - 0.5, y - 1.0, x + 0.5, y + 1.0] for x, y in centres]).reshape(-1, 4)
    expected = sorted(range(len(centres)), key=lambda k: centres[k])
    assert reading_order(boxes).tolist() == expected


def test_uses_centres_not_corners():
    wide, narrow = [0.0, 0.0, 1.0, 0.2], [0.1, 0.0, 0.2, 0.2]
    assert reading_order(torch.tensor([wide, narrow])).tolist() == [1, 0]
