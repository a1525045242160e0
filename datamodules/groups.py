"""Groups of images of one prompt, and how they are shared out among processes.

Group-relative rewards compare the images drawn for one prompt. Which prompts an epoch draws, and which process draws
which images of them, are functions of (seed, epoch), so that a resumed run meets what it would have met.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Generator, Tensor

from datamodules.schema.scene import SceneBatch


@dataclass(frozen=True)
class GroupBatch:
    """What one process draws in one epoch.

    Attributes:
        scenes: the scenes it needs, each once.
        members: for each image, its scene's place in ``scenes``.
        groups: for each image, the number of its group, unique over all processes and epochs.
    """

    scenes: SceneBatch
    members: Int[Tensor, " m"]
    groups: Int[Tensor, " m"]

    def __len__(self) -> int:
        return len(self.members)

    def to(self, device: torch.device | str) -> "GroupBatch":
        """The same batch with its scenes on another device; the numbers stay where they are counted."""
        return GroupBatch(self.scenes.to(device), self.members, self.groups)


class GroupSampler(ABC):
    """Shares out the images of an epoch.

    Attributes:
        group_size: images per prompt.
    """

    group_size: int

    @abstractmethod
    def group_count(self, world: int) -> int:
        """Groups per epoch, over all processes."""

    @abstractmethod
    def images(self, epoch: int, rank: int, world: int) -> Int[Tensor, " m"]:
        """The group (0 ... group_count - 1) of each image that process ``rank`` draws."""


def _checked(size: int, per_rank: int, name: str) -> None:
    if size < 2:
        raise ValueError(
            f"group_size: {size}; a group of one has nothing to be compared with, give at least 2"
        )
    if per_rank < 1:
        raise ValueError(f"{name}: {per_rank} must be at least 1")


@dataclass(frozen=True)
class WholeGroups(GroupSampler):
    """Every group on one process: prompt, canvases and references are encoded once in the world.

    Attributes:
        groups_per_rank: prompts per process and epoch.
        group_size: images per prompt.
    """

    groups_per_rank: int = 1
    group_size: int = 21

    def __post_init__(self) -> None:
        _checked(self.group_size, self.groups_per_rank, "groups_per_rank")

    def group_count(self, world: int) -> int:
        """``groups_per_rank`` on each process."""
        return self.groups_per_rank * world

    def images(self, epoch: int, rank: int, world: int) -> Int[Tensor, " m"]:
        """The process's own groups, one after the other."""
        first = rank * self.groups_per_rank
        return torch.arange(first, first + self.groups_per_rank).repeat_interleave(self.group_size)


@dataclass(frozen=True)
class SplitGroups(GroupSampler):
    """Groups spread over all processes, for any number of processes, images per process and group size.

    As many groups as it takes for every process to draw the same number of images and every group to be whole: the
    least common multiple of ``world * images_per_rank`` and ``group_size``. (Flow-GRPO asks for divisibility instead:
    7 processes of 3 images make one group of 21.)

    Attributes:
        images_per_rank: images per process, or a whole multiple where groups ask for it.
        group_size: images per prompt.
        seed: of the shuffle.
    """

    images_per_rank: int = 3
    group_size: int = 21
    seed: int = 0

    def __post_init__(self) -> None:
        _checked(self.group_size, self.images_per_rank, "images_per_rank")

    def group_count(self, world: int) -> int:
        """Groups of the least common multiple."""
        return math.lcm(world * self.images_per_rank, self.group_size) // self.group_size

    def images(self, epoch: int, rank: int, world: int) -> Int[Tensor, " m"]:
        """This process's share of all images in an order that all processes agree on; equal groups stand together."""
        groups = torch.arange(self.group_count(world)).repeat_interleave(self.group_size)
        rng = Generator().manual_seed(self.seed * 1_000_003 + epoch)
        share = groups[torch.randperm(len(groups), generator=rng)].view(world, -1)[rank]
        return share.sort().values


@dataclass(frozen=True)
class CountCurriculum:
    """How many people a prompt asks for (Ar2Can Eq. (6)): few at first, then anything.

    Attributes:
        first: counts until the switch, equally likely.
        then: counts afterwards.
        switch: last epoch of the first phase (the paper's tau); -1 leaves the first phase out.
    """

    first: tuple[int, ...] = (2, 3)
    then: tuple[int, ...] = (2, 3, 4, 5, 6, 7)
    switch: int = 100

    def __post_init__(self) -> None:
        for name, counts in (("first", self.first), ("then", self.then)):
            if not counts or min(counts) < 1:
                raise ValueError(f"{name}: {counts} must name numbers of people, for example [2, 3]")

    def counts(self, epoch: int) -> tuple[int, ...]:
        """What may be drawn in an epoch."""
        return self.first if epoch <= self.switch else self.then

    def draw(self, epoch: int, generator: Generator) -> int:
        """One of them."""
        counts = self.counts(epoch)
        return counts[int(torch.randint(len(counts), (1,), generator=generator))]
