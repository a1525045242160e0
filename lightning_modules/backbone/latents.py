"""Images to FLUX tokens and back: the codec, the 2 x 2 packing, the latent scale.

A token covers 16 x 16 pixels: the codec shrinks by 8, and 2 x 2 latent pixels of 16 channels are packed into one
token of 64. Tokens are in reading order, row by row.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float
from torch import Tensor

from lightning_modules.backbone.autoencoder import PatchAutoencoder

TOKEN_PIXELS = 16
SHIPPED_CODEC = Path(__file__).parent / "weights" / "codec"


def token_grid(size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of tokens of an image of ``size`` (height, width) in pixels."""
    return size[0] // TOKEN_PIXELS, size[1] // TOKEN_PIXELS


def pack(latents: Float[Tensor, "b c h w"]) -> Float[Tensor, "b s d"]:
    """2 x 2 latent pixels to one token of 4 c channels (channel-major, as FLUX packs them).

    Raises:
        ValueError: if the latent's height or width is odd.
    """
    b, c, h, w = latents.shape
    if h % 2 or w % 2:
        raise ValueError(f"latents: height and width must be even to be packed 2 x 2, got {(h, w)}")
    grid = latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return grid.reshape(b, (h // 2) * (w // 2), 4 * c)


def unpack(tokens: Float[Tensor, "b s d"], rows: int, columns: int) -> Float[Tensor, "b c h w"]:
    """The inverse of :func:`pack` for a grid of ``rows`` x ``columns`` tokens.

    Raises:
        ValueError: if the number of tokens is not ``rows * columns``.
    """
    b, s, d = tokens.shape
    if s != rows * columns:
        raise ValueError(f"tokens: {s} tokens do not fill a grid of {rows} x {columns}")
    grid = tokens.view(b, rows, columns, d // 4, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return grid.reshape(b, d // 4, 2 * rows, 2 * columns)


@dataclass(frozen=True)
class LatentCodec:
    """Images in [0, 1] to scaled, packed tokens and back, through any diffusers autoencoder of FLUX's geometry.

    The posterior's mode is used throughout: it is deterministic, so latents may be cached. Images and tokens may be on
    any device; results are where the autoencoder is.

    Attributes:
        vae: ``AutoencoderKL`` or :class:`PatchAutoencoder`.
    """

    vae: Any

    @classmethod
    def from_pretrained(cls, folder: str | Path, dtype: torch.dtype = torch.float32) -> Self:
        """Load a codec folder written by ``save_pretrained``: ours or an ``AutoencoderKL``.

        Raises:
            ValueError: if the folder has no ``config.json``.
        """
        config = Path(folder) / "config.json"
        if not config.is_file():
            raise ValueError(
                f"folder: {folder} holds no config.json; expected a diffusers autoencoder folder"
            )
        ours = PatchAutoencoder.__name__ in config.read_text()
        model = PatchAutoencoder if ours else AutoencoderKL
        vae = model.from_pretrained(folder, torch_dtype=dtype).requires_grad_(False).eval()
        return cls(vae.to(memory_format=torch.channels_last))

    def encode(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b s d"]:
        """Packed latents of images in [0, 1]; the gradient flows if the codec's inputs require it."""
        pixels = (images * 2 - 1).to(self._like)
        latents = self.vae.encode(pixels).latent_dist.mode().float()
        return pack((latents - self.vae.config.shift_factor) * self.vae.config.scaling_factor)

    def decode(self, tokens: Float[Tensor, "b s d"], size: tuple[int, int]) -> Float[Tensor, "b 3 h w"]:
        """Images in [0, 1] of ``size`` (height, width) in pixels."""
        latents = unpack(tokens.float(), *token_grid(size))
        latents = latents / self.vae.config.scaling_factor + self.vae.config.shift_factor
        pixels = self.vae.decode(latents.to(self._like), return_dict=False)[0].float()
        return cast(Tensor, ((pixels + 1) / 2).clamp(0, 1))

    def round_trip(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """What is left of images after the codec: the ceiling of every model that draws in its latents."""
        return self.decode(self.encode(images), (images.shape[-2], images.shape[-1]))

    @property
    def _like(self) -> Tensor:
        """Of the autoencoder's device and precision."""
        return cast(Tensor, next(self.vae.parameters()))


def load_codec(source: str | Path | None = None, dtype: torch.dtype = torch.float32) -> LatentCodec:
    """The shipped tiny codec, or the one in the folder ``source``."""
    return LatentCodec.from_pretrained(source or SHIPPED_CODEC, dtype=dtype)


class LazyCodec:
    """A frozen codec that a module uses and does not own: loaded at its first use, on the module's device, never saved.

    Args:
        source: as for :func:`load_codec`.
        dtype: its precision.
    """

    def __init__(self, source: str | Path | None = None, dtype: torch.dtype = torch.float32) -> None:
        self.source, self.dtype = source, dtype
        self._codec: LatentCodec | None = None

    def on(self, device: torch.device) -> LatentCodec:
        """The codec, on ``device``."""
        if self._codec is None:
            self._codec = load_codec(self.source, dtype=self.dtype)
        self._codec.vae.to(device)
        return self._codec
