import pytest
import torch

from datamodules.text.memory import RememberingPromptEncoder
from datamodules.text.minilm import MiniLMPromptEncoder

PROMPTS = ["two women waving in a park", "", "Seven people on a beach, three of them sitting"]


class Counting(MiniLMPromptEncoder):
    """Notes what it is asked for."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def encode_rows(self, prompts):
        self.asked += prompts
        return super().encode_rows(prompts)


def test_what_is_remembered_is_not_asked_for_again():
    inner = Counting()
    encoder = RememberingPromptEncoder(inner)
    first = encoder.encode(PROMPTS)
    again = encoder.encode([PROMPTS[2], PROMPTS[0]])
    assert inner.asked == PROMPTS
    width = again.tokens.shape[1]
    assert torch.equal(again.tokens, first.tokens[[2, 0], :width])
    assert torch.equal(again.offsets, first.offsets[[2, 0], :width])


def test_memory_is_bounded_and_forgetting_changes_nothing():
    inner = Counting()
    encoder = RememberingPromptEncoder(inner, remembered=2)
    first = encoder.encode(PROMPTS)
    second = encoder.encode(PROMPTS)
    assert inner.asked == [*PROMPTS, PROMPTS[0]]
    assert torch.equal(first.tokens, second.tokens)


def test_half_precision_is_all_that_is_lost():
    encoder, inner = RememberingPromptEncoder(MiniLMPromptEncoder()), MiniLMPromptEncoder()
    remembered, exact = encoder.encode(PROMPTS), inner.encode(PROMPTS)
    torch.testing.assert_close(remembered.tokens, exact.tokens, atol=5e-3, rtol=1e-3)
    torch.testing.assert_close(remembered.pooled, exact.pooled, atol=5e-3, rtol=1e-3)
    assert encoder.fingerprint() == inner.fingerprint()


def test_no_memory_at_all_is_refused():
    with pytest.raises(ValueError, match="remembered: 0"):
        RememberingPromptEncoder(MiniLMPromptEncoder(), remembered=0)
