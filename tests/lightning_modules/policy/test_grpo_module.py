"""The engine on a world where red is good: exact ratios, learning, resuming, one encoding per group."""

from dataclasses import replace

import pytest
import torch
from quiet_trainer import quiet_trainer
from small_flux import SMALL_ON_LATENTS
from small_policy import Blind, Redness, small_artist

from callbacks.adapter_checkpoint import AdapterCheckpoint
from callbacks.adapter_ema import AdapterEMA
from datamodules.groups import CountCurriculum, WholeGroups
from datamodules.multi_human import GroupBatches, MultiHumanDataModule
from datamodules.schema.interfaces import Scorer
from lightning_modules.ar2can.artist import GRPOArtistModule
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.flow.sde import CPS, FlowSDE
from lightning_modules.policy.recipe import GRPORecipe
from lightning_modules.policy.steps import AllSteps, StepWindow
from rewards.preference import PreferenceReward
from rewards.stack import RewardStack, RewardTerm


class Indifferent(Scorer):
    def score(self, images, prompts):
        return torch.full((len(images),), 0.1)


def module(codec, dtype="float32", scorer=None, **options):
    rewards = RewardStack(Blind(), {"red": RewardTerm(PreferenceReward(scorer or Redness()))})
    return small_artist(codec, dtype, rewards, **options)


def fit(model, tmp_path, epochs, resume=None, callbacks=()):
    data = MultiHumanDataModule(
        WholeGroups(groups_per_rank=2, group_size=8), CountCurriculum(switch=2), val_size=0
    )
    trainer = quiet_trainer(
        max_epochs=epochs,
        limit_val_batches=0,
        callbacks=[
            *callbacks,
            AdapterCheckpoint(dirpath=tmp_path, filename="{epoch}", save_top_k=-1, export=False),
        ],
        default_root_dir=tmp_path,
        enable_checkpointing=True,
    )
    trainer.fit(model, data, ckpt_path=resume)
    return trainer.callback_metrics


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("stepper", "choice"), [(CPS(), StepWindow(size=2)), (FlowSDE(), AllSteps())])
def test_before_the_first_update_every_ratio_is_exactly_one(codec, tmp_path, dtype, stepper, choice):
    model = module(codec, dtype, stepper=stepper, choice=choice, on_policy_tolerance=0.0)
    seen = fit(model, tmp_path, 2)
    assert seen["policy/on_policy_max_deviation"] == 0
    assert seen["policy/gradient_norm"] > 0


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_in_other_micro_batches_every_ratio_is_nearly_one(codec, dtype, size):
    """Drawn eight at a time and scored in smaller parts, whose sums are taken in another order."""
    model = module(codec, dtype)
    trained(model)
    with torch.no_grad():
        sequence = model.encode(next(iter(_validation(model))))
        noise = torch.randn(sequence.noise.tokens.shape)
        drawn = model.policy.rollout(
            model.backbone.prepare(sequence), noise, (0, 1), torch.Generator().manual_seed(1)
        )
        record = drawn.trajectory
        for rows in torch.arange(8).split(size):
            before, after = (tuple(x[rows] for x in part) for part in (record.before, record.after))
            scored = record.mean_log_probs[rows]
            own = replace(record, final=record.final[rows], before=before, after=after, mean_log_probs=scored)
            part = replace(drawn, sequence=model.backbone.prepare(sequence.select(rows)), trajectory=own)
            for k in range(2):
                log_ratio = model.policy.score(part, k).log_prob - scored[:, k]
                assert float((log_ratio.exp() - 1).abs().max()) <= GRPORecipe().on_policy_tolerance


@pytest.mark.parametrize("shared", [False, True])
def test_images_of_a_group_start_from_one_noise_if_asked_to(codec, shared):
    """Also where a group is drawn in several chunks; two groups never share theirs, nor do those of two epochs."""
    model = module(codec, shared_noise=shared)
    data = MultiHumanDataModule(WholeGroups(groups_per_rank=2, group_size=8), CountCurriculum(switch=2))
    batches = GroupBatches(data.sampler, data.curriculum, "train", 0, lambda: 0)
    epochs = [batches.batch(epoch) for epoch in range(1 + shared)]
    started = []
    rollout = model.policy.rollout

    def noted(sequence, noise, *args, **options):
        started.append(noise.flatten(1))
        return rollout(sequence, noise, *args, **options)

    model.policy.rollout = noted
    for batch in epochs:
        model.draw_and_judge(batch, (0,))
    starts = torch.cat(started)
    groups = torch.cat([batch.groups for batch in epochs])
    assert len(starts) == len(groups) == 16 * len(epochs)
    assert torch.equal(model._noise(groups, starts.shape[1:], model._generator(1)), starts) is shared
    same = (starts[:, None] == starts[None]).all(dim=-1)
    alike = groups[:, None] == groups[None] if shared else torch.eye(16, dtype=torch.bool)
    assert torch.equal(same, alike)
    assert starts.std() == pytest.approx(1, abs=0.02)


