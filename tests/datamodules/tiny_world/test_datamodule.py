"""Loaders: sizes, splits, order."""

import pytest
import torch

from datamodules.schema.scene import SceneBatch
from datamodules.tiny_world.datamodule import TinyWorldDataModule, TinyWorldDataset
from datamodules.tiny_world.scenes import draw_scene


def test_the_dataset_is_a_view_of_draw_scene():
    dataset = TinyWorldDataset("val", 3, first_seed=10)
    assert len(dataset) == 3
    assert torch.equal(dataset[2].image, draw_scene(12, "val").image)
    assert [scene.scene_id for scene in dataset] == ["val/10", "val/11", "val/12"]
    assert {len(TinyWorldDataset("train", 4, count=6)[k]) for k in range(4)} == {6}


def test_out_of_range_and_bad_arguments():
    with pytest.raises(IndexError, match="index: 3"):
        TinyWorldDataset("val", 3)[3]
    with pytest.raises(ValueError, match="size: -1"):
        TinyWorldDataset("val", -1)
    with pytest.raises(ValueError, match="split: 'dev'"):
        TinyWorldDataset("dev", 1)


def test_loaders_give_batches_of_their_split():
    module = TinyWorldDataModule(train_size=5, val_size=3, test_size=2, batch_size=2)
    for loader, split, size in (
        (module.train_dataloader(), "train", 5),
        (module.val_dataloader(), "val", 3),
        (module.test_dataloader(), "test", 2),
    ):
        batches = list(loader)
        assert all(isinstance(batch, SceneBatch) for batch in batches)
        names = [name for batch in batches for name in batch.scene_ids]
        assert sorted(names) == [f"{split}/{k}" for k in range(size)]


def test_worker_processes_draw_the_same_scenes():
    plain = TinyWorldDataModule(val_size=2, batch_size=2)
    forked = TinyWorldDataModule(val_size=2, batch_size=2, num_workers=1)
    a, b = next(iter(plain.val_dataloader())), next(iter(forked.val_dataloader()))
    assert torch.equal(a.images, b.images)
    assert a.prompts == b.prompts
