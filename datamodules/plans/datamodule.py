"""Batches of prompts and plans for Architect-A: drawn once each, and a function of the step they are for."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Self, cast

import torch
from jaxtyping import Bool, Float
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from datamodules.plans.examples import PlanExample, PlanSplit, draw_example

POOL = 16
"""Batches whose prompts are sorted by length together."""


@dataclass(frozen=True)
class PlanBatch:
    """Prompts and what they mean.

    Attributes:
        prompts: as users write them.
        tallies: how the count comes about ("3 + 2 = 5"); "0", "many", "some" or more than seven where nobody is placed.
        boxes: face boxes, xyxy in [0, 1]; zeros where not valid.
        valid: which slots hold a person.
        families: what it takes to count.
    """

    prompts: tuple[str, ...]
    tallies: tuple[str, ...]
    boxes: Float[Tensor, "b n 4"]
    valid: Bool[Tensor, "b n"]
    families: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.prompts)

    def to(self, device: torch.device | str) -> Self:
        """The same batch on another device."""
        return type(self)(
            self.prompts, self.tallies, self.boxes.to(device), self.valid.to(device), self.families
        )


class PlanDataset(Dataset[PlanExample]):
    """The first ``size`` examples of a split, drawn when asked for.

    Args:
        split: one of ``PLAN_SPLITS``.
        size: how many.
        sort: left to right, then top to bottom, as the paper has it; without it people stand in a random order that
            belongs to the example (the ablation of Figure D.1).
    """

    def __init__(self, split: PlanSplit, size: int, sort: bool = True) -> None:
        self.split, self.size, self.sort = split, size, sort

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> PlanExample:
        if not 0 <= index < self.size:
            raise IndexError(f"index: {index}; the split has {self.size} examples")
        example = draw_example(index, self.split)
        if self.sort or example.count is None:
            return example
        order = random.Random(index).sample(range(example.count), example.count)
        return PlanExample(**{**vars(example), "boxes": example.boxes[order]})


def collate_plans(examples: Sequence[PlanExample]) -> PlanBatch:
    """A padded batch."""
    people = max(1, *(len(e.boxes) for e in examples)) if examples else 1
    boxes = torch.zeros(len(examples), people, 4)
    valid = torch.zeros(len(examples), people, dtype=torch.bool)
    for k, example in enumerate(examples):
        boxes[k, : len(example.boxes)] = torch.from_numpy(example.boxes)
        valid[k, : len(example.boxes)] = True
    return PlanBatch(
        tuple(e.prompt for e in examples),
        tuple(e.tally for e in examples),
        boxes,
        valid,
        tuple(e.family for e in examples),
    )


class LengthPools(Dataset[list[PlanBatch]]):
    """Endless pools of 16 batches, each batch of prompts of about one length: little is spent on padding.

    Examples are shuffled anew each time all of them have been shown; a pool is sorted by length and cut into batches,
    which are shuffled in turn. Pool k is a function of seed and k. It draws each of its examples once.

    Args:
        dataset: the examples.
        batch_size: examples per batch.
        seed: of the shuffles.

    Raises:
        ValueError: if the examples do not fill a batch.
    """

    def __init__(self, dataset: PlanDataset, batch_size: int, seed: int) -> None:
        if not 1 <= batch_size <= len(dataset):
            raise ValueError(f"batch_size: {batch_size} must lie in 1..{len(dataset)}, the size of the split")
        self.dataset, self.batch_size, self.seed = dataset, batch_size, seed
        self._round, self._order = -1, [0]

    def __getitem__(self, number: int) -> list[PlanBatch]:
        size = self.batch_size * POOL
        places = range(number * size, (number + 1) * size)
        chosen = sorted((self.dataset[self._index(k)] for k in places), key=lambda e: len(e.prompt))
        batches = [collate_plans(chosen[k : k + self.batch_size]) for k in range(0, size, self.batch_size)]
        return random.Random(f"{self.seed}/pool {number}").sample(batches, POOL)

    def _index(self, place: int) -> int:
        """Which example comes at a place of the endless order."""
        turn, within = divmod(place, len(self.dataset))
        if turn != self._round:
            everyone = range(len(self.dataset))
            self._round = turn
            self._order = random.Random(f"{self.seed}/round {turn}").sample(everyone, len(everyone))
        return self._order[within]


class PlanBatches:
    """Endless training batches that go on at any step. Of several processes, each takes every so manieth pool.

    Args:
        pools: where they are.
        first_step: the batch that comes first: batches that a resumed run has behind it.
        rank: this process.
        world: number of processes.
        workers: processes that draw pools; 0 draws in this one.
    """

    def __init__(
        self, pools: LengthPools, first_step: int = 0, rank: int = 0, world: int = 1, workers: int = 0
    ) -> None:
        self.pools, self.first_step, self.rank, self.world, self.workers = (
            pools, first_step, rank, world, workers,
        )  # fmt: skip

    def __iter__(self) -> Iterator[PlanBatch]:
        turn, behind = divmod(self.first_step, POOL)
        numbers = count(self.rank + turn * self.world, self.world)
        drawn = DataLoader(self.pools, batch_size=None, sampler=numbers, num_workers=self.workers)
        for pool in drawn:
            yield from cast(list[PlanBatch], pool)[behind:]
            behind = 0


class PlanDataModule(LightningDataModule):
    """Training examples in batches of about one length; validation in the order of their seeds.

    Args:
        n_train: training examples.
        n_val: validation examples.
        batch_size: examples per batch.
        sort: see :class:`PlanDataset`.
        seed: of the shuffles.
        workers: processes that draw examples; 0 draws in this one.
    """

    def __init__(
        self,
        n_train: int = 120_000,
        n_val: int = 500,
        batch_size: int = 64,
        sort: bool = True,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.n_train, self.n_val, self.batch_size = n_train, n_val, batch_size
        self.sort, self.seed, self.workers = sort, seed, workers

    def train_dataloader(self) -> PlanBatches:
        """Endless batches of the training split that go on at the trainer's step; bound the run by ``max_steps``."""
        pools = LengthPools(PlanDataset("train", self.n_train, self.sort), self.batch_size, self.seed)
        trainer = self.trainer
        if trainer is None:
            return PlanBatches(pools, workers=self.workers)
        done = trainer.global_step * trainer.accumulate_grad_batches
        return PlanBatches(pools, done, trainer.global_rank, trainer.world_size, self.workers)

    def val_dataloader(self) -> DataLoader[PlanBatch]:
        """The validation split."""
        dataset = PlanDataset("val", self.n_val, self.sort)
        return DataLoader(dataset, self.batch_size, collate_fn=collate_plans)  # type: ignore[arg-type]
