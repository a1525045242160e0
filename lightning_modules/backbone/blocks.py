"""One FLUX block, group by group, over the weights of the stock diffusers modules.

Stock blocks know two streams, text and image, one time per sample, one adapter and one id table for everybody. These
functions run the same weights for text and noise together (the main group) and for any number of condition groups,
each with its own time, position ids, LoRA sets and row of the visibility table. With no conditions they compute what
the stock block computes. Keys and values are returned after normalisation and rotation, ready to be cached.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from lightning_modules.backbone.adapters import apply_linear
from lightning_modules.backbone.positions import rotate
from lightning_modules.backbone.routing import Branch, KeyValue, Routing, attend, seen_groups


def _image_qkv(
    attn: Any, name: str, x: Float[Tensor, "b s c"], branch: Branch
) -> tuple[Float[Tensor, "b s heads head_dim"], KeyValue]:
    """Query, and rotated key with value, of image-like tokens."""
    q, k, v = _projected(attn, name, ("to_q", "to_k", "to_v"), x, branch)
    return rotate(attn.norm_q(q), branch.rotary), KeyValue(rotate(attn.norm_k(k), branch.rotary), v)


def _text_qkv(
    attn: Any, name: str, x: Float[Tensor, "b s c"], branch: Branch
) -> tuple[Float[Tensor, "b s heads head_dim"], KeyValue]:
    """Query, and rotated key with value, of text tokens in a double-stream block."""
    q, k, v = _projected(attn, name, ("add_q_proj", "add_k_proj", "add_v_proj"), x, branch)
    return rotate(attn.norm_added_q(q), branch.rotary), KeyValue(
        rotate(attn.norm_added_k(k), branch.rotary), v
    )


def _projected(
    attn: Any, name: str, parts: tuple[str, str, str], x: Float[Tensor, "b s c"], branch: Branch
) -> list[Float[Tensor, "b s heads head_dim"]]:
    """Three projections of the same tokens, split into heads."""
    return [
        apply_linear(getattr(attn, part), f"{name}.attn.{part}", x, branch.adapters).unflatten(
            -1, (-1, attn.head_dim)
        )
        for part in parts
    ]


class _Modulation(NamedTuple):
    """Shift, scale and gate of a double block's two halves, broadcastable over tokens."""

    shift_attn: Tensor
    scale_attn: Tensor
    gate_attn: Tensor
    shift_ff: Tensor
    scale_ff: Tensor
    gate_ff: Tensor


def _modulation(
    norm: Any, temb: Float[Tensor, "b c"], delta: Float[Tensor, "b s c"] | None = None
) -> _Modulation:
    """AdaLN-zero parameters; ``delta`` moves the embedding of single text tokens."""
    emb = temb[:, None] if delta is None else temb[:, None] + delta
    return _Modulation(*norm.linear(F.silu(emb)).chunk(6, dim=-1))


