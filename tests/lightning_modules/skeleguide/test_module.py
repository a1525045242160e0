"""Which gradient reaches which LoRA set in each phase, what a LoRA set touches, and how phases follow each other."""

from dataclasses import replace

import pytest
import torch
from small_module import backbone, direct, gradients, reason_render, scenes

from lightning_modules.backbone.adapters import LoRASpec
from lightning_modules.backbone.tokens import TokenGroup
from lightning_modules.skeleguide.condition_branch import ConditionBranch
from lightning_modules.skeleguide.layout_estimate import LayoutEstimate
from lightning_modules.skeleguide.module import ReasonRenderModule
from lightning_modules.skeleguide.phases import (
    APPEARANCE,
    REASON,
    RENDER,
    SKELEGUIDE_PHASES,
    SKELETAL,
    Phase,
    phase_named,
)


def backward(module, phase, only=None):
    """The gradients of one loss of a phase, or of their weighted sum."""
    module.zero_grad()
    losses = module.losses(module.encode(scenes()), phase, torch.Generator().manual_seed(1))
    assert set(losses) == set(phase.weights)
    total = sum(phase.weights[n] * loss.mean() for n, loss in losses.items() if only in (None, n))
    total.backward()
    return {name: gradients(module, name) for name in module.backbone.adapters}


def test_the_table_is_the_papers():
    rows = [(p.name, p.trains, p.weights, p.renderer_sees) for p in SKELEGUIDE_PHASES]
    assert rows == [
        ("reason", ("skeletal",), {"reason": 1.0}, "true_layout"),
        ("joint", ("skeletal", "appearance"), {"reason": 0.5, "render": 1.0}, "predicted_layout"),
        ("render", ("appearance",), {"render": 1.0}, "true_layout"),
    ]


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize(
    ("phase", "loss", "reached"),
    [
        ("reason", REASON, {SKELETAL}),
        ("joint", REASON, {SKELETAL}),
        ("joint", RENDER, {SKELETAL, APPEARANCE}),
        ("render", RENDER, {APPEARANCE}),
    ],
)
def test_a_loss_reaches_the_sets_it_should(checkpointing, phase, loss, reached):
    module = reason_render(checkpointing)
    found = backward(module, phase_named(phase, module.phases), only=loss)
    for name, own in found.items():
        if name in reached:
            assert all(g is not None and g.abs().sum() > 0 for g in own.values()), name
        else:
            assert all(g is None for g in own.values()), name


@pytest.mark.parametrize("kind", ["general", "t0", "literal", "k_step_last_grad"])
def test_recomputing_blocks_changes_no_gradient(kind):
    phase = SKELEGUIDE_PHASES[1]
    estimate = LayoutEstimate(kind, steps=2)
    plain, recomputed = (backward(reason_render(c, layout_estimate=estimate), phase) for c in (False, True))
    for name in (SKELETAL, APPEARANCE):
        for key, gradient in plain[name].items():
            assert gradient.abs().sum() > 0
            assert torch.equal(recomputed[name][key], gradient)


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("name", [SKELETAL, APPEARANCE])
def test_the_joint_gradient_is_the_slope_of_the_joint_loss(checkpointing, name):
    """A step along the gradient changes the loss as its square says."""
    module, phase = reason_render(checkpointing), SKELEGUIDE_PHASES[1]
    own = backward(module, phase)[name]
    square = float(sum(g.square().sum() for g in own.values()))
    parameters = dict(module.backbone.adapters[name].named_parameters())

    def loss_at(step):
        with torch.no_grad():
            for key, parameter in parameters.items():
                parameter.add_(step * own[key])
            losses = module.losses(module.encode(scenes()), phase, torch.Generator().manual_seed(1))
            for key, parameter in parameters.items():
                parameter.sub_(step * own[key])
        return float(sum(phase.weights[n] * loss.double().mean() for n, loss in losses.items()))

    step = 2e-2 / square**0.5
    slope = (loss_at(step) - loss_at(-step)) / (2 * step)
    assert slope == pytest.approx(square, rel=0.02)


def test_a_cut_gradient_leaves_the_reasoner_to_its_own_loss():
    module = reason_render()
    joint = SKELEGUIDE_PHASES[1]
    cut = backward(module, replace(joint, renderer_sees="detached_layout"))
    reason = backward(module, Phase("half", (SKELETAL,), {REASON: 0.5}))
    for key, gradient in cut[SKELETAL].items():
        torch.testing.assert_close(gradient, reason[SKELETAL][key], rtol=1e-5, atol=1e-9)
    assert all(g.abs().sum() > 0 for g in cut[APPEARANCE].values())


@pytest.mark.parametrize("name", [SKELETAL, APPEARANCE])
def test_a_set_acts_on_condition_tokens_and_on_nothing_else(name):
    """Eq. (3): on condition tokens W + B A is what W merged with B A is; text and noise pass through W."""
    module = reason_render()
    seen = module.encode(scenes())
    sequence = module.sequence(seen.prompts, name, seen.source, seen.target, seen.grid)
    cached = module.backbone.build_cache(sequence)
    plain = module.backbone(replace(sequence, conditions=()), torch.tensor([0.3, 0.8]))
    with_cache = module.backbone(sequence, torch.tensor([0.3, 0.8]), cache=cached)

    merged = reason_render()
    adapter = merged.backbone.adapters[name]
    for layer in adapter.layers:
        key = layer.replace(".", "/")
        linear = merged.backbone.transformer.get_submodule(layer)
        linear.weight.data += adapter.up[key].weight @ adapter.down[key].weight
    bare = replace(sequence, conditions=tuple(replace(c, adapters=()) for c in sequence.conditions))
    expected = merged.backbone.build_cache(bare)
    for ours, theirs in zip(cached.double + cached.single, expected.double + expected.single, strict=True):
        torch.testing.assert_close(ours[0].key, theirs[0].key, rtol=0, atol=2e-5)
        torch.testing.assert_close(ours[0].value, theirs[0].value, rtol=0, atol=2e-5)

    # The frozen weights, with the condition's keys and values given: nothing else has changed.
    frozen = module.backbone(bare, torch.tensor([0.3, 0.8]), cache=expected)
    torch.testing.assert_close(with_cache, frozen, rtol=0, atol=2e-5)
    assert (with_cache - plain).abs().max() > 1e-2