def trained(model):
    """A set that does something: at its start it adds nothing."""
    for up in model.backbone.adapters["policy"].up.values():
        torch.nn.init.normal_(up.weight, std=0.05)


def test_the_reward_rises_and_only_the_adapter_has_changed(codec, tmp_path):
    model = module(codec, choice=StepWindow(size=2, share=0.8))
    frozen = [p.detach().clone() for p in model.backbone.transformer.parameters()]
    scenes = next(iter(_validation(model)))
    before = float(Redness().score(model.draw(scenes, 0), scenes.prompts).mean())
    seen = fit(model, tmp_path, 25)
    after = float(Redness().score(model.draw(scenes, 0), scenes.prompts).mean())
    assert after > before + 0.05
    assert seen["policy/divergence"] > 0
    for old, new in zip(frozen, model.backbone.transformer.parameters(), strict=True):
        assert torch.equal(old, new)


def _validation(model):
    return MultiHumanDataModule(WholeGroups(), val_size=8).val_dataloader()


def test_each_group_is_encoded_once(codec, tmp_path):
    model = module(codec)
    fit(model, tmp_path, 3)
    assert (model.encoder.calls, model.encoder.prompts) == (3, 6)  # 2 groups per epoch, not 16 images
    assert model.rewards.analyzer.embedded == 3


def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(codec, tmp_path):
    """Weights and their average, off-policy updates included; the curriculum switches after the resumption."""
    whole, half, rest = (module(codec, updates=2) for _ in range(3))
    averages = [AdapterEMA(decay=0.9) for _ in range(3)]
    fit(whole, tmp_path / "whole", 4, callbacks=averages[:1])
    fit(half, tmp_path / "half", 2, callbacks=averages[1:2])
    last = tmp_path / "half" / "epoch=1.ckpt"
    fit(rest, tmp_path / "rest", 4, resume=last, callbacks=averages[2:])
    for a, b in zip(whole.backbone.adapters.parameters(), rest.backbone.adapters.parameters(), strict=True):
        assert torch.equal(a, b)
    assert averages[0].average.keys() == averages[2].average.keys()
    assert all(torch.equal(a, averages[2].average[name]) for name, a in averages[0].average.items())


def test_indifferent_rewards_change_nothing_and_crash_nothing(codec, tmp_path):
    model = module(codec, scorer=Indifferent())
    model.configure_model()
    before = [p.detach().clone() for p in model.backbone.adapters.parameters()]
    seen = fit(model, tmp_path, 1)
    assert seen["policy/equal_groups"] == 1
    assert all(torch.equal(a, b) for a, b in zip(before, model.backbone.adapters.parameters(), strict=True))


def test_a_policy_that_differs_between_drawing_and_learning_is_caught(codec, tmp_path, monkeypatch):
    model = module(codec)
    score = model.policy.score
    monkeypatch.setattr(
        model.policy, "score", lambda *a: replace_log_prob(score(*a), lambda log_prob: log_prob + 1e-3)
    )
    with pytest.raises(RuntimeError, match="on-policy ratio differs from 1 by 1"):
        fit(model, tmp_path, 1)


def replace_log_prob(scored, change):
    return scored._replace(log_prob=change(scored.log_prob))


@pytest.mark.parametrize(
    "recipe",
    [
        {"ratio_norm": True},
        {"divergence": "gaussian", "divergence_weight": 0.1},
        {"divergence": "flow_grpo", "divergence_weight": 0.1},
        {"aggregate": "gdpo", "spread": "global", "updates": 2},
    ],
)
def test_variants_run_and_learn_something(codec, tmp_path, recipe):
    model = module(codec, **recipe)
    seen = fit(model, tmp_path, 3)
    assert seen["policy/divergence"] > 0
    assert all(torch.isfinite(p).all() for p in model.backbone.adapters.parameters())


def test_a_strong_divergence_keeps_the_policy_at_the_base(codec, tmp_path):
    apart = [
        float(fit(module(codec, divergence_weight=w), tmp_path / str(w), 8)["policy/divergence"])
        for w in (0.0, 100.0)
    ]
    assert apart[1] < 0.5 * apart[0]


def test_the_policys_lora_set_must_be_named(codec):
    with pytest.raises(ValueError, match="policy"):
        GRPOArtistModule(FluxBackbone(config=SMALL_ON_LATENTS), module(codec).rewards)
    with pytest.raises(ValueError, match="updates"):
        replace(GRPORecipe(), updates=0)
