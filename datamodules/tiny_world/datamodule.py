"""The tiny human world as a Lightning data module: no files, every sample drawn when asked for."""

from lightning import LightningDataModule
from torch.utils.data import DataLoader, Dataset

from datamodules.collate import collate
from datamodules.schema.scene import Scene, SceneBatch
from datamodules.tiny_world.identities import SPLITS, Split
from datamodules.tiny_world.scenes import draw_scene


class TinyWorldDataset(Dataset[Scene]):
    """Scenes ``first_seed`` ... ``first_seed + size - 1`` of a split.

    Args:
        split: train, val or test.
        size: number of scenes.
        first_seed: seed of the first one.
        count: force the number of people.
    """

    def __init__(self, split: Split, size: int, first_seed: int = 0, count: int | None = None) -> None:
        if size < 0:
            raise ValueError(f"size: {size}; give 0 or more scenes")
        if split not in SPLITS:
            raise ValueError(f"split: {split!r}; choose one of {', '.join(SPLITS)}")
        self.split, self.size, self.first_seed, self.count = split, size, first_seed, count

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Scene:
        if not -self.size <= index < self.size:
            raise IndexError(f"index: {index}; the data set has {self.size} scenes")
        return draw_scene(self.first_seed + index % self.size, self.split, count=self.count)


class TinyWorldDataModule(LightningDataModule):
    """Train, validation and test scenes with disjoint identities and compositions.

    Args:
        train_size: training scenes per epoch.
        val_size: validation scenes.
        test_size: test scenes.
        batch_size: scenes per batch.
        num_workers: loader processes; 0 draws in the main process.
        seed: first seed of every split; other seeds give other scenes.
    """

    def __init__(
        self,
        train_size: int = 10_000,
        val_size: int = 256,
        test_size: int = 256,
        batch_size: int = 16,
        num_workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.sizes: dict[Split, int] = {"train": train_size, "val": val_size, "test": test_size}
        self.batch_size, self.num_workers, self.seed = batch_size, num_workers, seed

    def dataset(self, split: Split) -> TinyWorldDataset:
        """The scenes of a split."""
        return TinyWorldDataset(split, self.sizes[split], first_seed=self.seed)

    def train_dataloader(self) -> DataLoader[SceneBatch]:
        """Shuffled training batches."""
        return self._loader("train", shuffle=True)

    def val_dataloader(self) -> DataLoader[SceneBatch]:
        """Validation batches in order."""
        return self._loader("val")

    def test_dataloader(self) -> DataLoader[SceneBatch]:
        """Test batches in order."""
        return self._loader("test")

    def predict_dataloader(self) -> DataLoader[SceneBatch]:
        """The test batches."""
        return self._loader("test")

    def _loader(self, split: Split, shuffle: bool = False) -> DataLoader[SceneBatch]:
        return DataLoader(
            self.dataset(split),  # type: ignore[arg-type]
            batch_size=self.batch_size,
            shuffle=shuffle,
            num_workers=self.num_workers,
            collate_fn=collate,
            persistent_workers=self.num_workers > 0,
        )
