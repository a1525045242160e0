"""Velocities of a sampling run against the backbone called by hand."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from datamodules.schema.interfaces import PromptEmbedding, PromptEncoder
from lightning_modules.backbone.flux import FluxBackbone, FluxConfig
from lightning_modules.backbone.guidance import GuidedVelocity, text_group, unprompted
from lightning_modules.backbone.positions import grid_ids
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence, Visibility

SIGMAS = torch.tensor([1.0, 0.6, 0.0])


class Padded(PromptEncoder):
    """Prompts of one token and one of padding, as an encoder of fixed length gives them."""

    def __init__(self):
        self.calls = 0

    def encode(self, prompts):
        self.calls += 1
        rng = torch.Generator().manual_seed(len(prompts[0]))
        b = len(prompts)
        tokens = torch.randn(1, 2, 12, generator=rng).expand(b, -1, -1)
        pooled = torch.randn(1, 8, generator=rng).expand(b, -1)
        valid = torch.tensor([[True, False]]).expand(b, -1)
        return PromptEmbedding(tokens, pooled, valid, torch.zeros(b, 2, 2, dtype=torch.long))


def backbone(embeds=False):
    torch.manual_seed(0)
    config = FluxConfig(
        in_channels=8,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=12,
        pooled_projection_dim=8,
        guidance_embeds=embeds,
        axes_dims_rope=(4, 6, 6),
    )
    made = FluxBackbone(config=config).configure()
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.2)
    return made.requires_grad_(False)


def shown(visibility=Visibility.CAUSAL, sigma=0.0, guidance=None):
    rng = torch.Generator().manual_seed(1)
    prompts = Padded().encode(["a", "a"])
    noise, picture = (torch.randn(2, 4, 8, generator=rng) for _ in range(2))
    condition = TokenGroup(picture, grid_ids(2, 2, 1), sigma=sigma, guidance=guidance)
    return TokenSequence(
        text_group(prompts), prompts.pooled, TokenGroup(noise, grid_ids(2, 2)), (condition,), visibility
    )


def nothing(sequence, encoder=None):
    """Neither prompt nor picture, once it is asked for."""
    return lambda: unprompted(sequence, (encoder or Padded()).encode([""]))


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_guidance_goes_away_from_neither_prompt_nor_picture(scale):
    model, sequence, encoder = backbone(), shown(), Padded()
    x = torch.randn(2, 4, 8)
    ours = GuidedVelocity(model, sequence, SIGMAS, scale, nothing(sequence, encoder))(x, 1)
    level = torch.full((2,), 0.6)
    empty = Padded().encode(["", ""])
    free = TokenSequence(text_group(empty), empty.pooled, TokenGroup(x, sequence.noise.ids))
    guided, away = model(sequence.with_noise(x), level), model(free, level)
    torch.testing.assert_close(ours, away + scale * (guided - away), rtol=0, atol=2e-6)
    assert encoder.calls == (0 if scale == 1 else 1)
    assert unprompted(sequence, Padded().encode([""])).conditions == ()


def test_an_embedded_scale_takes_one_pass_and_no_empty_prompt():
    model, sequence, encoder = backbone(embeds=True), shown(guidance=1.0), Padded()
    x = torch.randn(2, 4, 8)
    ours = GuidedVelocity(model, sequence, SIGMAS, 3.0, nothing(sequence, encoder))(x, 0)
    by_hand = model(sequence.with_noise(x), torch.ones(2), torch.full((2,), 3.0))
    torch.testing.assert_close(ours, by_hand, rtol=0, atol=1e-6)
    assert encoder.calls == 0


@pytest.mark.parametrize(
    ("sequence", "kept", "reason"),
    [
        (shown(), "auto", None),
        (shown(), "on", None),
        (shown(), "off", "kv_cache is off"),
        (shown(Visibility.JOINT), "auto", "visibility=joint"),
        (shown(sigma=None), "auto", "noise's time"),
    ],
)
def test_keys_and_values_are_kept_where_that_is_exact(sequence, kept, reason):
    model, x = backbone(), torch.randn(2, 4, 8)
    velocity = GuidedVelocity(model, sequence, SIGMAS, 2.0, nothing(sequence), kept)
    assert (velocity.cache is None) == (reason is not None)
    assert velocity.refusal is None if reason is None else reason in velocity.refusal
    plain = GuidedVelocity(model, sequence, SIGMAS, 2.0, nothing(sequence), "off")
    for index in (0, 1):
        assert torch.equal(velocity(x, index), plain(x, index))


def test_keeping_them_where_it_is_not_is_refused():
    with pytest.raises(ValueError, match="cannot be cached"):
        GuidedVelocity(backbone(), shown(Visibility.JOINT), SIGMAS, kv_cache="on")
    with pytest.raises(ValueError, match="away_from: guidance 2"):
        GuidedVelocity(backbone(), shown(), SIGMAS, 2.0)


def test_guidance_away_from_the_picture_alone_keeps_both_sides_keys_and_values():
    model, sequence, x = backbone(), shown(), torch.randn(2, 4, 8)
    empty = Padded().encode(["", ""])
    alone = replace(sequence, text=text_group(empty), pooled=empty.pooled)
    passes = []
    block = model.transformer.transformer_blocks[0]
    block.attn.to_k.register_forward_pre_hook(lambda *_: passes.append(1))
    velocity = GuidedVelocity(model, sequence, SIGMAS, 2.0, lambda: alone)
    drawn = [velocity(x, index) for index in (0, 1)]
    assert len(passes) == 2 + 2 * 2  # each side's picture once; then the canvas of both at each step
    level = torch.full((2,), 0.6)
    guided, other = model(sequence.with_noise(x), level), model(alone.with_noise(x), level)
    torch.testing.assert_close(drawn[1], other + 2 * (guided - other), rtol=0, atol=2e-6)