def _gelu(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """FLUX's GELU; in fp32 on a CPU, which gives the same numbers faster than torch's bf16 kernel there."""
    if x.device.type == "cpu":
        return F.gelu(x.float(), approximate="tanh").to(x.dtype)
    return F.gelu(x, approximate="tanh")


def _feed_forward(ff: Any, name: str, x: Float[Tensor, "b s c"], branch: Branch) -> Float[Tensor, "b s c"]:
    """diffusers' GELU feed-forward with LoRA on both layers."""
    hidden = _gelu(apply_linear(ff.net[0].proj, f"{name}.net.0.proj", x, branch.adapters))
    return apply_linear(ff.net[2], f"{name}.net.2", hidden, branch.adapters)


def _image_update(
    block: Any,
    name: str,
    x: Float[Tensor, "b s c"],
    attended: Float[Tensor, "b s c"],
    m: _Modulation,
    branch: Branch,
) -> Float[Tensor, "b s c"]:
    """Residual updates of an image-like stream after its attention."""
    x = x + m.gate_attn * apply_linear(
        block.attn.to_out[0], f"{name}.attn.to_out.0", attended, branch.adapters
    )
    normed = block.norm2(x) * (1 + m.scale_ff) + m.shift_ff
    return x + m.gate_ff * _feed_forward(block.ff, f"{name}.ff", normed, branch)


class DoubleState(NamedTuple):
    """Hidden states between double-stream blocks; text and image are None while only conditions run."""

    text: Float[Tensor, "b t c"] | None
    image: Float[Tensor, "b s c"] | None
    conditions: tuple[Float[Tensor, "b u c"], ...]


def double_block(
    block: Any,
    name: str,
    state: DoubleState,
    branches: tuple[Branch, Branch, tuple[Branch, ...]],
    routing: Routing,
    cached: tuple[KeyValue, ...] = (),
    text_delta: Float[Tensor, "b t c"] | None = None,
) -> tuple[DoubleState, tuple[KeyValue, ...]]:
    """One double-stream block.

    Args:
        block: a diffusers ``FluxTransformerBlock``.
        name: its name in the model, which LoRA sets use.
        state: hidden states.
        branches: of text, image and the conditions.
        routing: visibility.
        cached: keys and values of the conditions, where they are not computed anew.
        text_delta: offsets of the modulation embedding of single text tokens.

    Returns:
        The new state, and the conditions' keys and values.
    """
    text_branch, image_branch, condition_branches = branches
    queries, kvs, modulations = [], [], []
    for x, branch in zip(state.conditions, condition_branches, strict=True):
        m = _modulation(block.norm1, branch.temb)
        normed = block.norm1.norm(x) * (1 + m.scale_attn) + m.shift_attn
        query, kv = _image_qkv(block.attn, name, normed, branch)
        queries.append(query)
        kvs.append(kv)
        modulations.append(m)
    condition_kv = cached or tuple(kvs)

    text, image = state.text, state.image
    main_kv: KeyValue | None = None
    if text is not None and image is not None:
        image_m = _modulation(block.norm1, image_branch.temb)
        text_m = _modulation(block.norm1_context, text_branch.temb, text_delta)
        normed_image = block.norm1.norm(image) * (1 + image_m.scale_attn) + image_m.shift_attn
        normed_text = block.norm1_context.norm(text) * (1 + text_m.scale_attn) + text_m.shift_attn
        image_q, image_kv = _image_qkv(block.attn, name, normed_image, image_branch)
        text_q, text_kv = _text_qkv(block.attn, name, normed_text, text_branch)
        main_kv = KeyValue(*(torch.cat(pair, dim=1) for pair in zip(text_kv, image_kv, strict=True)))
        attended = attend(
            torch.cat([text_q, image_q], dim=1),
            seen_groups(routing.sees[0], main_kv, condition_kv),
            routing.masks[0],
        )
        split = text.shape[1]
        image = _image_update(block, name, image, attended[:, split:], image_m, image_branch)
        text = text + text_m.gate_attn * apply_linear(
            block.attn.to_add_out, f"{name}.attn.to_add_out", attended[:, :split], text_branch.adapters
        )
        normed_text = block.norm2_context(text) * (1 + text_m.scale_ff) + text_m.shift_ff
        text = text + text_m.gate_ff * _feed_forward(
            block.ff_context, f"{name}.ff_context", normed_text, text_branch
        )

    conditions = []
    for i, (x, branch) in enumerate(zip(state.conditions, condition_branches, strict=True)):
        seen = seen_groups(routing.sees[i + 1], main_kv, condition_kv)
        attended = attend(queries[i], seen, routing.masks[i + 1])
        conditions.append(_image_update(block, name, x, attended, modulations[i], branch))
    return DoubleState(text, image, tuple(conditions)), condition_kv


class SingleState(NamedTuple):
    """Hidden states between single-stream blocks: text and noise in one sequence, and the conditions."""

    main: Float[Tensor, "b s c"] | None
    conditions: tuple[Float[Tensor, "b u c"], ...]


def single_block(
    block: Any,
    name: str,
    state: SingleState,
    branches: tuple[Branch, tuple[Branch, ...]],
    routing: Routing,
    cached: tuple[KeyValue, ...] = (),
    last: bool = False,
) -> tuple[SingleState, tuple[KeyValue, ...]]:
    """One single-stream block; arguments as :func:`double_block`.

    Args:
        block: a diffusers ``FluxSingleTransformerBlock``.
        name: its name in the model.
        state: hidden states.
        branches: of text with noise, and of the conditions.
        routing: visibility.
        cached: keys and values of the conditions, where they are not computed anew.
        last: conditions need no update after this block, since nobody reads them.

    Returns:
        The new state, and the conditions' keys and values.
    """
    main_branch, condition_branches = branches
    prepared = [
        _single_qkv(block, name, x, b) for x, b in zip(state.conditions, condition_branches, strict=True)
    ]
    condition_kv = cached or tuple(p.kv for p in prepared)
    main, main_kv = state.main, None
    if main is not None:
        p = _single_qkv(block, name, main, main_branch)
        main_kv = p.kv
        attended = attend(p.query, seen_groups(routing.sees[0], main_kv, condition_kv), routing.masks[0])
        main = _single_update(block, name, main, attended, p, main_branch)
    conditions = []
    for i, (x, branch) in enumerate(zip(state.conditions, condition_branches, strict=True)):
        if last:
            conditions.append(x)
            continue
        attended = attend(
            prepared[i].query, seen_groups(routing.sees[i + 1], main_kv, condition_kv), routing.masks[i + 1]
        )
        conditions.append(_single_update(block, name, x, attended, prepared[i], branch))
    return SingleState(main, tuple(conditions)), condition_kv


class _Prepared(NamedTuple):
    query: Tensor
    kv: KeyValue
    normed: Tensor
    gate: Tensor


def _single_qkv(block: Any, name: str, x: Float[Tensor, "b s c"], branch: Branch) -> _Prepared:
    shift, scale, gate = block.norm.linear(F.silu(branch.temb))[:, None].chunk(3, dim=-1)
    normed = block.norm.norm(x) * (1 + scale) + shift
    query, kv = _image_qkv(block.attn, name, normed, branch)
    return _Prepared(query, kv, normed, gate)


def _single_update(
    block: Any,
    name: str,
    x: Float[Tensor, "b s c"],
    attended: Float[Tensor, "b s c"],
    p: _Prepared,
    branch: Branch,
) -> Float[Tensor, "b s c"]:
    mlp = _gelu(apply_linear(block.proj_mlp, f"{name}.proj_mlp", p.normed, branch.adapters))
    both = torch.cat([attended, mlp], dim=2)
    return x + p.gate * apply_linear(block.proj_out, f"{name}.proj_out", both, branch.adapters)
