"""Methods made of a training configuration: trained once per seed, found again, and honest about failure."""

import json
import shutil

import pytest
import torch

from benchmarks import trained, training_digest, training_run
from benchmarks.generation import check_generator
from benchmarks.suite import Component, SuiteError
from benchmarks.suite_file import load_suite
from benchmarks.sweep import Configuration, configurations
from benchmarks.trained import ConfiguredArtist, TrainedArtist
from benchmarks.training_run import TrainingFailed
from datamodules.collate import collate
from datamodules.groups import WholeGroups
from datamodules.multi_human import MultiHumanDataModule
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.ar2can.artist import GRPOArtistModule
from lightning_modules.configured import configured

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


def test_defaults_are_the_same_written_or_left_out(folder):
    plain = digest(method(folder))
    assert digest(method(folder, "model.init_args.canvas.share_ids=cellwise")) == plain
    assert digest(method(folder, "model.init_args.canvas.share_ids=none")) != plain
    assert digest(method(folder, "data.init_args.scenes=datamodules.scene_sources.TinyWorldSource")) != plain
    left_out = configured(training_run.found("ar2can/artist_tiny.yaml"), GRPOArtistModule, "an Artist's")
    assert left_out.canvas == training_digest.MEANT["canvas"]
    bare = GRPOArtistModule(left_out.backbone, left_out.rewards)
    assert bare.recipe == training_digest.MEANT["recipe"]
    assert MultiHumanDataModule(WholeGroups()).curriculum == training_digest.MEANT["curriculum"]


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A copy of what is shipped beside the weights of the base, free to be edited."""
    for source in training_digest.SHIPPED.rglob("*.json"):
        copy = tmp_path / source.relative_to(training_digest.SHIPPED)
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(source, copy)
    monkeypatch.setattr(training_digest, "SHIPPED", tmp_path)
    return tmp_path


def edited(file, **changes):
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_words_and_figures_of_a_card_decide_nothing(folder, shipped):
    written = method(folder).run.written(0)
    plain = training_digest.digest(written)
    base, codec = shipped / "flux_tiny_single", shipped / "codec"
    card, config = codec / "diffusion_pytorch_model.json", base / "config.json"
    edited(card, date="1999-12-31", data="the same, in other words", metrics={"val/psnr": 99.0}, command="")
    edited(config, _diffusers_version="9.9", _name_or_path="elsewhere")
    edited(shipped / "flux_tiny" / "config.json", num_layers=9)
    assert training_digest.digest(written) == plain, "another model's, or words"
    seen = {plain}
    for file, change in (
        (card, {"sha256": "0" * 64}),
        (base / "diffusion_pytorch_model.json", {"sha256": "1" * 64}),
        (config, {"num_layers": 3}),
        (codec / "config.json", {"scaling_factor": 1.0}),
    ):
        edited(file, **change)
        seen.add(training_digest.digest(written))
    assert len(seen) == 5
    edited(card, sha256="")
    with pytest.raises(ValueError, match="states no sha256"):
        training_digest.digest(written)


ARTISTS = {  # the trainings of each suite that no suite before it has
    "artist": ["tuned"],
    "table_3": ["simple", "hungarian", "curriculum"],
    "table_d2": ["face_only", "quality_and_face", "much_quality", "much_frontal", "chosen"],
    "table_d3": [],
    "sharing": ["none"],
    "warning": ["unguarded", "quality", "divergence", "stopping"],
}


def trainings(name):
    """Digest by method of a suite."""
    methods = load_suite(name)[0].methods
    chosen = {m: methods[m].generator for m in methods if methods[m].generator is not None}
    return {
        m: digest(TrainedArtist(**c.init_args))
        for m, c in chosen.items()
        if c.class_path == "benchmarks.trained.TrainedArtist"
    }


def test_ablations_share_the_trainings_they_have_in_common():
    """Fourteen trainings from each of three seeds, whatever is written differently."""
    found = {name: trainings(name) for name in ARTISTS}
    assert found["sharing"]["cellwise"] == found["table_3"]["hungarian"]
    assert found["artist"]["tuned"] == found["table_d3"]["tuned"]
    seen = set()
    for name, methods in found.items():
        assert len(set(methods.values())) == len(methods), f"{name} trains the same twice"
        assert [m for m, d in methods.items() if d not in seen] == ARTISTS[name]
        seen |= set(methods.values())
    assert len(seen) == 14


@pytest.mark.parametrize("name", ["architect_b", *ARTISTS])
def test_ablations_have_three_seeds_and_begin_with_a_base(name):
    suite, _ = load_suite(name)
    found = configurations(suite)
    assert all(len(c.seeds) == 3 for c in found if not c.ceiling)
    kinds = [c.generator.class_path.rsplit(".", 1)[-1] for c in found if not c.ceiling]
    assert kinds[0] == "ConfiguredArtist"
    assert "TrainedArtist" in kinds
    assert "paper" in suite.description or "Ar2Can reports" in suite.description


@pytest.mark.parametrize("name", ["artist", "table_3", "table_d2", "table_d3"])
def test_the_papers_identity_stands_under_the_one_it_means(name):
    """MultiHuman-Testbench matches by likeness alone; ours goes by place."""
    suite, _ = load_suite(name)
    metrics = {metric.rsplit(".", 1)[-1] for metric in suite.metrics}
    assert {"identity", "identity_anywhere"} <= metrics
    reported = [set(c.paper) for c in configurations(suite) if c.paper]
    assert reported
    for columns in reported:
        assert any(column.startswith("identity_anywhere") for column in columns)
        assert not any(column.split("/")[0] == "identity" for column in columns)
