"""Methods made of a training configuration: trained once per seed, found again, and honest about failure."""

import json

import pytest
import torch

from benchmarks import trained, training_run
from benchmarks.generation import check_generator
from benchmarks.suite import Component, SuiteError
from benchmarks.suite_file import load_suite
from benchmarks.sweep import Configuration, configurations
from benchmarks.trained import ConfiguredArtist, TrainedArtist
from benchmarks.training_run import TrainingFailed
from datamodules.collate import collate
from datamodules.tiny_world.scenes import draw_scene

SHORT = [
    "trainer.max_epochs=1",
    "trainer.check_val_every_n_epoch=1",
    "data.init_args.val_size=2",
    "model.init_args.sampling.steps=4",
    "model.init_args.sampling.eval_steps=2",
    "model.init_args.recipe.micro_batch=4",
    "data.init_args.sampler.init_args.groups_per_rank=1",
    "data.init_args.sampler.init_args.group_size=4",
]
GUARD = "callbacks.hold_out_guard.HoldOutGuard"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trained")


@pytest.fixture(scope="module")
def batch():
    return collate([draw_scene(seed, "val", count=2) for seed in (1, 2)])


@pytest.fixture
def loads(monkeypatch):
    """The LoRA sets that modules were loaded with."""
    seen, policy = [], trained.trained_policy
    monkeypatch.setattr(trained, "trained_policy", lambda *a: (seen.append(a[1]), policy(*a))[1])
    return seen


def method(folder, *changes, **options):
    return TrainedArtist(changes=changes, common=SHORT, folder=str(folder), **options)


def digest(made, seed=0):
    return training_run.digest(made.run.written(seed))


def test_each_seed_is_trained_once_and_draws_its_own_images(folder, batch, loads, monkeypatch):
    monkeypatch.setattr(training_run, "_LOOK_S", 0.05)
    told = []
    drawing = method(folder)
    with pytest.raises(RuntimeError, match="call train"):
        drawing.generate(batch, seed=0)
    first = drawing.train(0, told.append)
    images = drawing.generate(batch, seed=5)
    assert images.shape == (2, 3, 128, 128)
    assert any(words.startswith("epoch 1 of 1, reward 0.") for words in told)
    curves = drawing.training.curves
    assert [epoch for epoch, _ in curves["val/face"]] == [0, 1]
    assert [epoch for epoch, _ in curves["reward/total/mean"]] == [0]
    assert drawing.training.seconds > 0
    written = first.stat().st_mtime_ns
    assert drawing.train(0) == first
    assert len(loads) == 1, "what is loaded is not loaded again"
    assert drawing.train(1) != first
    assert not torch.equal(drawing.generate(batch, seed=5), images)
    again = method(folder)
    assert again.train(0) == first
    assert first.stat().st_mtime_ns == written
    assert torch.equal(again.generate(batch, seed=5), images)
    assert again.training.curves == curves

    card = json.loads(first.with_suffix(".json").read_text())
    assert card["command"].startswith(
        "python -m lightning_modules.cli fit -c configs/trainer/cpu.yaml -c configs/ar2can/artist_tiny.yaml "
        "trainer.max_epochs=1 "
    )
    assert card["metrics"]["val/face"] == pytest.approx(curves["val/face"][-1][1], abs=1e-4)

    base = ConfiguredArtist(common=SHORT)
    untrained = base.generate(batch, seed=5)
    assert not torch.equal(untrained, images)
    shown = ConfiguredArtist(common=SHORT, lora=str(first))
    assert torch.equal(shown.generate(batch, seed=5), images)


def test_a_failed_training_shows_its_log_and_begins_anew(folder):
    failing = method(
        folder,
        "model.init_args.recipe.on_policy_tolerance=-1.0",
        "trainer.num_sanity_val_steps=0",
        without=[GUARD],
    )
    left = folder / f"artist_tiny-{digest(failing)}" / "left.txt"
    left.parent.mkdir()
    left.touch()
    with pytest.raises(TrainingFailed, match="on-policy ratio differs from 1"):
        failing.train(0)
    assert not left.exists()
    assert "on-policy" in (left.parent / "log.txt").read_text()
    assert GUARD not in (left.parent / "config.yaml").read_text()
    with pytest.raises(RuntimeError, match="call train"):
        failing.generate(None, seed=0)


def test_what_cannot_be_trained_is_refused(folder):
    with pytest.raises(ValueError, match=r"config: nowhere\.yaml"):
        TrainedArtist("nowhere.yaml")
    with pytest.raises(ValueError, match=r"hardware: nowhere\.yaml"):
        TrainedArtist(hardware="nowhere.yaml")
    with pytest.raises(ValueError, match="LoRAExport"):
        TrainedArtist(without=[training_run.EXPORT]).check()
    with pytest.raises(ValueError, match="unknown key 'no_such_key'"):
        method(folder, "model.init_args.no_such_key=1").check()
    with pytest.raises(ValueError, match=r"without: artist_tiny\.yaml has no callback a\.B"):
        method(folder, without=["a.B"]).check()
    wrong = Component("benchmarks.trained.ConfiguredArtist", {"changes": ["trainer.max_epochs=many"]})
    with pytest.raises(SuiteError, match=r"methods\.m\.generator: trainer\.max_epochs"):
        check_generator(Configuration("m", wrong))


def test_what_decides_a_result_names_its_folder(folder):
    plain = digest(method(folder))
    assert digest(method(folder), 1) != plain
    assert digest(method(folder, "trainer.max_epochs=2")) != plain
    assert digest(method(folder, without=[GUARD])) != plain
    assert digest(method(folder, hardware="trainer/two_cpu_ranks.yaml")) != plain
    assert digest(method(folder, "model.init_args.rewards.init_args.terms.count.weight=0.2")) == plain


def made(suite, name):
    component = suite.methods[name].generator
    return TrainedArtist(**component.init_args)


def test_ablations_share_the_trainings_they_have_in_common():
    suites = {n: load_suite(n)[0] for n in ("artist", "table_3", "table_d3", "warning")}
    assert digest(made(suites["table_3"], "curriculum")) == digest(made(suites["warning"], "quality"))
    assert digest(made(suites["artist"], "tuned")) == digest(made(suites["table_d3"], "tuned"))


@pytest.mark.parametrize(
    "name", ["architect_b", "artist", "table_3", "table_d2", "table_d3", "sharing", "warning"]
)
def test_ablations_have_three_seeds_a_base_and_trainings_that_differ(name):
    suite, _ = load_suite(name)
    found = configurations(suite)
    assert all(len(c.seeds) == 3 for c in found if not c.ceiling)
    kinds = [c.generator.class_path.rsplit(".", 1)[-1] for c in found if not c.ceiling]
    assert kinds[0] == "ConfiguredArtist"
    arguments = [repr(c.generator.init_args) for c in found if "Trained" in c.generator.class_path]
    assert len(set(arguments)) == len(arguments) >= 1
    assert "paper" in suite.description or "Ar2Can reports" in suite.description
