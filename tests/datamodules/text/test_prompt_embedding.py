"""Prompts put together of encoded ones."""

import pytest
import torch

from datamodules.text.minilm import MiniLMPromptEncoder

ENCODER = MiniLMPromptEncoder()


@pytest.mark.parametrize("text", ["", "a very long text with many more words than any of the prompts has"])
def test_chosen_prompts_become_another_text(text):
    prompts = ["two women", "a man on a beach", "a child"]
    mixed = ENCODER.encode(prompts).replaced(torch.tensor([False, True, False]), ENCODER.encode([text]))
    wanted = ENCODER.encode([prompts[0], text, prompts[2]])
    for i in range(3):
        ours, theirs = mixed.tokens[i][mixed.valid[i]], wanted.tokens[i][wanted.valid[i]]
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
        assert torch.equal(mixed.offsets[i][mixed.valid[i]], wanted.offsets[i][wanted.valid[i]])
    torch.testing.assert_close(mixed.pooled, wanted.pooled, atol=1e-5, rtol=1e-4)
    assert not mixed.tokens[~mixed.valid].any()


def test_several_texts_are_refused():
    pair = ENCODER.encode(["a", "b"])
    with pytest.raises(ValueError, match="text: 2 texts; give one"):
        pair.replaced(torch.tensor([True, False]), pair)
