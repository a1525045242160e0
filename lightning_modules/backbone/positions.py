"""Position ids (plane, row, column) of tokens, and their rotary tables.

FLUX rotates each head by three angles: 16 dimensions by the plane, 56 by the row, 56 by the column. Text sits at
(0, 0, 0); the noise canvas at (0, row, column); Kontext's context image at (1, row, column).
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from diffusers.models.embeddings import get_1d_rotary_pos_embed
from jaxtyping import Complex64, Float
from torch import Tensor

THETA = 10_000
CONTEXT_PLANE = 1
"""Where Kontext's context image stands."""


Rotary = Complex64[Tensor, "#b s 1 pairs"]
"""Turns of a token sequence, one complex number of modulus 1 per pair of dimensions, for ``"b s heads head_dim"``."""


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
    cos, sin = (torch.cat([table[i][:, ::2] for table in tables], dim=-1) for i in (0, 1))
    return torch.complex(cos, sin).reshape(b, s, 1, -1)


def rotate(x: Float[Tensor, "b s heads head_dim"], rotary: Rotary) -> Float[Tensor, "b s heads head_dim"]:
    """Rotate neighbouring pairs of dimensions, as FLUX does, in fp32.

    As a product of complex numbers it takes 0.55 of the time that real arithmetic takes on a CPU, to the last bit.
    """
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * rotary).flatten(-2).to(x.dtype)
