"""Human-in-place samples of the tiny world: the scene, the prompt, the people, and their skeletons over the scene.

Every place of the tiny world exists without its people, so a sample is exact: outside the people's mask, source and
target are equal to the last bit.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from lightning import LightningDataModule
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from datamodules.collate import collate
from datamodules.geometry.draw import draw_layouts
from datamodules.schema.human_in_place import HumanInPlace
from datamodules.schema.layout import Layout
from datamodules.schema.scene import SceneBatch
from datamodules.step_batches import step_loader
from datamodules.tiny_world.compositions import MAX_COUNT
from datamodules.tiny_world.identities import SPLITS, Split
from datamodules.tiny_world.scenes import draw_scene


def human_in_place(scenes: SceneBatch) -> HumanInPlace:
    """The samples that a batch of scenes with known backgrounds makes.

    Raises:
        ValueError: if the scenes have no backgrounds.
    """
    if scenes.backgrounds is None:
        raise ValueError(
            f"backgrounds: scene {scenes.scene_ids[0]!r} has no picture of the place without people; use data with "
            "backgrounds, or remove the people first (datamodules.human_removal)"
        )
    return HumanInPlace(
        source=scenes.backgrounds,
        target=scenes.images,
        layout_image=draw_layouts(scenes.layout, scenes.size, scenes.backgrounds),
        prompts=scenes.prompts,
        layout=scenes.layout,
        people_mask=scenes.masks.any(dim=1),
        names=tuple(scene.replace("/", "-") for scene in scenes.scene_ids),
    )


def join(samples: Sequence[HumanInPlace]) -> HumanInPlace:
    """One batch of several; plans are padded to the greatest number of people, and all have names or none.

    Raises:
        ValueError: if there are none, their pictures differ in size, or only some plans know who stands before whom.
    """
    if not samples:
        raise ValueError("samples: empty; give at least one")
    sizes = {sample.size for sample in samples}
    if len(sizes) > 1:
        raise ValueError(f"samples: pictures of {sorted(sizes)} pixels; all of a batch must have one size")
    named = all(sample.names for sample in samples)
    return HumanInPlace(
        source=torch.cat([sample.source for sample in samples]),
        target=torch.cat([sample.target for sample in samples]),
        layout_image=torch.cat([sample.layout_image for sample in samples]),
        prompts=tuple(prompt for sample in samples for prompt in sample.prompts),
        layout=_join_layouts([sample.layout for sample in samples]),
        people_mask=torch.cat([sample.people_mask for sample in samples]),
        names=tuple(name for sample in samples for name in sample.names) if named else (),
    )


class HumanInPlaceScenes(Dataset[HumanInPlace]):
    """Samples of one scene each, drawn when asked for: about 10 ms of one core.

    Args:
        split: train, val or test; no identity and no composition is in two of them.
        size: number of samples.
        counts: numbers of people, in turn.
        first_seed: seed of the first scene.
        keep: keep what was drawn in memory (160 kB per sample, in every loader process).

    Raises:
        ValueError: naming the argument that is out of range.
    """

    def __init__(
        self, split: Split, size: int, counts: Sequence[int], first_seed: int = 0, keep: bool = False
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split: {split!r}; choose one of {', '.join(SPLITS)}")
        if size < 0:
            raise ValueError(f"size: {size}; give 0 or more samples")
        if not counts or not all(1 <= count <= MAX_COUNT for count in counts):
            raise ValueError(f"counts: {list(counts)}; give numbers of people from 1 to {MAX_COUNT}")
        self.split, self.size, self.counts, self.first_seed = split, size, tuple(counts), first_seed
        self.keep = keep
        self._kept: dict[int, HumanInPlace] = {}

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> HumanInPlace:
        if not -self.size <= index < self.size:
            raise IndexError(f"index: {index}; the data set has {self.size} samples")
        place = index % self.size
        if place in self._kept:
            return _change(self._kept[place], lambda values: values.float().div_(255))
        count = self.counts[place % len(self.counts)]
        sample = human_in_place(collate([draw_scene(self.first_seed + place, self.split, count=count)]))
        if self.keep:
            self._kept[place] = _change(sample, lambda values: values.mul(255).round().to(torch.uint8))
        return sample


class HumanInPlaceLoaders(LightningDataModule, ABC):
    """Batches of the samples that a subclass has.

    Args:
        batch_size: samples per batch.
        num_workers: loader processes; 0 reads in the main process.
        seed: of the order of training samples; batches are endless and a function of the step (``step_batches``).
    """

    def __init__(self, batch_size: int, num_workers: int, seed: int) -> None:
        super().__init__()
        self.batch_size, self.num_workers, self.seed = batch_size, num_workers, seed

    @abstractmethod
    def described(self) -> str:
        """What a model is trained on, for its card."""

    @abstractmethod
    def dataset(self, split: Split) -> Dataset[HumanInPlace]:
        """The samples of a split."""

    def train_dataloader(self) -> DataLoader[HumanInPlace]:
        """Endless shuffled batches, going on at the trainer's step."""
        return step_loader(
            self.dataset("train"), self.batch_size, join, self.trainer, self.seed, self.num_workers
        )

    def val_dataloader(self) -> DataLoader[HumanInPlace]:
        """Validation batches in order."""
        return self._loader("val")

    def test_dataloader(self) -> DataLoader[HumanInPlace]:
        """Test batches in order."""
        return self._loader("test")

    def predict_dataloader(self) -> DataLoader[HumanInPlace]:
        """The test batches."""
        return self._loader("test")

    def _loader(self, split: Split) -> DataLoader[HumanInPlace]:
        """In order; of several processes, each takes every so manieth sample, repeating some at the end to be level."""
        dataset = self.dataset(split)
        place: DistributedSampler[HumanInPlace] | None = None
        if self.trainer is not None and self.trainer.world_size > 1:
            world, rank = self.trainer.world_size, self.trainer.global_rank
            place = DistributedSampler(dataset, world, rank, shuffle=False)
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            sampler=place,
            num_workers=self.num_workers,
            collate_fn=join,
            persistent_workers=self.num_workers > 0,
        )


