"""Batches of prompts and plans."""

import pytest
import torch

from datamodules.plans.datamodule import LengthBatches, PlanDataModule, PlanDataset, collate_plans


def test_a_batch_holds_what_its_examples_hold():
    dataset = PlanDataset("val", 12)
    examples = [dataset[k] for k in range(12)]
    batch = collate_plans(examples)
    assert batch.prompts == tuple(e.prompt for e in examples)
    assert batch.valid.sum(dim=1).tolist() == [e.count or 0 for e in examples]
    for k, example in enumerate(examples):
        assert torch.equal(batch.boxes[k][batch.valid[k]], torch.from_numpy(example.boxes))
    assert not batch.boxes[~batch.valid].any()


def test_unsorted_plans_hold_the_same_people_in_another_order():
    ordered, loose = PlanDataset("train", 60), PlanDataset("train", 60, sort=False)
    moved = 0
    for k in range(60):
        a, b = ordered[k], loose[k]
        assert a.prompt == b.prompt
        assert sorted(map(tuple, a.boxes)) == sorted(map(tuple, b.boxes))
        moved += (a.boxes != b.boxes).any() if len(a.boxes) else False
        assert (loose[k].boxes == b.boxes).all()
    assert moved > 20


def test_an_epoch_shows_every_example_once_in_batches_of_like_length():
    dataset = PlanDataset("train", 96)
    batches = LengthBatches(dataset, 8, seed=0)
    first = list(batches)
    assert sorted(k for batch in first for k in batch) == list(range(96))
    spread = [max(n) - min(n) for b in first if (n := [len(dataset[k].prompt) for k in b])]
    everyone = [len(dataset[k].prompt) for k in range(96)]
    assert sum(spread) / len(spread) < 0.4 * (max(everyone) - min(everyone))
    assert first == list(batches)
    batches.set_epoch(1)
    assert first != list(batches)


def test_the_loaders_give_both_splits():
    data = PlanDataModule(n_train=32, n_val=10, batch_size=8)
    assert sum(len(batch) for batch in data.train_dataloader()) == 32
    assert [len(batch) for batch in data.val_dataloader()] == [8, 2]
    with pytest.raises(ValueError, match="batch_size: 64"):
        PlanDataModule(n_train=32, batch_size=64).train_dataloader()
    with pytest.raises(IndexError):
        PlanDataset("train", 3)[3]
