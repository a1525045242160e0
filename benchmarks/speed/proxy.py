"""A FLUX of diffusers' own class, small enough for a CPU, with random weights and something to draw."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from lightning_modules.backbone.adapters import LoRASpec
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.flux_source import FluxConfig
from lightning_modules.backbone.positions import grid_ids, text_ids
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence

CHANNELS = 64  # of a packed latent token
_ROPE = (2, 7, 7)  # sixteenths of a head turned by plane, row and column in every FLUX


@dataclass(frozen=True)
class Proxy:
    """Sizes of a network and of what it draws.

    Shrinking the width and the number of tokens by the same factor keeps the share of attention in the work, and with
    it the ratios between long and short sequences; fewer blocks change no ratio, since all blocks cost alike.

    Attributes:
        heads: attention heads.
        head_dim: width of a head, a multiple of 32.
        double_blocks: double-stream blocks.
        single_blocks: single-stream blocks.
        text_channels: channels of a text token.
        pooled_channels: channels of the pooled prompt.
        side: rows, and columns, of the canvas in tokens.
        text_tokens: tokens of the prompt.
        batch: images at once.
        dtype: of the weights.
    """

    heads: int
    head_dim: int
    double_blocks: int
    single_blocks: int
    text_channels: int
    pooled_channels: int
    side: int
    text_tokens: int
    batch: int = 1
    dtype: str = "bfloat16"

    def __post_init__(self) -> None:
        if self.head_dim < 1 or self.head_dim % 32:
            raise ValueError(
                f"head_dim: {self.head_dim} must be a multiple of 32, as FLUX's positions ask for"
            )
        for name in ("heads", "double_blocks", "single_blocks", "side", "text_tokens", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} must be at least 1")

    def config(self) -> FluxConfig:
        """The network's size as diffusers writes it."""
        plane, row, column = (part * self.head_dim // 16 for part in _ROPE)
        return FluxConfig(
            in_channels=CHANNELS,
            num_layers=self.double_blocks,
            num_single_layers=self.single_blocks,
            attention_head_dim=self.head_dim,
            num_attention_heads=self.heads,
            joint_attention_dim=self.text_channels,
            pooled_projection_dim=self.pooled_channels,
            axes_dims_rope=(plane, row, column),
        )

    def backbone(self, adapters: dict[str, LoRASpec] | None = None) -> FluxBackbone:
        """The frozen network, all of its matrices random: a fresh FLUX has zeros where numbers would be lost."""
        backbone = FluxBackbone(config=self.config(), dtype=self.dtype, adapters=adapters).configure()
        network: Any = backbone.transformer
        for parameter in network.parameters():
            if parameter.ndim > 1:
                nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5)
        network.requires_grad_(False).eval()
        return backbone

    def noise(self) -> Float[Tensor, "b s 64"]:
        """The same standard normal canvas at every call."""
        return self._drawn(0, self.side**2, CHANNELS)

    def canvas(self, person: int = 0) -> Float[Tensor, "b s 64"]:
        """Latents of one person's full canvas."""
        return self._drawn(1 + person, self.side**2, CHANNELS)

    def sequence(self, *conditions: TokenGroup) -> TokenSequence:
        """A prompt, the noise, and conditions that everything sees."""
        return TokenSequence(
            TokenGroup(self._drawn(-1, self.text_tokens, self.text_channels), text_ids(self.text_tokens)),
            self._drawn(-2, 1, self.pooled_channels)[:, 0],
            TokenGroup(self.noise(), grid_ids(self.side, self.side)),
            conditions,
        )

    def _drawn(self, stream: int, *shape: int) -> Float[Tensor, "b *shape"]:
        return torch.randn(self.batch, *shape, generator=Generator().manual_seed(1000 + stream))