def test_a_condition_set_has_no_layer_without_a_gradient():
    module = reason_render()
    layers = set(module.backbone.adapters[SKELETAL].layers)
    blocks = ["transformer_blocks.0", "single_transformer_blocks.0", "single_transformer_blocks.1"]
    expected = {f"{block}.attn.to_{letter}" for block in blocks for letter in "qkv"}
    assert layers == expected - {"single_transformer_blocks.1.attn.to_q"}
    every = LoRASpec(
        rank=1,
        targets=("attn.to_q", "attn.add_q_proj", "ff_context.net.2", "ff.net.2", "proj_mlp"),
        branch="condition",
    )
    wide = set(module.backbone.add_adapter("wide", every).layers)
    assert wide == {
        "transformer_blocks.0.attn.to_q",
        "transformer_blocks.0.ff.net.2",
        "single_transformer_blocks.0.attn.to_q",
        "single_transformer_blocks.0.proj_mlp",
    }


def test_the_condition_lies_on_the_canvas():
    module = reason_render(branch=ConditionBranch(plane=1))
    seen = module.encode(scenes())
    sequence = module.sequence(seen.prompts, SKELETAL, seen.source, seen.layout, seen.grid)
    (condition,) = sequence.conditions
    assert torch.equal(condition.ids[..., 1:], sequence.noise.ids[..., 1:])
    assert condition.ids[..., 0].unique().tolist() == [1]
    assert sequence.text.adapters == sequence.noise.adapters == ()
    assert condition.adapters == (SKELETAL,)


def test_people_and_dropped_prompts_count_as_the_recipe_says():
    module = reason_render(recipe={"people_weight": 3.0, "text_dropout": 1.0})
    batch = scenes()
    seen = module.encode(batch)
    kept = module.without_some_prompts(seen, torch.Generator().manual_seed(0))
    share = batch.people_mask.float().reshape(2, 2, 16, 3, 16).mean(dim=(2, 4)).reshape(2, 6)
    torch.testing.assert_close(module.weight(kept), 1 + 3 * share)
    assert torch.equal(kept.prompts.pooled, module.encoder.encode(["", ""]).pooled)
    assert not torch.equal(kept.prompts.pooled, seen.prompts.pooled)
    assert torch.equal(kept.source, seen.source)


def test_sets_that_do_not_fit_the_phases_are_named():
    with pytest.raises(ValueError, match=r"there are \['appearance'\], the phases train"):
        ReasonRenderModule(backbone((APPEARANCE,)))
    everywhere = backbone((SKELETAL, APPEARANCE))
    everywhere.adapter_specs[SKELETAL] = LoRASpec(rank=2)
    with pytest.raises(ValueError, match=r"skeletal\.branch: 'all'"):
        ReasonRenderModule(everywhere)
    with pytest.raises(ValueError, match="'ending'; there are"):
        reason_render().set_phase("ending")
    with pytest.raises(ValueError, match="weights"):
        Phase("empty", (SKELETAL,), {REASON: 0.0})
    with pytest.raises(ValueError, match="trains no LoRA set"):
        Phase("idle", (), {REASON: 1.0})


def test_the_implicit_baseline_draws_image_and_pose_map_side_by_side():
    module = direct(pose_map=True)
    seen = module.encode(scenes())
    recorded = {}
    forward = module.backbone.forward

    def spy(sequence, sigma, *rest, **more):
        recorded["sequence"] = sequence
        return forward(sequence, sigma, *rest, **more)

    module.backbone.forward = spy
    losses = module.losses(seen, module.phase, torch.Generator().manual_seed(0))
    noise: TokenGroup = recorded["sequence"].noise
    rows, columns = seen.grid
    assert len(noise) == 2 * rows * columns
    image, pose = noise.ids[0].split(rows * columns)
    assert torch.equal(pose - image, torch.tensor([0.0, 0.0, columns]).expand_as(image))
    (condition,) = recorded["sequence"].conditions  # both halves have the scene behind them
    assert torch.equal(condition.ids - noise.ids, torch.tensor([0.0, 0.0, 0.0]).expand_as(noise.ids))
    assert all(torch.equal(half, seen.source) for half in condition.tokens.chunk(2, dim=1))
    assert losses[RENDER].shape == (2,)
    drawn = module.compose(scenes().source, scenes().prompts, 0)
    assert drawn.image.shape == drawn.layout_image.shape == (2, 3, 32, 48)
    assert not torch.equal(drawn.image, drawn.layout_image)


def test_the_single_stage_draws_an_image_and_no_layout():
    module = direct()
    module.losses(module.encode(scenes()), module.phase, torch.Generator())[RENDER].mean().backward()
    assert all(g.abs().sum() > 0 for g in gradients(module, APPEARANCE).values())
    drawn = module.compose(scenes().source, scenes().prompts, 0)
    assert drawn.layout_image is None
    assert drawn.image.shape == (2, 3, 32, 48)
