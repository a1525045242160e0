"""Top-1 of k against torchmetrics, counting, and chance."""

import pytest
import torch
from torchmetrics.functional.retrieval import retrieval_hit_rate

from rewards.functional.retrieval import draw_candidates, top1_credit, top1_of_k


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_credit_is_torchmetrics_hit_rate_at_one():
    scores = torch.randn(50, 8, generator=seeded())
    target = torch.randint(8, (50,), generator=seeded(1))
    expected = [
        retrieval_hit_rate(row, torch.nn.functional.one_hot(t, 8), top_k=1).item()
        for row, t in zip(scores, target, strict=True)
    ]
    assert top1_credit(scores, target).tolist() == expected
    assert 0 < sum(expected) < 50


def test_ties_share_the_credit_and_nan_loses():
    scores = torch.tensor([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0], [0.0, 3.0, 3.0], [torch.nan, 1.0, 0.0]])
    credit = top1_credit(scores, torch.zeros(4, dtype=torch.long))
    torch.testing.assert_close(credit, torch.tensor([0.5, 1 / 3, 0.0, 0.0]))


def test_candidates_hold_the_own_caption_first_and_no_caption_twice():
    drawn = draw_candidates(40, 8, seeded())
    assert drawn[:, 0].tolist() == list(range(40))
    assert all(len(set(row)) == 8 for row in drawn.tolist())
    assert torch.equal(drawn, draw_candidates(40, 8, seeded()))
    others = torch.bincount(drawn[:, 1:].flatten(), minlength=40)
    assert others.min() > 0


def test_a_perfect_a_constant_and_a_random_scorer():
    assert top1_of_k(torch.eye(64), 32, seeded()).mean() == 1.0
    torch.testing.assert_close(top1_of_k(torch.zeros(64, 64), 32, seeded()), torch.full((64,), 1 / 32))
    chance = top1_of_k(torch.rand(2000, 2000, generator=seeded(1)), 4, seeded()).mean().item()
    assert chance == pytest.approx(0.25, abs=0.03)


def test_all_captions_as_candidates_is_the_plain_argmax():
    scores = torch.rand(30, 30, generator=seeded()) + torch.eye(30) * 0.4
    expected = (scores.argmax(dim=1) == torch.arange(30)).float()
    assert torch.equal(top1_of_k(scores, 30, seeded()), expected)
    assert 0 < expected.mean() < 1


@pytest.mark.parametrize("k", [1, 31])
def test_more_candidates_than_captions_are_refused(k):
    with pytest.raises(ValueError, match="k"):
        top1_of_k(torch.eye(30), k)
