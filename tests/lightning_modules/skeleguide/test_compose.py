"""Inference: two stages, one after the other; keys and values kept where that changes nothing."""

from dataclasses import replace

import pytest
import torch
from small_module import backbone, direct, reason_render, sampling, scenes

from lightning_modules.backbone.latents import token_grid
from lightning_modules.skeleguide.condition_branch import ConditionBranch
from lightning_modules.skeleguide.direct import DirectModule
from lightning_modules.skeleguide.phases import APPEARANCE, SKELETAL
from lightning_modules.skeleguide.recipe import InPlaceSampling, StageGuidance

STEPS = 3


def spied_draw(module, monkeypatch):
    """What each stage was shown, and what it drew."""
    stages = []
    draw = module.draw

    def spy(prompts, adapter, picture, grid, rng):
        drawn = draw(prompts, adapter, picture, grid, rng)
        stages.append((adapter, picture, drawn))
        return drawn

    monkeypatch.setattr(module, "draw", spy)
    return stages


def test_the_renderer_sees_the_drawn_layout_and_nothing_of_the_scene(monkeypatch):
    module, batch = reason_render(steps=STEPS), scenes()
    stages = spied_draw(module, monkeypatch)
    result = module.compose(batch.source, batch.prompts, seed=5)
    (first, scene, layout), (second, shown, image) = stages
    assert (first, second) == (SKELETAL, APPEARANCE)
    torch.testing.assert_close(scene, module.codec.encode(batch.source), rtol=0, atol=0)
    assert shown is layout
    assert torch.equal(result.layout_image, module.codec.decode(layout, batch.size))
    assert torch.equal(result.image, module.codec.decode(image, batch.size))
    again = module.compose(batch.source, batch.prompts, seed=5)
    other = module.compose(batch.source, batch.prompts, seed=6)
    assert torch.equal(again.image, result.image)
    assert not torch.equal(other.layout_image, result.layout_image)


def test_an_edited_layout_is_rendered_by_the_second_stage_alone(monkeypatch):
    module, batch = reason_render(steps=STEPS), scenes()
    stages = spied_draw(module, monkeypatch)
    result = module.render(batch.layout_image, batch.prompts, seed=5)
    ((adapter, shown, image),) = stages
    assert adapter == APPEARANCE
    torch.testing.assert_close(shown, module.codec.encode(batch.layout_image), rtol=0, atol=0)
    assert torch.equal(result.image, module.codec.decode(image, batch.size))
    moved = module.render(batch.layout_image.flip(3), batch.prompts, seed=5)
    assert not torch.equal(moved.image, result.image)


def test_an_edited_layout_is_rendered_from_the_noise_of_the_unedited_one(monkeypatch):
    module, batch, began = reason_render(steps=STEPS), scenes(), []
    draw = module.draw

    def spy(prompts, adapter, picture, grid, rng):
        began.append((adapter, torch.randn(9, generator=torch.Generator().set_state(rng.get_state()))))
        return draw(prompts, adapter, picture, grid, rng)

    monkeypatch.setattr(module, "draw", spy)
    module.compose(batch.source, batch.prompts, seed=5)
    module.render(batch.layout_image, batch.prompts, seed=5)
    module.render(batch.layout_image, batch.prompts, seed=6)
    assert [adapter for adapter, _ in began] == [SKELETAL, APPEARANCE, APPEARANCE, APPEARANCE]
    reasoned, rendered, again, other = (noise for _, noise in began)
    assert torch.equal(again, rendered)
    assert not torch.equal(other, rendered)
    assert not torch.equal(reasoned, rendered)


