import pytest
import torch
from torch.nn.functional import cross_entropy

from lightning_modules.pretraining.image_text import contrastive_loss, top1_of


def test_equal_captions_are_not_held_against_each_other():
    torch.manual_seed(0)
    logits = torch.randn(4, 4)
    prompts = ("a", "b", "a", "c")
    want = 0.0
    for i in range(4):
        keep = [j for j in range(4) if j == i or prompts[j] != prompts[i]]
        own = torch.tensor([keep.index(i)])
        want += cross_entropy(logits[i, keep][None], own) + cross_entropy(logits[keep, i][None], own)
    torch.testing.assert_close(contrastive_loss(logits, prompts), want / 8)


def test_top1_of_counts_own_captions_that_win():
    e = torch.eye(50)
    assert top1_of(e, e, 32) == 1.0
    assert top1_of(e, e.roll(1, 0), 50) == 0.0
    torch.manual_seed(0)
    random = torch.randn(4000, 16), torch.randn(4000, 16)
    assert top1_of(*random, candidates=4) == pytest.approx(0.25, abs=0.03)


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match="too few"):
        top1_of(torch.eye(5), torch.eye(5), 32)
