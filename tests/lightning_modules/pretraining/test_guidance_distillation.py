"""Guidance as a LoRA set: what is shown is guided drawing, what is learned draws it in half the passes."""

from types import SimpleNamespace

import pytest
import torch
from quiet_trainer import quiet_trainer
from small_flux import SMALL_ON_LATENTS
from small_policy import Blind, CountingEncoder, Redness, save_codec, small_backbone

from datamodules.groups import CountCurriculum, WholeGroups
from datamodules.multi_human import GroupBatches, MultiHumanDataModule
from datamodules.scene_sources import TinyWorldSource
from lightning_modules.backbone.adapters import ATTENTION, ATTENTION_OUT, LoRASpec
from lightning_modules.backbone.flux import FluxBackbone, FluxConfig
from lightning_modules.backbone.guidance import text_group
from lightning_modules.policy.rollout import Sampling
from lightning_modules.pretraining.guidance_distillation import DistillationRecipe, GuidanceDistillationModule
from lightning_modules.pretraining.schedule import rate_factor
from rewards.preference import PreferenceReward
from rewards.stack import RewardStack, RewardTerm

SCALE = 3.0


@pytest.fixture(scope="module")
def codec(tmp_path_factory):
    return save_codec(tmp_path_factory.mktemp("codec"))


def module(codec, backbone=None, sampling=None, **recipe):
    rewards = RewardStack(Blind(), {"red": RewardTerm(PreferenceReward(Redness()))})
    return GuidanceDistillationModule(
        backbone or small_backbone(),
        rewards,
        sampling or Sampling(steps=3, eval_steps=3),
        codec=codec,
        encoder=CountingEncoder(),
        distillation=DistillationRecipe(**{"scale": SCALE, "learning_rate": 0.01, **recipe}),
    )


class OneScenePerCount(TinyWorldSource):
    """Two scenes, which can be learned in seconds; their noise is new every time."""

    def draw(self, seed, split, count):
        return super().draw(count, "train", count)


def data():
    sampler = WholeGroups(groups_per_rank=2, group_size=4)
    counts = CountCurriculum(then=(2, 3), switch=-1)
    return MultiHumanDataModule(sampler, counts, val_size=4, val_counts=(2, 3), scenes=OneScenePerCount())


def fit(model, folder, epochs):
    """Train, and return the learning rate at the end."""
    trainer = quiet_trainer(max_epochs=epochs, limit_val_batches=0, default_root_dir=folder)
    trainer.fit(model, data())
    return trainer.optimizers[0].param_groups[0]["lr"]


def scenes():
    return next(iter(data().val_dataloader()))


def test_what_is_shown_is_euler_steps_of_guided_velocities(codec):
    model = module(codec)
    batch = scenes()
    sequence = model.encode(batch)
    noise = torch.randn(sequence.noise.tokens.shape, generator=torch.Generator().manual_seed(5))
    sigmas, shown = model.demonstrate(sequence, noise)
    assert len(shown) == 3
    assert torch.equal(shown[0][0], noise)
    empty = model.encoder.encode([""] * len(batch))
    plain = sequence.with_adapters()
    nothing = type(plain)(text=text_group(empty), pooled=empty.pooled, noise=plain.noise)
    for k, (x, wanted) in enumerate(shown):
        sigma = sigmas[k].expand(len(x))
        with torch.no_grad():
            prompted = model.backbone(plain.with_noise(x), sigma)
            away = model.backbone(nothing.with_noise(x), sigma)
        torch.testing.assert_close(wanted, SCALE * prompted + (1 - SCALE) * away, rtol=0, atol=1e-4)
        if k:
            before, velocity = shown[k - 1]
            torch.testing.assert_close(x, before + (sigmas[k] - sigmas[k - 1]) * velocity)


def test_guidance_is_learned_and_nothing_but_the_set_changes(codec, tmp_path):
    """On the shipped base: in a random network the prompt's part of a velocity is noise that no small set can fit."""
    spec = LoRASpec(rank=8, targets=(*ATTENTION, *ATTENTION_OUT))
    model = module(
        codec,
        FluxBackbone("flux_tiny", dtype="bfloat16", adapters={"policy": spec}),
        Sampling(steps=2, eval_steps=2),
        learning_rate=5e-3,
        warmup_steps=2,
    )
    model.configure_model()
    frozen = [p.detach().clone() for p in model.backbone.transformer.parameters()]
    sequence = model.encode(scenes())
    noise = torch.randn(sequence.noise.tokens.shape, generator=torch.Generator().manual_seed(5))
    sigmas, shown = model.demonstrate(sequence, noise)

    @torch.no_grad()
    def error(adapted):
        """Mean squared distance to guided velocities, on noise that training never saw."""
        prepared = model.backbone.prepare(adapted)
        apart = [
            (model.policy.velocity(prepared, x, sigmas, k) - v).square().mean()
            for k, (x, v) in enumerate(shown)
        ]
        return float(sum(apart))

    rate = fit(model, tmp_path, 12)
    assert error(sequence) < 0.75 * error(sequence.with_adapters())
    assert rate == pytest.approx(5e-3 * 0.01)  # the schedule has come to its end
    for old, new in zip(frozen, model.backbone.transformer.parameters(), strict=True):
        assert torch.equal(old, new)


def test_two_epochs_are_two_plain_steps_of_adamw(codec, tmp_path):
    """Of the mean squared error to all velocities shown, each batch's gradient by itself."""
    model, plain = module(codec), module(codec)
    fit(model, tmp_path, 2)
    parameters = list(plain.backbone.adapters.parameters())
    optimizer = torch.optim.AdamW(parameters, 1.0, weight_decay=1e-4)
    source = data()
    batches = GroupBatches(source.sampler, source.curriculum, "train", 0, lambda: 0, scenes=source.scenes)
    for epoch in range(2):
        batch = batches.batch(epoch)
        sequence = plain.encode(batch.scenes).select(batch.members)
        seed = GuidanceDistillationModule._generator(
            SimpleNamespace(seed=0, current_epoch=epoch, global_rank=0), 1
        )
        sigmas, shown = plain.demonstrate(sequence, torch.randn(sequence.noise.tokens.shape, generator=seed))
        errors = [
            (plain.backbone(sequence.with_noise(x), sigmas[k].expand(len(x))) - wanted).square().mean()
            for k, (x, wanted) in enumerate(shown)
        ]
        optimizer.zero_grad()
        torch.stack(errors).mean().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.param_groups[0]["lr"] = 0.01 * rate_factor(epoch, 2, 20, 0.9, 0.01)
        optimizer.step()
    for ours, theirs in zip(model.backbone.adapters.parameters(), parameters, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-5)


def test_prompts_are_encoded_once_per_batch(codec, tmp_path):
    model = module(codec)
    fit(model, tmp_path, 2)
    assert (model.encoder.calls, model.encoder.prompts) == (4, 6)  # two prompts and the empty one, per batch


def test_guidance_that_is_none_or_there_already_is_refused(codec):
    with pytest.raises(ValueError, match=r"scale: 1.0 must be more than 1"):
        module(codec, scale=1.0)
    with pytest.raises(ValueError, match=r"sampling.free_guidance: 2.0 must be 1"):
        module(codec, sampling=Sampling(free_guidance=2.0))
    embedding = FluxConfig(**{**vars(SMALL_ON_LATENTS), "guidance_embeds": True})
    backbone = FluxBackbone(config=embedding, adapters={"policy": LoRASpec(rank=2)})
    with pytest.raises(ValueError, match="embeds the guidance scale"):
        module(codec, backbone).configure_model()
