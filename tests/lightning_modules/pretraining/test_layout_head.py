"""The head that asks the middle of the network where people and faces are."""

import pytest
import torch

from lightning_modules.pretraining.layout_head import COUNT_WEIGHT, DENSITY_WEIGHT, LayoutHead, face_density


def test_a_density_sums_to_the_number_of_faces():
    place = torch.tensor(
        [
            [r, c, p]
            for p, (y, x) in enumerate([(0, 0), (2, 5), (5, 5)])
            for r in (y, y + 1, y + 2)
            for c in (x, x + 1)
        ]
    )
    density = face_density(place, 8).view(8, 8)
    assert float(density.sum()) == pytest.approx(3)
    assert density[1, :2].tolist() == [0.5, 0.5]  # rows 0 to 2, columns 0 and 1
    assert density[3, 5:7].tolist() == [0.5, 0.5]
    assert int((density > 0).sum()) == 6


def test_a_density_is_the_transpose_of_bilinear_reading():
    """What a face adds to each token is the weight ``grid_sample`` reads that token with at the face's middle."""
    place = torch.tensor([[1, 2, 0], [1, 3, 0], [2, 2, 0]])  # its middle is (4/3, 7/3)
    tokens = torch.arange(25.0).view(1, 1, 5, 5).square()
    middle = place[:, :2].float().mean(0).flip(0) / 4 * 2 - 1
    read = torch.nn.functional.grid_sample(tokens, middle.view(1, 1, 1, 2), align_corners=True)
    assert float(face_density(place, 5) @ tokens.flatten()) == pytest.approx(float(read), rel=1e-5)


def test_nobody_has_no_density():
    assert not face_density(torch.zeros(0, 3, dtype=torch.long), 4).any()


def test_the_loss_is_made_of_three_squares():
    torch.manual_seed(0)
    head = LayoutHead(6)
    hidden, people, density = torch.randn(2, 9, 6), torch.rand(2, 9), torch.rand(2, 9)
    share, faces = head(hidden)[..., 0], head(hidden)[..., 1]
    expected = (share - people).square().mean() + DENSITY_WEIGHT * (faces - density).square().mean()
    expected += COUNT_WEIGHT * (faces.sum(1) - density.sum(1)).square().mean()
    torch.testing.assert_close(head.loss(hidden, people, density), expected)
