"""Renders of the tiny world kept on disk: drawn once, read by every epoch and by every network trained on them."""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import lightning as L
import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from datamodules.tiny_world.identities import Split
from lightning_modules.pretraining.render_split import render_split


@dataclass(frozen=True)
class RenderedBatch:
    """Scenes as the analyzers' trainers need them; person slots are padded to seven.

    Attributes:
        images: RGB in [0, 1].
        masks: pixels that show any person.
        valid: which slots hold a person.
        boxes: face boxes, xyxy in [0, 1].
        landmarks: five face landmarks, in [0, 1].
        keypoints: COCO-17 (x, y, v), in [0, 1].
        extents: xyxy in [0, 1] around all that is known of a person: face box, labelled joints, visible pixels.
        references: another view of each face, RGB in [0, 1].
        reference_landmarks: their landmarks, in [0, 1] of the reference.
        prompts: captions.
    """

    images: Float[Tensor, "b 3 h w"]
    masks: Bool[Tensor, "b h w"]
    valid: Bool[Tensor, "b n"]
    boxes: Float[Tensor, "b n 4"]
    landmarks: Float[Tensor, "b n 5 2"]
    keypoints: Float[Tensor, "b n 17 3"]
    extents: Float[Tensor, "b n 4"]
    references: Float[Tensor, "b n 3 r r"]
    reference_landmarks: Float[Tensor, "b n 5 2"]
    prompts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> Self:
        """The same batch on another device."""
        moved: dict[str, Any] = {
            f.name: v.to(device) for f in fields(self) if isinstance(v := getattr(self, f.name), Tensor)
        }
        return replace(self, **moved)

    def persons(self) -> tuple[Int[Tensor, " p"], Int[Tensor, " p"]]:
        """Image index and slot of every person, in image order."""
        image_index, slot = self.valid.nonzero(as_tuple=True)
        return image_index, slot


class RenderedDataset(Dataset):
    """Random access to a rendered folder; fetched by whole batches, as one copy per array."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.card = json.loads((folder / "card.json").read_text())
        self.prompts: list[str] = json.loads((folder / "prompts.json").read_text())
        self.arrays = {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}

    def __len__(self) -> int:
        return len(self.prompts)

    def __getitem__(self, index: int) -> RenderedBatch:
        return self.__getitems__([index])

    def __getitems__(self, indices: list[int]) -> RenderedBatch:
        """The scenes at ``indices``, in that order."""
        a = {name: np.ascontiguousarray(array[indices]) for name, array in self.arrays.items()}
        size = a["images"].shape[1]
        return RenderedBatch(
            images=_to_float(a["images"]),
            masks=torch.from_numpy(np.unpackbits(a["masks"], axis=-1)[..., :size].astype(bool)),
            valid=torch.from_numpy(a["valid"]),
            boxes=torch.from_numpy(a["boxes"]),
            landmarks=torch.from_numpy(a["landmarks"]),
            keypoints=torch.from_numpy(a["keypoints"]),
            extents=torch.from_numpy(a["extents"]),
            references=_to_float(a["references"]),
            reference_landmarks=torch.from_numpy(a["reference_landmarks"]),
            prompts=tuple(self.prompts[i] for i in indices),
        )


class RenderedScenes(L.LightningDataModule):
    """Train and validation renders, drawn before the first epoch if they are not on disk yet."""

    def __init__(
        self,
        cache_dir: str = "outputs/rendered",
        n_train: int = 48_000,
        n_val: int = 1_000,
        first_seed: int = 0,
        batch_size: int = 32,
        processes: int = 2,
    ) -> None:
        """Args are plain numbers so that one YAML says everything.

        Args:
            cache_dir: where the renders are kept (about 55 kB per scene and 12 kB per person).
            n_train: scenes of the train split.
            n_val: scenes of the val split.
            first_seed: seed of the first train scene; networks meant to be independent use disjoint ranges.
            batch_size: scenes per step.
            processes: drawing processes.
        """
        super().__init__()
        self.cache_dir = Path(cache_dir)
        self.n_train, self.n_val, self.first_seed = n_train, n_val, first_seed
        self.batch_size, self.processes = batch_size, processes

    def described(self) -> str:
        """What a model is trained on, for its card."""
        return f"{self.n_train} renders of the train split, from seed {self.first_seed}"

    def prepare_data(self) -> None:
        """Draw what is missing."""
        for split, count, first_seed in self._parts():
            render_split(
                self.cache_dir / f"{split}_{first_seed}_{count}", split, count, first_seed, self.processes
            )

    def setup(self, stage: str | None = None) -> None:
        """Open the memory maps."""
        self.train, self.val = (
            RenderedDataset(self.cache_dir / f"{split}_{first_seed}_{count}")
            for split, count, first_seed in self._parts()
        )

    def train_dataloader(self) -> DataLoader:
        """Shuffled, full batches."""
        return DataLoader(self.train, self.batch_size, shuffle=True, drop_last=True, collate_fn=_as_is)

    def val_dataloader(self) -> DataLoader:
        """In order."""
        return DataLoader(self.val, self.batch_size, collate_fn=_as_is)

    def _parts(self) -> tuple[tuple[Split, int, int], ...]:
        return ("train", self.n_train, self.first_seed), ("val", self.n_val, 0)


def _to_float(images: np.ndarray) -> Float[Tensor, "*b 3 h w"]:
    return torch.from_numpy(images).movedim(-1, -3).float().div_(255)


def _as_is(batch: Any) -> Any:
    return batch
