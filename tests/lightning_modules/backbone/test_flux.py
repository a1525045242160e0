"""The branch-wise forward against the stock diffusers classes it borrows its weights from."""

from dataclasses import replace

import pytest
import torch
from stock_flux import SIGMA, TINY, sequence, stock, tiny_backbone, tokens

from lightning_modules.backbone import flux
from lightning_modules.backbone.adapters import ATTENTION, FEED_FORWARD, TEXT_ATTENTION, LoRASpec
from lightning_modules.backbone.flux import FluxBackbone, FluxConfig
from lightning_modules.backbone.positions import grid_ids, rotary_table, text_ids
from lightning_modules.backbone.prepared import cache_refusal
from lightning_modules.backbone.tokens import TokenGroup, Visibility

EVERY_LAYER = (*ATTENTION, *TEXT_ATTENTION, "attn.to_out.0", "attn.to_add_out", *FEED_FORWARD)
ROUNDING = {"float32": 2e-6, "bfloat16": 2e-2}  # matrix products of other shapes round differently


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_no_conditions_is_the_stock_class(dtype):
    backbone, seq = tiny_backbone(dtype), sequence()
    ours = backbone(seq, SIGMA)
    assert ours.float().std() > 0.1
    torch.testing.assert_close(ours, stock(backbone, seq, SIGMA), rtol=0, atol=ROUNDING[dtype])


def test_embedded_guidance_is_the_stock_class():
    backbone, seq = tiny_backbone(guidance_embeds=True), sequence()
    scale = torch.tensor([2.5, 3.5])
    ours = backbone(seq, SIGMA, scale)
    torch.testing.assert_close(ours, stock(backbone, seq, SIGMA, guidance=scale), rtol=0, atol=2e-6)
    assert not torch.equal(ours, backbone(seq, SIGMA, scale + 1))
    with pytest.raises(ValueError, match="guidance"):
        backbone(seq, SIGMA)


def test_joint_conditions_are_the_stock_kontext_call():
    backbone = tiny_backbone()
    seq = sequence(conditions=[tokens(plane=1, seed=2), tokens(s=8, plane=1, seed=3)])
    torch.testing.assert_close(backbone(seq, SIGMA), stock(backbone, seq, SIGMA), rtol=0, atol=2e-6)


def test_joint_conditions_kept_apart_give_the_same():
    """The same joint attention, computed group by group because the condition names a LoRA set that is zero."""
    backbone = tiny_backbone(adapters={"idle": LoRASpec(rank=2)})
    for name, parameter in backbone.adapters["idle"].named_parameters():
        if name.startswith("up"):
            torch.nn.init.zeros_(parameter)
    seq = sequence(conditions=[tokens(plane=1, seed=2, adapters=("idle",))])
    torch.testing.assert_close(backbone(seq, SIGMA), stock(backbone, seq, SIGMA), rtol=0, atol=2e-6)


ONE_TABLE = [
    v for v in Visibility if v is not Visibility.XVERSE
]  # XVerse differs between double and single blocks


@pytest.mark.parametrize("visibility", ONE_TABLE)
def test_split_attention_equals_a_dense_mask(visibility):
    """Conditions at the noise's time, so that the stock model with a dense boolean mask is the oracle."""
    backbone = tiny_backbone(adapters={"idle": LoRASpec(rank=2)})
    for name, parameter in backbone.adapters["idle"].named_parameters():
        if name.startswith("up"):
            torch.nn.init.zeros_(parameter)
    conditions = [
        tokens(plane=1, seed=2, adapters=("idle",)),
        tokens(s=8, plane=2, seed=3, adapters=("idle",)),
    ]
    seq = sequence(conditions=conditions, visibility=visibility)
    group = torch.tensor([0] * (5 + 16) + [1] * 16 + [2] * 8)
    dense = visibility.table(2, single=True)[group][:, group]
    oracle = stock(backbone, seq, SIGMA, joint_attention_kwargs={"attention_mask": dense[None, None]})
    torch.testing.assert_close(backbone(seq, SIGMA), oracle, rtol=0, atol=5e-6)


