"""A tiny latent codec with FLUX's geometry: 8 x smaller, 16 channels, for any diffusers FLUX pipeline.

An 8 x 8 pixel-unshuffle turns the image into 192 channels; a linear map (started at the principal components of the
patches) and a residual convolutional network at latent resolution make 16 of them. The decoder mirrors it, with a
second stage at twice the resolution. Everything heavy happens on few, wide pixels, which is what a CPU does well.

The class carries the names FLUX pipelines read from an ``AutoencoderKL``: ``config.block_out_channels``,
``latent_channels``, ``scaling_factor``, ``shift_factor``, ``encode(x).latent_dist`` and ``decode(z)``. Pixels are in
[-1, 1], as in diffusers. The posterior is a point: ``latent_dist`` has (almost) no variance, so its mode, its mean and
its samples agree.
"""

from typing import cast

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput, DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

PATCH = 8
PATCH_CHANNELS = 3 * PATCH * PATCH
POINT_LOGVAR = -30.0  # the smallest log-variance a DiagonalGaussianDistribution keeps


class ChannelNorm(nn.Module):
    """Every pixel's channels at unit mean square, times a learned gain.

    Group normalisation would mix in the statistics of the whole picture, which differ between crops and scenes.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """``x`` over the root mean square of its channels."""
        scale = torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-6)
        return x * scale * self.weight[:, None, None]


class ResidualBlock(nn.Module):
    """Pre-activation residual block, identity at initialisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(cast(Tensor, self.conv2.bias))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """``x`` plus two convolutions."""
        return cast(Tensor, x + self.conv2(F.silu(self.conv1(self.norm(x)))))


class PatchAutoencoder(ModelMixin, ConfigMixin):
    """The tiny codec; ``from_pretrained``, ``save_pretrained`` and the FLUX pipelines take it as their ``vae``.

    Args:
        latent_channels: channels of a latent pixel (16 in FLUX).
        width: channels of the networks at 1/8 of the resolution.
        blocks: residual blocks at 1/8 of the resolution, in the encoder and in the decoder.
        decoder_blocks: as many in the decoder alone, if not None.
        fine_width: channels of the decoder's second stage, at 1/4 of the resolution, where most of the work is.
        fine_blocks: residual blocks of that stage.
        scaling_factor: latents are ``(z - shift_factor) * scaling_factor`` outside the codec, as in FLUX.
        shift_factor: see ``scaling_factor``.
        block_out_channels: only its length matters, 4, which tells pipelines that the codec shrinks by 8.
    """

    @register_to_config
    def __init__(  # noqa: PLR0913 - diffusers writes a flat list of arguments to config.json
        self,
        latent_channels: int = 16,
        width: int = 128,
        blocks: int = 1,
        decoder_blocks: int | None = None,
        fine_width: int = 96,
        fine_blocks: int = 4,
        scaling_factor: float = 1.0,
        shift_factor: float = 0.0,
        block_out_channels: tuple[int, ...] = (96, 96, 96, 192),
    ) -> None:
        super().__init__()
        self.linear_encoder = nn.Conv2d(PATCH_CHANNELS, latent_channels, 1)
        self.encoder = nn.Sequential(
            nn.Conv2d(PATCH_CHANNELS, width, 3, padding=1),
            *[ResidualBlock(width) for _ in range(blocks)],
            nn.SiLU(),
            nn.Conv2d(width, latent_channels, 3, padding=1),
        )
        self.linear_decoder = nn.Conv2d(latent_channels, PATCH_CHANNELS, 1)
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_channels, width, 3, padding=1),
            *[ResidualBlock(width) for _ in range(blocks if decoder_blocks is None else decoder_blocks)],
            nn.Conv2d(width, 4 * fine_width, 1),
            nn.PixelShuffle(2),
            *[ResidualBlock(fine_width) for _ in range(fine_blocks)],
            nn.SiLU(),
            nn.Conv2d(fine_width, 3 * (PATCH // 2) ** 2, 3, padding=1),
        )
        for network in (self.encoder, self.decoder):
            for parameter in network[-1].parameters():
                nn.init.zeros_(parameter)

    @torch.no_grad()
    def start_at_principal_components(self, images: Float[Tensor, "b 3 h w"]) -> None:
        """Set the linear maps to the principal components of the patches of ``images``, in [-1, 1].

        The kept components are scaled by the square root of their deviation, which evens out the channels, and to a
        mean variance of one.
        """
        latent_channels = self.linear_encoder.out_channels
        patches = F.pixel_unshuffle(images, PATCH).permute(0, 2, 3, 1).reshape(-1, PATCH_CHANNELS)
        mean = patches.mean(dim=0)
        covariance = (patches - mean).T @ (patches - mean) / len(patches)
        variances, components = torch.linalg.eigh(covariance)
        deviations = variances[-latent_channels:].flip(0).clamp(min=1e-8).sqrt()
        components = components[:, -latent_channels:].flip(1)
        scale = deviations.sqrt()
        scale = scale * (deviations / scale).square().mean().sqrt()
        self.linear_encoder.weight.copy_((components / scale).T[:, :, None, None])
        cast(Tensor, self.linear_encoder.bias).copy_(-(mean @ components) / scale)
        self.linear_decoder.weight.copy_((components * scale)[:, :, None, None])
        cast(Tensor, self.linear_decoder.bias).copy_(mean)

    def encode(
        self, x: Float[Tensor, "b 3 h w"], return_dict: bool = True
    ) -> AutoencoderKLOutput | tuple[DiagonalGaussianDistribution]:
        """The posterior of images in [-1, 1]; height and width must be multiples of 8.

        Raises:
            ValueError: if a side of the image is not a multiple of 8.
        """
        if x.shape[-1] % PATCH or x.shape[-2] % PATCH:
            raise ValueError(
                f"x: sides must be multiples of {PATCH}, got {tuple(x.shape[-2:])}; resize or pad the image"
            )
        patches = F.pixel_unshuffle(x, PATCH)
        mean = self.linear_encoder(patches) + self.encoder(patches)
        posterior = DiagonalGaussianDistribution(
            torch.cat([mean, torch.full_like(mean, POINT_LOGVAR)], dim=1)
        )
        return AutoencoderKLOutput(latent_dist=posterior) if return_dict else (posterior,)

    def decode(
        self, z: Float[Tensor, "b c h w"], return_dict: bool = True, generator: torch.Generator | None = None
    ) -> DecoderOutput | tuple[Tensor]:
        """Images in about [-1, 1] from unscaled latents; ``generator`` is accepted for pipelines and unused."""
        coarse = F.pixel_shuffle(self.linear_decoder(z), PATCH)
        image = coarse + F.pixel_shuffle(self.decoder(z), PATCH // 2)
        return DecoderOutput(sample=image) if return_dict else (image,)

    def forward(self, x: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """Encode and decode: the round trip of images in [-1, 1]."""
        latents = cast(AutoencoderKLOutput, self.encode(x)).latent_dist.mode()
        return cast(DecoderOutput, self.decode(latents)).sample
