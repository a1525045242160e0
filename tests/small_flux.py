"""FLUX networks small enough to train in a test: one block of each kind, two heads of 16 channels."""

from dataclasses import replace

from lightning_modules.backbone.flux import FluxConfig

SMALL = FluxConfig(
    in_channels=8,
    num_layers=1,
    num_single_layers=1,
    attention_head_dim=16,
    num_attention_heads=2,
    joint_attention_dim=12,
    pooled_projection_dim=12,
    axes_dims_rope=(4, 6, 6),
)
SMALL_ON_LATENTS = replace(SMALL, in_channels=64, joint_attention_dim=384, pooled_projection_dim=384)
"""The same for packed latents of the codec and prompts of MiniLM."""