def test_xverse_hides_conditions_from_text_and_noise_in_double_blocks_only():
    table = Visibility.XVERSE.table(2, single=False)
    assert table[0].tolist() == [True, False, False]
    assert table[1:].all()
    assert Visibility.XVERSE.table(2, single=True).all()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_cached_equals_uncached_bitwise(dtype):
    backbone = tiny_backbone(dtype, adapters={"skeletal": LoRASpec(rank=2)})
    conditions = [
        tokens(plane=0, seed=2, sigma=0.0, adapters=("skeletal",)),
        tokens(s=8, plane=1, seed=3, sigma=0.0),
    ]
    seq = sequence(conditions=conditions, visibility=Visibility.CAUSAL)
    cache = backbone.build_cache(seq)
    for seed, sigma in ((11, SIGMA), (12, SIGMA / 2)):
        step = seq.with_noise(tokens(seed=seed).tokens)
        torch.testing.assert_close(backbone(step, sigma, cache=cache), backbone(step, sigma), rtol=0, atol=0)


@pytest.mark.parametrize("visibility", [Visibility.JOINT, Visibility.CAUSAL])
def test_a_prepared_sequence_steps_like_a_fresh_one(visibility, monkeypatch):
    """Rotary tables are drawn up once for all steps."""
    backbone, calls = tiny_backbone(), []
    monkeypatch.setattr(flux, "rotary_table", lambda *a: calls.append(a) or rotary_table(*a))
    seq = sequence(conditions=[tokens(s=8, plane=1, seed=3)], visibility=visibility)
    prepared, counted = backbone.prepare(seq), len(calls)
    for seed in (11, 12):
        x = tokens(seed=seed).tokens
        assert torch.equal(backbone(prepared.with_noise(x), SIGMA), backbone(seq.with_noise(x), SIGMA))
    assert len(calls) == 3 * counted  # two fresh passes, two prepared ones


def test_cache_depends_on_the_pooled_prompt():
    backbone = tiny_backbone()
    seq = sequence(conditions=[tokens(plane=1, seed=2, sigma=0.0)], visibility=Visibility.CAUSAL)
    other = replace(seq, pooled=seq.pooled + 1)
    key, changed = (backbone.build_cache(s).double[0][0].key for s in (seq, other))
    assert not torch.equal(key, changed)


@pytest.mark.parametrize(
    ("visibility", "sigma", "reason"),
    [(Visibility.JOINT, 0.0, "see the noise"), (Visibility.CAUSAL, None, "noise's time")],
)
def test_cache_is_refused_with_a_reason(visibility, sigma, reason):
    backbone = tiny_backbone()
    seq = sequence(conditions=[tokens(plane=1, sigma=sigma)], visibility=visibility)
    assert reason in cache_refusal(seq, backbone.transformer.config.guidance_embeds)
    with pytest.raises(ValueError, match=reason):
        backbone.build_cache(seq)
    assert "no conditions" in cache_refusal(sequence(), embeds_guidance=False)


def test_ragged_batch_equals_single_runs():
    """Per-sample positions and padding: the stock model would use sample 0's ids for both."""
    backbone = tiny_backbone().double()
    backbone.dtype = torch.float64
    full = grid_ids(4, 4, plane=1)[0]
    short, long = full[[0, 1, 4]], full[[2, 3, 6, 7, 10]]
    draw = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    ids = torch.stack([torch.cat([short, torch.full((2, 3), 9.0)]), long])
    valid = torch.tensor([[True] * 3 + [False] * 2, [True] * 5])
    seq = sequence(conditions=[TokenGroup(draw, ids, valid)])
    both = backbone(seq, SIGMA)
    for i, (n, own) in enumerate(((3, short), (5, long))):
        one = replace(
            seq,
            text=replace(seq.text, tokens=seq.text.tokens[i : i + 1]),
            pooled=seq.pooled[i : i + 1],
            noise=replace(seq.noise, tokens=seq.noise.tokens[i : i + 1]),
            conditions=(TokenGroup(draw[i : i + 1, :n], own[None]),),
        )
        torch.testing.assert_close(backbone(one, SIGMA[i : i + 1]), both[i : i + 1], rtol=0, atol=1e-12)


