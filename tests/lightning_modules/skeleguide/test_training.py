"""Training through the phases: idle sets stand still, one checkpoint holds everything, resuming changes no bit."""

import lightning as L
import pytest
import torch
from quiet_trainer import quiet_trainer
from small_module import Scenes, reason_render
from torch.utils.data import DataLoader

from callbacks.adapter_checkpoint import AdapterCheckpoint
from callbacks.adapter_ema import AdapterEMA
from callbacks.phase_schedule import PhaseSchedule
from lightning_modules.skeleguide.phases import APPEARANCE, SKELETAL

LENGTHS = {"reason": 2, "joint": 4, "render": 3}
TOTAL = sum(LENGTHS.values())


class Watched(L.Callback):
    """LoRA sets and phase after every step."""

    def __init__(self):
        self.phases, self.sets = [], []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.phases.append(module.phase.name)

    def on_train_batch_end(self, trainer, module, *_):
        self.sets.append(copied(module))


def copied(module):
    return {
        name: torch.cat([p.detach().flatten() for p in module.backbone.adapters[name].parameters()])
        for name in (SKELETAL, APPEARANCE)
    }


def fit(module, folder, lengths, resume=None, first=0, more=()):
    """Scenes by step number: a resumed run goes on where the other stopped."""
    watched = Watched()
    trainer = quiet_trainer(
        max_steps=-1,
        max_epochs=1,
        gradient_clip_val=0.5,
        callbacks=[
            PhaseSchedule(lengths),
            watched,
            *more,
            AdapterCheckpoint(dirpath=folder, filename="{step}", save_top_k=-1, every_n_train_steps=1),
        ],
        default_root_dir=folder,
        enable_checkpointing=True,
    )
    trainer.fit(module, DataLoader(Scenes(TOTAL + 5, first), batch_size=None), ckpt_path=resume)
    return trainer, watched


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Nine steps without a break, with a checkpoint after each."""
    folder = tmp_path_factory.mktemp("straight")
    module = reason_render(zero=True)
    trainer, watched = fit(module, folder, LENGTHS)
    return folder, module, trainer, watched


def test_phases_last_their_steps_and_training_ends_after_the_last(straight):
    _, _, trainer, watched = straight
    assert trainer.global_step == TOTAL
    assert watched.phases == ["reason"] * 2 + ["joint"] * 4 + ["render"] * 3


def test_only_the_sets_of_a_phase_move(straight):
    _, _, _, watched = straight
    before = copied(reason_render(zero=True))
    for phase, after in zip(watched.phases, watched.sets, strict=True):
        moved = {name for name in after if not torch.equal(after[name], before[name])}
        assert moved == {"reason": {SKELETAL}, "joint": {SKELETAL, APPEARANCE}, "render": {APPEARANCE}}[phase]
        before = after


def test_a_set_that_begins_late_begins_like_a_fresh_one(straight):
    """Adam's first step has the size of the learning rate, however long the set was idle before."""
    _, module, trainer, watched = straight
    first = (watched.sets[2][APPEARANCE] - watched.sets[1][APPEARANCE]).abs()
    assert float(first.max()) == pytest.approx(module.recipe.learning_rate, rel=1e-3)
    counted = {
        group["name"]: {int(trainer.optimizers[0].state[p]["step"]) for p in group["params"]}
        for group in trainer.optimizers[0].param_groups
    }
    assert counted == {SKELETAL: {6}, APPEARANCE: {7}}


@pytest.mark.parametrize("stopped", [1, 2, 4, 7])
def test_a_resumed_run_is_the_same_to_the_last_bit(straight, tmp_path, stopped):
    """In the middle of each phase, and at the end of the first."""
    folder, straight_module, straight_trainer, straight_watched = straight
    module = reason_render(zero=True)
    for parameter in module.backbone.adapters.parameters():
        torch.nn.init.normal_(parameter)  # everything must come from the checkpoint
    checkpoint = folder / f"step={stopped}.ckpt"
    trainer, watched = fit(module, tmp_path, LENGTHS, resume=checkpoint, first=stopped)
    assert watched.phases == straight_watched.phases[stopped:]
    for ours, theirs in zip(watched.sets, straight_watched.sets[stopped:], strict=True):
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    moments, expected = (
        [state for p in t.optimizers[0].state.values() for state in p.values()]
        for t in (trainer, straight_trainer)
    )
    assert all(torch.equal(a, b) for a, b in zip(moments, expected, strict=True))
    assert trainer.global_step == straight_trainer.global_step
    assert module.phase == straight_module.phase


def test_the_checkpoint_holds_both_sets_the_phase_and_nothing_frozen(straight):
    folder, module, *_ = straight
    checkpoint = torch.load(folder / "step=4.ckpt", weights_only=True)
    assert checkpoint["phase"] == "joint"
    assert checkpoint["callbacks"]["PhaseSchedule"]["phase"] == "joint"
    names = {key.split(".")[2] for key in checkpoint["state_dict"] if key.startswith("backbone.adapters.")}
    assert names == {SKELETAL, APPEARANCE}
    assert len(checkpoint["state_dict"]) == len(list(module.backbone.adapters.parameters()))


def test_an_idle_set_keeps_the_average_of_the_steps_that_moved_it(tmp_path):
    """As torch's own average of the set over the steps of its phases, in which the decay grows with all steps."""
    average = AdapterEMA(0.8)
    module = reason_render(zero=True)
    began = copied(module)
    _, watched = fit(module, tmp_path, LENGTHS, more=[average])
    trains = {SKELETAL: ("reason", "joint"), APPEARANCE: ("joint", "render")}
    for name, phases in trains.items():
        mean = began[name].clone()
        for step, (phase, sets) in enumerate(zip(watched.phases, watched.sets, strict=True)):
            decay = min(0.8, (1 + step) / (10 + step))
            if phase in phases:
                mean = decay * mean + (1 - decay) * sets[name]
        ours = torch.cat([v.flatten() for k, v in average.average.items() if f".{name}." in k])
        torch.testing.assert_close(ours, mean, rtol=1e-5, atol=1e-7)
        assert not torch.allclose(ours, watched.sets[-1][name], atol=1e-6)


def test_batches_of_one_step_have_noise_of_their_own(monkeypatch):
    module, seen = reason_render(zero=True), []
    generator = module._generator
    monkeypatch.setattr(module, "_generator", lambda *place: seen.append(place) or generator(*place))
    trainer = quiet_trainer(max_steps=3, accumulate_grad_batches=2, limit_val_batches=0)
    trainer.fit(module, DataLoader(Scenes(6), batch_size=None))
    assert seen == [(0,), (1,), (2,), (3,), (4,), (5,)]
