"""Floating-point operations of a call: torch's counter, and attention where the counter is blind.

torch counts matrix products, written-out attention among them, and not the fused attention a CPU runs. That one is
added here from the shapes of each call. A multiplication with its addition counts as two.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch.utils.flop_counter import FlopCounterMode

T = TypeVar("T")
_FUSED = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_FUSED_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def attention_flops(batch: int, heads: int, queries: int, keys: int, head_dim: int) -> int:
    """``4 b h q k d``: scores and weighted values, two products of 2 q k d operations per head."""
    return 4 * batch * heads * queries * keys * head_dim


def attention_backward_flops(batch: int, heads: int, queries: int, keys: int, head_dim: int) -> int:
    """``10 b h q k d``: the scores once more, and the gradients of scores, queries, keys and values."""
    return 10 * batch * heads * queries * keys * head_dim


def count_flops(call: Callable[[], T]) -> tuple[T, int]:
    """What ``call`` returns, and the operations of everything it ran, backward passes included."""
    mapping = {_FUSED: _of_fused, _FUSED_BACKWARD: _of_fused_backward}
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        result = call()
    return result, counter.get_total_flops()


def _of_fused(query: torch.Size, key: torch.Size, *_: Any, **__: Any) -> int:
    """Shapes are (batch, heads, tokens, head_dim)."""
    batch, heads, queries, head_dim = query
    return attention_flops(batch, heads, queries, key[2], head_dim)


def _of_fused_backward(_: torch.Size, query: torch.Size, key: torch.Size, *__: Any, **___: Any) -> int:
    batch, heads, queries, head_dim = query
    return attention_backward_flops(batch, heads, queries, key[2], head_dim)
