"""The kernel distance against torchmetrics and against its definition."""

import itertools

import pytest
import torch
from torchmetrics.image.kid import KernelInceptionDistance, poly_mmd

from rewards.functional.kernel import kernel_distance, polynomial_mmd


def sets(n=12, m=12, width=7, shift=0.5):
    a, b = torch.randn(n, width, dtype=torch.float64), torch.randn(m, width, dtype=torch.float64) + shift
    return a, b


def test_one_pair_of_sets_is_torchmetrics():
    a, b = sets()
    torch.testing.assert_close(polynomial_mmd(a, b), poly_mmd(a, b), atol=1e-12, rtol=0)


def test_sets_of_different_sizes_are_the_definition():
    a, b = sets(5, 8)

    def kernel(x, y):
        return (float(x @ y) / 7 + 1) ** 3

    by_hand = (
        sum(kernel(x, y) for x, y in itertools.permutations(a, 2)) / (5 * 4)
        + sum(kernel(x, y) for x, y in itertools.permutations(b, 2)) / (8 * 7)
        - 2 * sum(kernel(x, y) for x in a for y in b) / (5 * 8)
    )
    assert float(polynomial_mmd(a, b)) == pytest.approx(by_hand, abs=1e-12)


def test_it_is_unbiased():
    """Two halves of one population differ by nothing on average; the biased estimate would be well above zero."""
    values = torch.stack([polynomial_mmd(*sets(10, 10, 3, 0.0)) for _ in range(400)])
    assert abs(float(values.mean())) < 4 * float(values.std()) / 400**0.5


def test_subsets_agree_with_torchmetrics_within_their_spread():
    class Same(torch.nn.Module):
        num_features = 7

        def forward(self, x):
            return x.flatten(1)[:, :7].double()

    a, b = sets(200, 200)
    ours = kernel_distance(a, b, subsets=60, subset_size=40)
    theirs = KernelInceptionDistance(Same(), subsets=60, subset_size=40)
    theirs.real_features, theirs.fake_features = [a], [b]
    mean, std = theirs.compute()
    assert abs(ours.mean - float(mean)) < 4 * float(std) / 60**0.5 * 2**0.5
    assert ours.std == pytest.approx(float(std), rel=0.5)
    assert kernel_distance(a, b, 3, 40) == kernel_distance(a, b, 3, 40)
    assert kernel_distance(a, b, 3, 40, seed=1) != kernel_distance(a, b, 3, 40)


def test_small_sets_are_compared_once():
    a, b = sets()
    assert kernel_distance(a, b) == (float(polynomial_mmd(a, b)), 0.0)


@pytest.mark.usefixtures("unchecked_shapes")
def test_what_cannot_be_compared_is_named():
    with pytest.raises(ValueError, match=r"features: shapes \(1, 7\)"):
        polynomial_mmd(torch.zeros(1, 7), torch.zeros(3, 7))
    with pytest.raises(ValueError, match="one width"):
        polynomial_mmd(torch.zeros(3, 7), torch.zeros(3, 6))
    with pytest.raises(ValueError, match="subsets, subset_size: 0"):
        kernel_distance(*sets(), subsets=0)
