"""A small random FLUX with every layer at work, and the stock diffusers class on the same weights."""

from dataclasses import replace

import torch
from diffusers import FluxTransformer2DModel

from lightning_modules.backbone.flux import FluxBackbone, FluxConfig
from lightning_modules.backbone.positions import grid_ids, text_ids
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence, Visibility

TINY = FluxConfig(
    in_channels=16,
    num_layers=2,
    num_single_layers=3,
    attention_head_dim=16,
    num_attention_heads=4,
    joint_attention_dim=32,
    pooled_projection_dim=16,
    axes_dims_rope=(4, 6, 6),
)


def tiny_backbone(dtype: str = "float32", **changes) -> FluxBackbone:
    """A random model without zero layers, so that every weight matters."""
    torch.manual_seed(0)
    adapters = changes.pop("adapters", None)
    checkpointing = changes.pop("gradient_checkpointing", False)
    backbone = FluxBackbone(
        config=replace(TINY, **changes), dtype=dtype, adapters=adapters, gradient_checkpointing=checkpointing
    ).configure()
    for parameter in backbone.parameters():
        torch.nn.init.normal_(parameter, std=0.08)
    return backbone.requires_grad_(False)


def tokens(b=2, s=16, c=16, side=4, plane=0, seed=1, **fields) -> TokenGroup:
    draw = torch.randn(b, s, c, generator=torch.Generator().manual_seed(seed))
    return TokenGroup(draw, grid_ids(side, s // side, plane), **fields)


def sequence(b=2, conditions=(), visibility=Visibility.JOINT, adapters=()) -> TokenSequence:
    rng = torch.Generator().manual_seed(7)
    text = TokenGroup(torch.randn(b, 5, 32, generator=rng), text_ids(5), adapters=adapters)
    pooled = torch.randn(b, 16, generator=rng)
    return TokenSequence(text, pooled, tokens(b, adapters=adapters), tuple(conditions), visibility)


def stock(backbone: FluxBackbone, seq: TokenSequence, sigma: torch.Tensor, **extra) -> torch.Tensor:
    """The stock forward on text, noise and conditions in one row; ids are the first sample's."""
    model = FluxTransformer2DModel.from_config(backbone.transformer.config).to(backbone.dtype)
    model.load_state_dict(backbone.transformer.state_dict())
    groups = [seq.noise, *seq.conditions]
    out = model(
        hidden_states=torch.cat([g.tokens for g in groups], dim=1).to(backbone.dtype),
        encoder_hidden_states=seq.text.tokens.to(backbone.dtype),
        pooled_projections=seq.pooled.to(backbone.dtype),
        timestep=sigma,
        img_ids=torch.cat([g.ids[0] for g in groups]),
        txt_ids=seq.text.ids[0],
        return_dict=False,
        **extra,
    )[0]
    return out[:, : len(seq.noise)]


SIGMA = torch.tensor([0.3, 0.8])
