"""Batches of prompts and plans."""

from itertools import islice
from types import SimpleNamespace

import pytest
import torch

from datamodules.plans import datamodule
from datamodules.plans.datamodule import (
    POOL,
    LengthPools,
    PlanBatches,
    PlanDataModule,
    PlanDataset,
    collate_plans,
)


def prompts(batches, count):
    return [batch.prompts for batch in islice(iter(batches), count)]


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


def test_a_round_shows_every_example_once_in_batches_of_like_length():
    dataset = PlanDataset("train", 8 * POOL)
    pools = LengthPools(dataset, 8, seed=0)
    first, second = pools[0], pools[1]
    everyone = sorted(dataset[k].prompt for k in range(len(dataset)))
    assert (
        sorted(p for b in first for p in b.prompts)
        == sorted(p for b in second for p in b.prompts)
        == everyone
    )
    assert [b.prompts for b in first] != [b.prompts for b in second]
    spread = [max(n) - min(n) for b in first if (n := [len(p) for p in b.prompts])]
    assert sum(spread) / POOL < 0.4 * (max(map(len, everyone)) - min(map(len, everyone)))
    lengths = [len(b.prompts[0]) for b in first]
    assert lengths != sorted(lengths), "long prompts do not come last"


def test_a_round_that_ends_within_a_pool_goes_on_in_the_next_order():
    dataset = PlanDataset("train", 40)
    shown = [p for k in range(5) for b in LengthPools(dataset, 2, seed=3)[k] for p in b.prompts]
    assert len(shown) == 160
    assert {p: shown.count(p) for p in shown} == {dataset[k].prompt: 4 for k in range(40)}


def test_every_example_is_drawn_once(monkeypatch):
    drawn = []
    draw = datamodule.draw_example
    monkeypatch.setattr(
        datamodule, "draw_example", lambda seed, split: drawn.append(seed) or draw(seed, split)
    )
    data = PlanDataModule(n_train=8 * POOL, batch_size=8)
    assert sum(len(p) for p in prompts(data.train_dataloader(), POOL)) == 8 * POOL
    assert sorted(drawn) == list(range(8 * POOL))


@pytest.mark.parametrize("step", [1, POOL, 2 * POOL + 3])
def test_a_batch_is_a_function_of_its_step(step):
    pools = LengthPools(PlanDataset("train", 50), 2, seed=1)
    straight = prompts(PlanBatches(pools), step + 20)
    again = LengthPools(PlanDataset("train", 50), 2, seed=1)
    assert prompts(PlanBatches(again, first_step=step), 20) == straight[step:]
    assert prompts(PlanBatches(LengthPools(PlanDataset("train", 50), 2, seed=2)), 3) != straight[:3]


def test_processes_share_the_pools():
    pools = LengthPools(PlanDataset("train", 90), 2, seed=1)
    alone = prompts(PlanBatches(pools), 4 * POOL)
    first, second = (prompts(PlanBatches(pools, rank=rank, world=2), 2 * POOL) for rank in (0, 1))
    assert first == alone[:POOL] + alone[2 * POOL : 3 * POOL]
    assert second == alone[POOL : 2 * POOL] + alone[3 * POOL :]
    assert prompts(PlanBatches(pools, POOL + 2, 1, 2), 4) == second[POOL + 2 : POOL + 6]


def test_worker_processes_change_nothing():
    pools = LengthPools(PlanDataset("train", 30), 2, seed=1)
    assert prompts(PlanBatches(pools, 3, workers=2), 2 * POOL) == prompts(PlanBatches(pools, 3), 2 * POOL)


def test_training_goes_on_at_the_trainers_step():
    data = PlanDataModule(n_train=32, batch_size=8)
    straight = prompts(data.train_dataloader(), 12)
    data.trainer = SimpleNamespace(global_step=2, accumulate_grad_batches=3, global_rank=0, world_size=1)
    assert prompts(data.train_dataloader(), 6) == straight[6:]


def test_the_loaders_give_both_splits():
    data = PlanDataModule(n_train=32, n_val=10, batch_size=8)
    assert [len(p) for p in prompts(data.train_dataloader(), 20)] == [8] * 20
    assert [len(batch) for batch in data.val_dataloader()] == [8, 2]
    with pytest.raises(ValueError, match="batch_size: 64"):
        PlanDataModule(n_train=32, batch_size=64).train_dataloader()
    with pytest.raises(IndexError):
        PlanDataset("train", 3)[3]