class HumanInPlaceDataModule(HumanInPlaceLoaders):
    """Tiny-world samples with disjoint identities and compositions in training, validation and test.

    Args:
        n_train: training samples; batches are shuffled, endless, and a function of the step (``step_batches``).
        n_val: validation samples.
        n_test: test samples.
        counts: numbers of people, in turn; 1 to 7.
        batch_size: samples per batch.
        num_workers: loader processes; 0 draws in the main process.
        first_seed: of every split; other seeds give other scenes, and another order of the training samples.
        keep: keep drawn samples in memory, 160 kB each.
    """

    def __init__(
        self,
        n_train: int = 4000,
        n_val: int = 96,
        n_test: int = 96,
        counts: tuple[int, ...] = (1, 2, 3),
        batch_size: int = 16,
        num_workers: int = 0,
        first_seed: int = 0,
        keep: bool = False,
    ) -> None:
        super().__init__(batch_size, num_workers, first_seed)
        self.n_train, self.n_val, self.n_test, self.counts = n_train, n_val, n_test, counts
        self._datasets: dict[Split, HumanInPlaceScenes] = {}
        self.keep = keep

    def described(self) -> str:
        """What a model is trained on, for its card."""
        return f"{self.n_train} scenes of the train split, from seed {self.seed}, {list(self.counts)} people"

    def dataset(self, split: Split) -> HumanInPlaceScenes:
        """The samples of a split."""
        sizes: dict[Split, int] = {"train": self.n_train, "val": self.n_val, "test": self.n_test}
        if split not in self._datasets:
            self._datasets[split] = HumanInPlaceScenes(split, sizes[split], self.counts, self.seed, self.keep)
        return self._datasets[split]


def _change(sample: HumanInPlace, change: Callable[[Tensor], Tensor]) -> HumanInPlace:
    """The sample with its three pictures changed."""
    return replace(
        sample,
        source=change(sample.source),
        target=change(sample.target),
        layout_image=change(sample.layout_image),
    )


def _join_layouts(layouts: Sequence[Layout]) -> Layout:
    depths = [layout.depths for layout in layouts if layout.depths is not None]
    if depths and len(depths) < len(layouts):
        raise ValueError(
            "samples: some plans have depths and some have none; fill them or leave them all out"
        )
    slots = max(layout.valid.shape[1] for layout in layouts)

    def pad(values: Sequence[Tensor]) -> Tensor:
        """Zeros in the slots (axis 1) that a plan lacks."""
        return torch.cat([functional.pad(v, (0, 0) * (v.ndim - 2) + (0, slots - v.shape[1])) for v in values])

    whole = Layout(
        boxes=pad([layout.boxes for layout in layouts]),
        keypoints=pad([layout.keypoints for layout in layouts]),
        valid=pad([layout.valid for layout in layouts]),
    )
    return replace(whole, depths=pad(depths)) if depths else whole