def test_padded_text_equals_short_text():
    backbone = tiny_backbone()
    seq = sequence()
    padded = torch.cat([seq.text.tokens, torch.full((2, 3, 32), 5.0)], dim=1)
    valid = torch.tensor([[True] * 5 + [False] * 3] * 2)
    long = replace(seq, text=TokenGroup(padded, text_ids(8), valid))
    torch.testing.assert_close(backbone(long, SIGMA), backbone(seq, SIGMA), rtol=0, atol=2e-6)


def test_checkpointed_gradients_equal_plain_ones_with_two_sets_in_one_step():
    """Two passes with different LoRA sets and one backward: the case in which global adapter state goes wrong."""
    gradients = []
    for checkpointing in (False, True):
        sets = {"skeletal": LoRASpec(rank=2), "appearance": LoRASpec(rank=2)}
        backbone = tiny_backbone(adapters=sets, gradient_checkpointing=checkpointing)
        backbone.adapters.requires_grad_(True)
        first = sequence(
            conditions=[tokens(plane=1, seed=2, sigma=0.0, adapters=("skeletal",))],
            visibility=Visibility.CAUSAL,
        )
        layout = backbone(first, SIGMA)
        condition = TokenGroup(layout, grid_ids(4, 4, 1), sigma=0.0, adapters=("appearance",))
        second = replace(first, conditions=(condition,))
        (backbone(second, SIGMA).square().mean() + layout.square().mean()).backward()
        gradients.append({n: p.grad for n, p in backbone.adapters.named_parameters()})
    plain, recomputed = gradients
    without = {n for n, g in plain.items() if g is None}
    assert without == {
        f"{a}.{half}.single_transformer_blocks/2/attn/to_q.weight" for a in sets for half in ("down", "up")
    }, "only the last block's condition query reaches nothing"
    for name, gradient in plain.items():
        if gradient is not None:
            assert gradient.abs().sum() > 0
            torch.testing.assert_close(recomputed[name], gradient, rtol=0, atol=0)


def test_shifting_all_ids_changes_nothing_and_image_ids_alone_do():
    backbone, seq = tiny_backbone(), sequence(conditions=[tokens(plane=1, seed=2)])

    def shifted(group: TokenGroup) -> TokenGroup:
        return replace(group, ids=group.ids + 3)

    everything = replace(
        seq, text=shifted(seq.text), noise=shifted(seq.noise), conditions=tuple(map(shifted, seq.conditions))
    )
    images = replace(everything, text=seq.text)
    out = backbone(seq, SIGMA)
    torch.testing.assert_close(backbone(everything, SIGMA), out, rtol=0, atol=1e-5)
    assert (backbone(images, SIGMA) - out).abs().max() > 1e-4


def test_rotary_table_equals_flux_pos_embed():
    backbone = tiny_backbone()
    ids = grid_ids(3, 4, plane=2)
    cos, sin = backbone.transformer.pos_embed(ids[0])
    table = rotary_table(ids, TINY.axes_dims_rope)
    turns = table[0, :, 0].repeat_interleave(2, dim=-1)
    torch.testing.assert_close(turns.real, cos, rtol=0, atol=0)
    torch.testing.assert_close(turns.imag, sin, rtol=0, atol=0)


def test_text_and_noise_must_share_their_lora_sets():
    backbone = tiny_backbone(adapters={"artist": LoRASpec(rank=2)})
    seq = sequence(adapters=("artist",))
    with pytest.raises(ValueError, match="both must name the same sets"):
        backbone(replace(seq, text=replace(seq.text, adapters=())), SIGMA)
    with pytest.raises(ValueError, match="no LoRA set called 'ghost'"):
        backbone(sequence(adapters=("ghost",)), SIGMA)


@pytest.mark.parametrize(("guidance", "billions"), [(True, 11.901), (False, 11.891)])
def test_twelve_billion_parameters_on_the_meta_device(guidance, billions):
    with torch.device("meta"):
        backbone = FluxBackbone(config=FluxConfig(guidance_embeds=guidance), dtype="bfloat16").configure()
    total = sum(p.numel() for p in backbone.transformer.parameters())
    assert total / 1e9 == pytest.approx(billions, abs=0.001)
