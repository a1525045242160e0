"""The Hungarian matching against brute force over all matchings."""

import itertools

import pytest
import torch

from rewards.functional.assignment import hungarian


def all_matchings(n, m):
    for size in range(min(n, m) + 1):
        for rows in itertools.combinations(range(n), size):
            for columns in itertools.permutations(range(m), size):
                yield list(zip(rows, columns, strict=True))


def brute_force(cost):
    """Size and total of the best matching without forbidden pairs: most pairs first, then least cost."""
    best = (0, 0.0)
    for pairs in all_matchings(*cost.shape):
        values = [cost[pair].item() for pair in pairs]
        if all(map(torch.isfinite, map(torch.tensor, values))):
            best = min(best, (-len(pairs), sum(values)))
    return -best[0], best[1]


@pytest.mark.parametrize("shape", [(1, 1), (2, 4), (4, 2), (4, 4), (5, 3)])
@pytest.mark.parametrize("holes", [0.0, 0.4, 0.8])
def test_the_matching_is_the_best_of_all(shape, holes):
    generator = torch.Generator().manual_seed(sum(shape))
    for _ in range(4):
        cost = torch.randn(shape, generator=generator, dtype=torch.float64)
        cost[torch.rand(shape, generator=generator) < holes] = torch.nan
        rows, columns = hungarian(cost)
        size, total = brute_force(cost)
        assert len(rows) == len(columns) == size
        assert cost[rows, columns].sum().item() == pytest.approx(total, abs=1e-9)
        assert len(set(rows.tolist())) == len(set(columns.tolist())) == size


def test_six_people_against_every_permutation():
    cost = torch.rand(6, 6, generator=torch.Generator().manual_seed(0))
    best = min(sum(cost[i, p[i]].item() for i in range(6)) for p in itertools.permutations(range(6)))
    rows, columns = hungarian(cost)
    assert cost[rows, columns].sum().item() == pytest.approx(best, abs=1e-6)


def test_maximizing_is_minimizing_the_negative():
    gain = torch.rand(4, 6, generator=torch.Generator().manual_seed(1))
    for a, b in zip(hungarian(gain, maximize=True), hungarian(-gain), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nobody_matches_nobody(shape):
    pairs = hungarian(torch.zeros(shape))
    assert pairs.rows.tolist() == pairs.columns.tolist() == []
    assert pairs.partners(shape[0]).tolist() == [-1] * shape[0]


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("maximize", [False, True])
def test_forbidden_pairs_are_never_matched(bad, maximize):
    cost = torch.tensor([[bad, 1.0], [bad, 0.5], [bad, 2.0]])
    pairs = hungarian(cost, maximize=maximize)
    assert pairs.columns.tolist() == [1]
    assert pairs.rows.tolist() == [2 if maximize else 1]
    assert len(hungarian(torch.full((2, 2), bad)).rows) == 0


def test_more_pairs_win_over_cheaper_ones():
    cost = torch.tensor([[0.0, 1e6], [torch.nan, torch.nan], [0.0, torch.nan]])
    assert hungarian(cost).partners(3).tolist() == [1, -1, 0]
