"""Who attends to whom, group by group: keys and values, padding, and the attention itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from lightning_modules.backbone.adapters import LoRASet
from lightning_modules.backbone.positions import Rotary

SHORT = 512  # keys up to which the score matrix is small enough to be written out on a CPU


class KeyValue(NamedTuple):
    """Keys and values of one group in one block, normalised and rotated."""

    key: Float[Tensor, "b s heads head_dim"]
    value: Float[Tensor, "b s heads head_dim"]


@dataclass(frozen=True)
class Branch:
    """What stays the same for a group through all blocks.

    Attributes:
        temb: time (and guidance and pooled text) embedding.
        rotary: rotation of the group's tokens.
        adapters: LoRA sets applied to the group's tokens.
    """

    temb: Float[Tensor, "b c"]
    rotary: Rotary
    adapters: tuple[LoRASet, ...] = ()


@dataclass(frozen=True)
class Routing:
    """The visibility table of one kind of block, with the padding of every group.

    Attributes:
        sees: ``sees[i][j]``: group i attends to group j; group 0 is text and noise.
        masks: per query group, which keys are real; None where nothing is padded.
    """

    sees: tuple[tuple[bool, ...], ...]
    masks: tuple[Bool[Tensor, "b 1 1 s"] | None, ...]

    @classmethod
    def of(
        cls,
        table: Bool[Tensor, "groups groups"],
        valid: Sequence[Bool[Tensor, "b s"] | None],
        like: Sequence[Tensor],
    ) -> Self:
        """Routing from a visibility table, the groups' padding masks and tensors of their (b, s) shapes."""
        rows = tuple(tuple(bool(cell) for cell in row) for row in table.tolist())
        masks: list[Tensor | None] = []
        for row in rows:
            seen = [j for j, cell in enumerate(row) if cell]
            if all(valid[j] is None for j in seen):
                masks.append(None)
                continue
            parts = [
                mask
                if (mask := valid[j]) is not None
                else torch.ones(like[j].shape[:2], dtype=torch.bool, device=like[j].device)
                for j in seen
            ]
            masks.append(torch.cat(parts, dim=1)[:, None, None, :])
        return cls(rows, tuple(masks))


def attend(
    query: Float[Tensor, "b q heads head_dim"],
    groups: Sequence[KeyValue],
    mask: Bool[Tensor, "b 1 1 s"] | None,
) -> Float[Tensor, "b q c"]:
    """Attention of one group to the groups it sees."""
    key = groups[0].key if len(groups) == 1 else torch.cat([g.key for g in groups], dim=1)
    value = groups[0].value if len(groups) == 1 else torch.cat([g.value for g in groups], dim=1)
    query, key, value = (x.transpose(1, 2) for x in (query, key, value))
    if query.device.type == "cpu" and key.shape[2] <= SHORT:
        out = _attend_short(query, key, value, mask)
    else:
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    return out.transpose(1, 2).flatten(2)


def _attend_short(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Plain attention: for short sequences on a CPU, more than twice as fast there and back as torch's kernel."""
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(dim=-1) @ value


def seen_groups(
    row: tuple[bool, ...], main: KeyValue | None, conditions: tuple[KeyValue, ...]
) -> list[KeyValue]:
    """Keys and values of the groups that one row of the visibility table allows."""
    seen = [main] if row[0] and main is not None else []
    return seen + [kv for kv, cell in zip(conditions, row[1:], strict=True) if cell]
