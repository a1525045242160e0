"""Which samples a training step sees, as a function of the step: a resumed run meets what it would have met.

Lightning shuffles anew when a run goes on in the middle of an epoch, and starts from the first batch again.
"""

from collections.abc import Iterator

import torch
from torch import Generator
from torch.utils.data import Sampler


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
