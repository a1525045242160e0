"""Methods that a benchmark trains: found again, one per seed, and honest about failure."""

import pytest
import torch

from benchmarks.trained import TrainedArtist, TrainingFailed
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trained")


@pytest.fixture(scope="module")
def batch():
    return collate([draw_scene(seed, "val", count=2) for seed in (1, 2)])


def method(folder, *changes):
    return TrainedArtist(changes=[*SHORT, *changes], folder=str(folder))


def test_each_seed_is_trained_once_and_draws_its_own_images(folder, batch):
    drawing = method(folder)
    with pytest.raises(RuntimeError, match="call train"):
        drawing.generate(batch, seed=0)
    first = drawing.train(0)
    images = drawing.generate(batch, seed=5)
    assert images.shape == (2, 3, 128, 128)
    written = first.stat().st_mtime_ns
    assert drawing.train(1) != first
    assert not torch.equal(drawing.generate(batch, seed=5), images)
    again = method(folder)
    assert again.train(0) == first
    assert first.stat().st_mtime_ns == written
    assert torch.equal(again.generate(batch, seed=5), images)
    assert method(folder, "trainer.max_epochs=2")._digest(0) != drawing._digest(0)


def test_a_failed_training_shows_its_log(folder):
    with pytest.raises(TrainingFailed, match="no_such_key"):
        method(folder, "model.init_args.no_such_key=1").train(0)


def test_what_cannot_be_trained_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nowhere"):
        TrainedArtist("nowhere.yaml")
    with pytest.raises(ValueError, match="LoRAExport"):
        TrainedArtist("pretraining/flow.yaml")
