"""Which samples a training step sees, as a function of the step: a resumed run meets what it would have met.

Lightning shuffles anew when a run goes on in the middle of an epoch, and starts from the first batch again.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import lightning as L
import torch
from torch import Generator
from torch.utils.data import DataLoader, Dataset, Sampler

Sample = TypeVar("Sample")


class StepBatches(Sampler[list[int]]):
    """Endless batches of indices, for a loader's ``batch_sampler``.

    The data set is shuffled anew each time it has been gone through; a last batch that is not full is left out. Of
    several processes, each takes every so manieth batch. Set the trainer's ``use_distributed_sampler`` to false.

    Args:
        size: samples of the data set.
        batch_size: samples per batch.
        seed: of the shuffles.
        first_step: the step that comes first: steps that a resumed run has behind it.
        rank: this process.
        world: number of processes.

    Raises:
        ValueError: if the data set does not fill a batch.
    """

    def __init__(
        self, size: int, batch_size: int, seed: int = 0, first_step: int = 0, rank: int = 0, world: int = 1
    ) -> None:
        if not 1 <= batch_size <= size:
            raise ValueError(
                f"batch_size: {batch_size} must be at least 1 and at most the {size} samples there are"
            )
        self.size, self.batch_size, self.seed = size, batch_size, seed
        self.first_step, self.rank, self.world = first_step, rank, world

    def __iter__(self) -> Iterator[list[int]]:
        per_round, number = self.size // self.batch_size, self.first_step * self.world + self.rank
        shuffled, order = -1, torch.empty(0, dtype=torch.long)
        while True:
            turn, place = divmod(number, per_round)
            if turn != shuffled:
                rng = Generator().manual_seed(self.seed * 1_000_003 + turn)
                shuffled, order = turn, torch.randperm(self.size, generator=rng)
            yield order[place * self.batch_size : (place + 1) * self.batch_size].tolist()
            number += self.world


def step_loader(
    dataset: Dataset[Sample],
    batch_size: int,
    collate: Callable[[list[Sample]], Sample],
    trainer: L.Trainer | None = None,
    seed: int = 0,
    num_workers: int = 0,
) -> DataLoader[Sample]:
    """Endless training batches that go on at the trainer's step, each process with its own.

    Bound the run by ``max_steps`` or a schedule, since an epoch never ends, and set ``use_distributed_sampler`` to
    false.

    Args:
        dataset: what is shuffled.
        batch_size: samples per batch and process.
        collate: makes a batch of samples.
        trainer: says which step comes next and which process this is; without one, the first of one.
        seed: of the shuffles.
        num_workers: loader processes.

    Raises:
        ValueError: if the data set does not fill a batch.
    """
    place: dict[str, Any] = {}
    if trainer is not None:
        done = trainer.global_step * trainer.accumulate_grad_batches
        place = {"first_step": done, "rank": trainer.global_rank, "world": trainer.world_size}
    size = len(dataset)  # type: ignore[arg-type]  # a map-style data set has one
    return DataLoader(
        dataset,
        batch_sampler=StepBatches(size, batch_size, seed, **place),
        num_workers=num_workers,
        collate_fn=collate,
        persistent_workers=num_workers > 0,
    )
