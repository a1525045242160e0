"""Renders of the tiny world kept on disk: drawn once, read by every epoch and by every network trained on them.

One folder per split holds memory-mapped arrays (uint8 images, packed masks, padded persons) and a card. A folder
whose card does not match what is asked for, or whose renderer has changed since, is drawn again.
"""

import hashlib
import itertools
import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import lightning as L
import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.lib.format import open_memmap
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

import datamodules.tiny_world
from datamodules.schema.scene import Person, Scene
from datamodules.tiny_world.identities import Split
from datamodules.tiny_world.scenes import draw_scene

MAX_PERSONS = 7


@dataclass(frozen=True)
class RenderedBatch:
    """Scenes as the analyzers' trainers need them; person slots are padded to ``MAX_PERSONS``.

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


def render_split(folder: Path, split: Split, count: int, first_seed: int, processes: int = 1) -> None:
    """Draw scenes ``first_seed … first_seed + count`` of ``split`` into ``folder``, unless they are there."""
    card = {"split": split, "count": count, "first_seed": first_seed, "renderer": renderer_digest()}
    path = folder / "card.json"
    if path.is_file() and json.loads(path.read_text()) == card:
        return
    path.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in _scene_arrays(draw_scene(first_seed, split=split)).items():
        open_memmap(folder / f"{name}.npy", "w+", array.dtype, (count, *array.shape)).flush()
    edges = np.linspace(0, count, 8 * processes + 1).astype(int)
    spans = [(int(a), int(b)) for a, b in itertools.pairwise(edges) if b > a]
    arguments = zip(*[(folder, split, first_seed, *span) for span in spans], strict=True)
    if processes == 1:
        prompts = list(map(_render_span, *arguments))
    else:
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
            prompts = list(pool.map(_render_span, *arguments))
    (folder / "prompts.json").write_text(json.dumps([p for part in prompts for p in part]))
    path.write_text(json.dumps(card))


def renderer_digest() -> str:
    """Digest of the renderer's source: renders drawn by another version are drawn again."""
    root = Path(datamodules.tiny_world.__path__[0])
    sources = sorted(root.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]


def person_extent(person: Person) -> Float[Tensor, " 4"]:
    """The box (xyxy, in [0, 1]) around a person's face box, labelled joints and visible pixels."""
    joints = person.keypoints[person.keypoints[:, 2] > 0, :2]
    points = [person.box.view(2, 2), joints]
    if person.mask is not None:
        h, w = person.mask.shape
        rows, columns = person.mask.nonzero(as_tuple=True)
        pixels = torch.stack([columns, rows], dim=-1).float()
        size = pixels.new_tensor([w, h])
        points += [pixels / size, (pixels + 1) / size]
    stacked = torch.cat(points)
    return torch.cat([stacked.amin(0), stacked.amax(0)])


def _render_span(folder: Path, split: Split, first_seed: int, start: int, stop: int) -> list[str]:
    arrays = {path.stem: np.load(path, mmap_mode="r+") for path in folder.glob("*.npy")}
    prompts = []
    for i in range(start, stop):
        scene = draw_scene(first_seed + i, split=split)
        for name, value in _scene_arrays(scene).items():
            arrays[name][i] = value
        prompts.append(scene.prompt)
    return prompts


def _scene_arrays(scene: Scene) -> dict[str, np.ndarray]:
    """What is kept of one scene; the mask packs eight pixels of a row into a byte."""
    persons = scene.persons
    side = scene.image.shape[-1]
    masks = np.stack([np.asarray(p.mask) for p in persons]) if persons else np.zeros((1, side, side), bool)
    return {
        "images": _to_bytes(scene.image),
        "masks": np.packbits(masks.any(0), axis=-1),
        "valid": np.arange(MAX_PERSONS) < len(persons),
        "boxes": _padded([p.box for p in persons], (4,)),
        "landmarks": _padded([p.landmarks for p in persons], (5, 2)),
        "keypoints": _padded([p.keypoints for p in persons], (17, 3)),
        "extents": _padded([person_extent(p) for p in persons], (4,)),
        "reference_landmarks": _padded([p.reference_landmarks for p in persons], (5, 2)),
        "references": _padded_references(
            [_to_bytes(p.reference) for p in persons if p.reference is not None]
        ),
    }


def _padded(values: Sequence[Tensor | None], shape: tuple[int, ...]) -> np.ndarray:
    out = np.zeros((MAX_PERSONS, *shape), np.float32)
    for i, value in enumerate(values):
        if value is not None:
            out[i] = value.numpy()
    return out


def _padded_references(references: list[np.ndarray]) -> np.ndarray:
    out = np.zeros((MAX_PERSONS, *references[0].shape), np.uint8)
    out[: len(references)] = references
    return out


def _to_bytes(image: Float[Tensor, "3 h w"]) -> np.ndarray:
    return (image.permute(1, 2, 0) * 255).round().byte().numpy()


def _to_float(images: np.ndarray) -> Float[Tensor, "*b 3 h w"]:
    return torch.from_numpy(images).movedim(-1, -3).float().div_(255)


def _as_is(batch: Any) -> Any:
    return batch
