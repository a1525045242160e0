"""Sizes of FLUX transformers, and where one comes from: a folder, a hub id, a shipped model, or chance."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import torch
from diffusers import FluxTransformer2DModel
from diffusers.models.normalization import RMSNorm
from torch import nn

from lightning_modules.backbone.hub import pipeline_folder
from lightning_modules.sharding import zero_init

SHIPPED = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class FluxConfig:
    """Size of a FLUX transformer, as in diffusers' ``FluxTransformer2DModel``; the defaults are FLUX.1-schnell's.

    Attributes:
        in_channels: channels of a packed latent token.
        num_layers: double-stream blocks.
        num_single_layers: single-stream blocks.
        attention_head_dim: width of a head.
        num_attention_heads: heads.
        joint_attention_dim: channels of a text token.
        pooled_projection_dim: channels of the pooled text vector.
        guidance_embeds: whether the guidance scale is an input (dev, Kontext) or not (schnell, tiny).
        axes_dims_rope: rotary dimensions for plane, row and column; they add up to the head's width.
    """

    in_channels: int = 64
    num_layers: int = 19
    num_single_layers: int = 38
    attention_head_dim: int = 128
    num_attention_heads: int = 24
    joint_attention_dim: int = 4096
    pooled_projection_dim: int = 768
    guidance_embeds: bool = False
    axes_dims_rope: tuple[int, int, int] = (16, 56, 56)

    def __post_init__(self) -> None:
        if sum(self.axes_dims_rope) != self.attention_head_dim:
            raise ValueError(
                f"axes_dims_rope: {self.axes_dims_rope} must add up to attention_head_dim={self.attention_head_dim}"
            )


def draw_transformer(config: FluxConfig) -> FluxTransformer2DModel:
    """Random weights, with modulation and output zero as FLUX is trained from."""
    model = FluxTransformer2DModel(**asdict(config))
    for name, parameter in cast(nn.Module, model).named_parameters():
        if ".linear." in name or name.startswith("proj_out"):
            with zero_init.gathered([parameter], writable=True):
                nn.init.zeros_(parameter)
    return with_fused_norms(model)


def load_transformer(source: str, dtype: torch.dtype) -> FluxTransformer2DModel:
    """A frozen transformer from a diffusers folder (of a pipeline or a transformer), a hub id or a shipped name.

    Raises:
        ValueError: if ``source`` is none of these.
    """
    shipped = SHIPPED / source
    folder = shipped if shipped.is_dir() else pipeline_folder(source, ["transformer"], allow_download=True)
    subfolder = None if (folder / "config.json").is_file() else "transformer"
    if zero_init.built_sharded():
        model = FluxTransformer2DModel.from_config(
            FluxTransformer2DModel.load_config(folder, subfolder=subfolder)
        )
        zero_init.load_weights(model, folder / (subfolder or ""))
    else:
        model = FluxTransformer2DModel.from_pretrained(folder, subfolder=subfolder, torch_dtype=dtype)
    return with_fused_norms(cast(FluxTransformer2DModel, model.requires_grad_(False).eval()))


def with_fused_norms(model: FluxTransformer2DModel) -> FluxTransformer2DModel:
    """diffusers' norms of queries and keys replaced by torch's own: one kernel instead of five, over the same weights.

    In half precision torch rounds once, after the gain, where diffusers rounds before it too.
    """
    for module in list(cast(nn.Module, model).modules()):
        for name, norm in list(module.named_children()):
            if isinstance(norm, RMSNorm):
                fused = nn.RMSNorm(norm.dim, eps=norm.eps, device="meta")
                fused.weight = norm.weight  # the very parameter: sharding has marked it already
                setattr(module, name, fused.train(norm.training))
    return model
