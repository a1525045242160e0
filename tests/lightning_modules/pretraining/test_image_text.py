import pytest
import torch
from torch.nn.functional import cross_entropy

from lightning_modules.pretraining.image_text import contrastive_loss, top1_accuracy


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


def test_top1_is_that_of_own_captions():
    e = torch.eye(50)
    assert top1_accuracy(e, e) == 1.0
    assert top1_accuracy(e, -e) == 0.0
    with pytest.raises(ValueError, match="number of captions"):
        top1_accuracy(e[:5], e[:5])
