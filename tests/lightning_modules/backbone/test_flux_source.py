"""Norms swapped for torch's own compute what diffusers' compute, over the same parameters."""

import pytest
import torch
from diffusers import FluxTransformer2DModel
from diffusers.models.normalization import RMSNorm
from torch import nn

from lightning_modules.backbone.flux_source import with_fused_norms

SIZE = {
    "in_channels": 16,
    "num_layers": 1,
    "num_single_layers": 1,
    "attention_head_dim": 16,
    "num_attention_heads": 2,
    "joint_attention_dim": 32,
    "pooled_projection_dim": 16,
    "axes_dims_rope": (4, 6, 6),
}


def test_names_and_parameters_stay():
    model = FluxTransformer2DModel(**SIZE)
    before = dict(model.named_parameters())
    after = dict(with_fused_norms(model).named_parameters())
    assert list(before) == list(after)
    assert all(before[name] is after[name] for name in before)
    assert not [m for m in model.modules() if isinstance(m, RMSNorm)]
    assert sum(isinstance(m, nn.RMSNorm) for m in model.modules()) == 6


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 1 / 128)])
def test_the_norm_is_diffusers(dtype, tolerance):
    torch.manual_seed(0)
    model = FluxTransformer2DModel(**SIZE).to(dtype)
    theirs = model.transformer_blocks[0].attn.norm_q
    nn.init.normal_(theirs.weight)
    x = torch.randn(3, 5, 2, 16).to(dtype)
    expected = theirs(x).detach()
    ours = with_fused_norms(model).transformer_blocks[0].attn.norm_q
    assert type(ours) is nn.RMSNorm
    torch.testing.assert_close(ours(x).detach(), expected, rtol=tolerance, atol=1e-6)
