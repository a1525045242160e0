"""Offsets of the text tokens' modulation against the stock block with a shifted embedding."""

from contextlib import contextmanager

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformerBlock
from stock_flux import SIGMA, sequence, stock, tiny_backbone


def test_text_modulation_is_an_offset_of_the_stock_blocks_embedding():
    """The same offset on every text token is what the stock class computes from a shifted embedding in that block."""
    backbone, seq = tiny_backbone(), sequence()
    offset = torch.randn(2, 64, generator=torch.Generator().manual_seed(3))
    seen = []

    def shift(module, arguments, keywords):
        seen.append(module)
        return arguments, {**keywords, "emb": keywords["emb"] + offset}

    with monitored(FluxTransformerBlock, shift):
        expected = stock(backbone, seq, SIGMA)
    everywhere = [torch.zeros(2, 5, 64), offset[:, None].expand(2, 5, 64)]
    moved = backbone(seq, SIGMA, text_modulation=everywhere)
    assert len(seen) == 1
    torch.testing.assert_close(moved, expected, rtol=0, atol=2e-6)
    assert (moved - backbone(seq, SIGMA)).abs().max() > 1e-3


@contextmanager
def monitored(kind, hook):
    """``hook`` before the text normalisation of the second block of ``kind`` that is called."""
    forward, calls = kind.forward, []

    def hooked(self, *args, **kwargs):
        calls.append(self)
        if len(calls) == 2:
            self.norm1_context.register_forward_pre_hook(hook, with_kwargs=True)
        return forward(self, *args, **kwargs)

    kind.forward = hooked
    try:
        yield
    finally:
        kind.forward = forward


def test_text_modulation_moves_only_the_samples_it_names():
    backbone, seq = tiny_backbone(), sequence()
    zero = [torch.zeros(2, 5, 64)] * 2
    plain = backbone(seq, SIGMA)
    torch.testing.assert_close(backbone(seq, SIGMA, text_modulation=zero), plain, rtol=0, atol=1e-6)
    offset = [torch.zeros(2, 5, 64) for _ in range(2)]
    offset[0][0, 2] = 1.0
    moved = backbone(seq, SIGMA, text_modulation=offset)
    assert (moved[0] - plain[0]).abs().max() > 1e-4
    torch.testing.assert_close(moved[1], plain[1], rtol=0, atol=1e-6)
    rest = [torch.full((2, 5, 64), 1.0) - o if i == 0 else o for i, o in enumerate(offset)]
    assert (backbone(seq, SIGMA, text_modulation=rest)[0] - moved[0]).abs().max() > 1e-4, "tokens differ"
