"""Position ids (plane, row, column) of tokens, and their rotary tables.

FLUX rotates each head by three angles: 16 dimensions by the plane, 56 by the row, 56 by the column. Text sits at
(0, 0, 0); the noise canvas at (0, row, column); Kontext's context image at (1, row, column).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
from diffusers.models.embeddings import get_1d_rotary_pos_embed
from jaxtyping import Float
from torch import Tensor

THETA = 10_000


class Rotary(NamedTuple):
    """Cosines and sines of a token sequence, ready to be multiplied with ``"b s heads head_dim"``."""

    cos: Float[Tensor, "#b s 1 head_dim"]
    sin: Float[Tensor, "#b s 1 head_dim"]

    def slice(self, start: int, stop: int) -> "Rotary":
        """The table of tokens ``start`` to ``stop``."""
        return Rotary(self.cos[:, start:stop], self.sin[:, start:stop])


def text_ids(tokens: int) -> Float[Tensor, "1 s 3"]:
    """Text stands at the origin."""
    return torch.zeros(1, tokens, 3)


def grid_ids(rows: int, columns: int, plane: int = 0) -> Float[Tensor, "1 s 3"]:
    """Ids of a full canvas in reading order."""
    ids = torch.zeros(rows, columns, 3)
    ids[..., 0] = plane
    ids[..., 1] = torch.arange(rows)[:, None]
    ids[..., 2] = torch.arange(columns)[None, :]
    return ids.reshape(1, rows * columns, 3)


def rotary_table(ids: Float[Tensor, "b s 3"], axes_dims: Sequence[int]) -> Rotary:
    """Rotary angles per token and sample; the same numbers as diffusers' ``FluxPosEmbed``, for batched ids.

    Stock FLUX takes one id table for the whole batch and silently uses sample 0's where given more.
    """
    b, s, _ = ids.shape
    flat = ids.reshape(b * s, 3).float()
    tables = [
        get_1d_rotary_pos_embed(
            dim,
            cast(Any, flat[:, axis]),
            theta=THETA,
            use_real=True,
            repeat_interleave_real=True,
            freqs_dtype=torch.float32 if ids.device.type in ("mps", "npu") else torch.float64,
        )
        for axis, dim in enumerate(axes_dims)
    ]
    cos = torch.cat([table[0] for table in tables], dim=-1).reshape(b, s, 1, -1)
    sin = torch.cat([table[1] for table in tables], dim=-1).reshape(b, s, 1, -1)
    return Rotary(cos, sin)


def rotate(x: Float[Tensor, "b s heads head_dim"], rotary: Rotary) -> Float[Tensor, "b s heads head_dim"]:
    """Rotate neighbouring pairs of dimensions, as FLUX does."""
    real, imaginary = x.reshape(*x.shape[:-1], -1, 2).unbind(-1)
    turned = torch.stack([-imaginary, real], dim=-1).flatten(-2)
    return (x.float() * rotary.cos + turned.float() * rotary.sin).to(x.dtype)
