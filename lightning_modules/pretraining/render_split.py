"""Draws scenes of the tiny world onto disk: memory-mapped arrays that several processes fill at once.

One folder per split holds uint8 images, packed masks, padded persons, the captions and a card. A folder whose card
does not match what is asked for, or whose renderer has changed since, is drawn again.
"""

import hashlib
import itertools
import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.lib.format import open_memmap
from torch import Tensor

import datamodules.tiny_world
from datamodules.schema.scene import Person, Scene
from datamodules.tiny_world.identities import Split
from datamodules.tiny_world.scenes import draw_scene

MAX_PERSONS = 7


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