@pytest.mark.parametrize("made", [reason_render, direct])
@pytest.mark.parametrize(("scale", "away_from"), [(1.0, "nothing"), (2.5, "nothing"), (2.5, "picture")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_kept_keys_and_values_change_no_bit(made, scale, away_from, dtype):
    module, batch = made(), scenes()
    module.backbone.transformer.to(dtype)
    module.backbone.dtype = dtype
    results = {}
    for kept in ("on", "off"):
        module.sampling = sampling(STEPS, scale, kept, module.backbone.adapters, away_from)
        results[kept] = module.compose(batch.source, batch.prompts, seed=1).image
    assert torch.equal(results["on"], results["off"])


@pytest.mark.parametrize(("kept", "passes"), [("on", 1), ("auto", 1), ("off", STEPS)])
def test_the_condition_passes_once_per_stage(kept, passes):
    module, batch = reason_render(steps=STEPS, kv_cache=kept), scenes()
    seen = []
    block = module.backbone.transformer.transformer_blocks[0]
    block.attn.to_k.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[1]))
    module.compose(batch.source, batch.prompts, seed=0)
    assert seen.count(6) == len(seen)  # tokens of a canvas of 2 x 3, and of a condition
    assert len(seen) == 2 * (STEPS + passes)


@pytest.mark.parametrize(
    ("branch", "config", "reason"),
    [
        (ConditionBranch(visibility="joint"), {}, "lets conditions see the noise"),
        (ConditionBranch(visibility="no_cross_condition"), {}, "lets conditions see the noise"),
        (ConditionBranch(sigma=None), {}, "follows the noise's time"),
        (ConditionBranch(guidance=None), {"guidance_embeds": True}, "follows the noise's guidance"),
    ],
)
def test_keeping_is_refused_with_a_reason(branch, config, reason, caplog):
    module, batch = reason_render(branch=branch, config=config, kv_cache="on"), scenes()
    with pytest.raises(ValueError, match=reason):
        module.compose(batch.source, batch.prompts, seed=0)
    module.sampling = sampling(1, sets=(SKELETAL, APPEARANCE))
    assert not caplog.records
    module.compose(batch.source, batch.prompts, seed=0)
    (told,) = caplog.records  # once for both stages
    assert reason in told.message
    assert module.compose(batch.source, batch.prompts, seed=0).image.isfinite().all()


def test_a_model_that_embeds_guidance_needs_one_pass_per_step():
    module, batch = reason_render(steps=STEPS, config={"guidance_embeds": True}, guidance=3.5), scenes()
    calls = []
    module.backbone.transformer.proj_out.register_forward_hook(lambda *_: calls.append(1))
    one = module.compose(batch.source, batch.prompts, seed=0).image
    assert len(calls) == 2 * STEPS
    module.sampling = sampling(STEPS, sets=(SKELETAL, APPEARANCE))
    assert not torch.equal(one, module.compose(batch.source, batch.prompts, seed=0).image)


def test_each_stage_is_guided_away_from_what_it_names():
    """The velocity of the first step of each stage against the backbone called by hand."""
    module, batch = reason_render(recipe={"layout_words": "a drawing of"}), scenes()
    module.sampling = InPlaceSampling(
        1, {SKELETAL: StageGuidance(3.0, "picture"), APPEARANCE: StageGuidance(2.0, "nothing")}
    )
    picture = module.codec.encode(batch.source).float()
    grid, level = token_grid(batch.size), torch.ones(len(batch))
    prompts, empty = module.encoder.encode(batch.prompts), module.encoder.encode([""] * len(batch))
    for adapter, scale in ((SKELETAL, 3.0), (APPEARANCE, 2.0)):
        noise = torch.randn(picture.shape, generator=torch.Generator().manual_seed(4))
        drawn = module.draw(prompts, adapter, picture, grid, torch.Generator().manual_seed(4))
        prompted, away = (module.sequence(text, adapter, picture, noise, grid) for text in (prompts, empty))
        if adapter == APPEARANCE:
            away = replace(away, conditions=())
        with torch.no_grad():
            guided, free = module.backbone(prompted, level), module.backbone(away, level)
        torch.testing.assert_close(drawn, noise - (free + scale * (guided - free)), rtol=0, atol=1e-5)


def test_guidance_of_a_set_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"sampling.guidance: there is no LoRA set 'skeletal'"):
        DirectModule(backbone((APPEARANCE,)), sampling=sampling(1, sets=(SKELETAL, APPEARANCE)))
