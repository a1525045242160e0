"""Batches of prompts and plans for Architect-A."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Bool, Float
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from datamodules.plans.examples import PlanExample, PlanSplit, draw_example

_POOL = 16
"""Batches whose prompts are sorted by length together."""


@dataclass(frozen=True)
class PlanBatch:
    """Prompts and what they mean.

    Attributes:
        prompts: as users write them.
        tallies: how the count comes about ("3 + 2 = 5"); "0", "many", "some" where nobody is placed.
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


class LengthBatches(Sampler[list[int]]):
    """Batches of prompts of about one length, so that little is spent on padding.

    Shuffled anew in every epoch: pools of 16 batches are sorted by length and cut, and the batches of a pool shuffled.

    Args:
        dataset: its examples' prompts are measured as they come.
        batch_size: examples per batch; what is left over at the end of an epoch is dropped.
        seed: of the shuffling.
    """

    def __init__(self, dataset: PlanDataset, batch_size: int, seed: int) -> None:
        if not 1 <= batch_size <= len(dataset):
            raise ValueError(f"batch_size: {batch_size} must lie in 1..{len(dataset)}, the size of the split")
        self.dataset, self.batch_size, self.seed, self.epoch = dataset, batch_size, seed, 0

    def __len__(self) -> int:
        return len(self.dataset) // self.batch_size

    def set_epoch(self, epoch: int) -> None:
        """Lightning tells the epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        rng = random.Random(f"{self.seed}/{self.epoch}")
        order = rng.sample(range(len(self.dataset)), len(self) * self.batch_size)
        pool = self.batch_size * _POOL
        for start in range(0, len(order), pool):
            chosen = sorted(order[start : start + pool], key=lambda k: len(self.dataset[k].prompt))
            batches = [chosen[i : i + self.batch_size] for i in range(0, len(chosen), self.batch_size)]
            yield from rng.sample(batches, len(batches))


class PlanDataModule(LightningDataModule):
    """Training examples in batches of about one length; validation in the order of their seeds.

    Args:
        n_train: training examples.
        n_val: validation examples.
        batch_size: examples per batch.
        sort: see :class:`PlanDataset`.
        seed: of the shuffling.
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

    def train_dataloader(self) -> DataLoader[PlanBatch]:
        """Shuffled batches of the training split."""
        dataset = PlanDataset("train", self.n_train, self.sort)
        batches = LengthBatches(dataset, self.batch_size, self.seed)
        return DataLoader(dataset, batch_sampler=batches, collate_fn=collate_plans, num_workers=self.workers)  # type: ignore[arg-type]

    def val_dataloader(self) -> DataLoader[PlanBatch]:
        """The validation split."""
        dataset = PlanDataset("val", self.n_val, self.sort)
        return DataLoader(dataset, self.batch_size, collate_fn=collate_plans)  # type: ignore[arg-type]
