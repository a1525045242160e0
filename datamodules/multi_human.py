"""Prompts with several people and their reference faces, in groups: what the Artist is reinforced on."""

from collections.abc import Callable
from typing import Any, cast

import torch
from lightning import LightningDataModule
from torch import Generator
from torch.utils.data import DataLoader, Dataset

from datamodules.collate import collate
from datamodules.groups import CountCurriculum, GroupBatch, GroupSampler
from datamodules.references import ReferenceSources
from datamodules.scene_sources import SEEDS, ChosenReferences, SceneSeries, SceneSource, TinyWorldSource
from datamodules.schema.scene import SceneBatch
from datamodules.tiny_world.identities import Split


class GroupBatches(Dataset[GroupBatch]):
    """One batch per epoch, a function of (seed, epoch, rank).

    It has a length, since Lightning fetches ahead from streams without one: a resumed run would then ask for its first
    batch before it knows its epoch.

    Args:
        sampler: which images this process draws.
        curriculum: how many people a prompt asks for.
        split: which scenes.
        seed: of the stream.
        epoch: tells the epoch when the batch is asked for.
        rank: of this process.
        world: number of processes.
        scenes: where scenes come from; the tiny world, with second views as references, by default.
    """

    def __init__(
        self,
        sampler: GroupSampler,
        curriculum: CountCurriculum,
        split: Split,
        seed: int,
        epoch: Callable[[], int],
        rank: int = 0,
        world: int = 1,
        scenes: SceneSource | None = None,
    ) -> None:
        self.sampler, self.curriculum, self.split, self.seed = sampler, curriculum, split, seed
        self.epoch, self.rank, self.world = epoch, rank, world
        self.scenes = scenes or TinyWorldSource()

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> GroupBatch:
        if index:
            raise IndexError(f"index: {index}; an epoch has one batch")
        return self.batch(self.epoch())

    def batch(self, epoch: int) -> GroupBatch:
        """The batch of an epoch; every process draws the same scenes for the same groups."""
        rng = Generator().manual_seed(self.seed * 1_000_003 + epoch)
        count = self.sampler.group_count(self.world)
        people = [self.curriculum.draw(epoch, rng) for _ in range(count)]
        seeds = torch.randint(SEEDS, (count,), generator=rng).tolist()
        images = self.sampler.images(epoch, self.rank, self.world)
        needed, members = images.unique(return_inverse=True)
        scenes = collate([self.scenes.draw(seeds[g], self.split, people[g]) for g in needed.tolist()])
        return GroupBatch(scenes, members, images + epoch * count)


class MultiHumanDataModule(LightningDataModule):
    """Groups from the training split; single scenes of every count, with references as they are, for the rest.

    Validation draws them from its own split, ``predict`` from the test split.

    Args:
        sampler: how groups are shared out.
        curriculum: how many people a prompt asks for in training.
        seed: of the training stream.
        val_size: validation scenes, at most; likewise those that ``predict`` draws.
        val_counts: their numbers of people, in turn.
        batch_size: validation scenes per batch.
        scenes: where scenes come from: the tiny world by default, or ``datamodules.photographs.scenes.FolderSource``.
        sources: where the references of training scenes come from (Ar2Can Algorithm 1); by default, as the data has
            them: second views in the tiny world, and in a folder what was chosen when it was built.
    """

    def __init__(
        self,
        sampler: GroupSampler,
        curriculum: CountCurriculum | None = None,
        seed: int = 0,
        val_size: int = 48,
        val_counts: tuple[int, ...] = (2, 3, 4, 5, 6, 7),
        batch_size: int = 8,
        scenes: SceneSource | None = None,
        sources: ReferenceSources | None = None,
    ) -> None:
        super().__init__()
        self.scenes, self.sources = scenes or TinyWorldSource(), sources
        self.sampler, self.curriculum = sampler, curriculum or CountCurriculum()
        self.seed, self.val_size, self.val_counts, self.batch_size = seed, val_size, val_counts, batch_size

    def described(self) -> str:
        """What is trained on, in one line."""
        phases = self.curriculum
        counts = f"{list(phases.then)} people"
        if phases.switch >= 0:
            counts = f"{list(phases.first)} people until epoch {phases.switch}, then {counts}"
        source = type(self.scenes).__name__
        return f"{self.sampler} of the train split of {source}(seed {self.seed}), {counts}"

    def train_dataloader(self) -> DataLoader[GroupBatch]:
        """One batch per epoch.

        Raises:
            ValueError: if the curriculum asks for numbers of people that no training scene has.
        """
        assert self.trainer is not None  # Lightning asks with a trainer
        trainer = self.trainer
        asked = self.curriculum.then if self.curriculum.switch < 0 else self.curriculum.first
        self.scenes.require("train", {*asked, *self.curriculum.then}, "curriculum")
        batches = GroupBatches(
            self.sampler,
            self.curriculum,
            "train",
            self.seed,
            lambda: trainer.current_epoch,
            trainer.global_rank,
            trainer.world_size,
            self.scenes if self.sources is None else ChosenReferences(self.scenes, self.sources),
        )
        return DataLoader(batches, batch_size=None)

    def val_dataloader(self) -> DataLoader[SceneBatch]:
        """The same scenes every time.

        Raises:
            ValueError: if ``val_counts`` asks for numbers of people that no validation scene has.
        """
        return self._series("val")

    def predict_dataloader(self) -> DataLoader[SceneBatch]:
        """Test scenes, as many and with as many people as in validation.

        Raises:
            ValueError: likewise.
        """
        return self._series("test")

    def _series(self, split: Split) -> DataLoader[SceneBatch]:
        scenes = SceneSeries(self.scenes, split, self.val_size, self.val_counts)
        return DataLoader(cast(Any, scenes), batch_size=self.batch_size, collate_fn=collate)
