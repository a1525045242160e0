"""Scenes as the flow model sees them, written to disk once: latents, canvas tokens, prompt states.

A shard is one safetensors file of some thousand scenes in half precision. Drawing, encoding and reading the prompt
cost more than a training step; nothing of it changes between epochs.
"""

import hashlib
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Self, cast

import torch
from jaxtyping import Float, Int
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from datamodules.collate import collate
from datamodules.schema.interfaces import PromptEncoder
from datamodules.schema.scene import SceneBatch
from datamodules.tiny_world.datamodule import TinyWorldDataset
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.backbone.canvas_tokens import canvas_tokens
from lightning_modules.backbone.contexts import Context, context_image
from lightning_modules.backbone.latents import SHIPPED_CODEC, TOKEN_PIXELS, LatentCodec, load_codec

FULL_CONTEXTS = (Context.POSE, Context.SCENE, Context.LAYOUT)


@dataclass(frozen=True)
class LatentShard:
    """Latents of some scenes; ragged fields are concatenated, with offsets.

    Attributes:
        image: latents of the scene.
        contexts: latents of pose, background and layout, in the order of ``FULL_CONTEXTS``.
        people: share of each token's pixels that show a person.
        count: people per scene.
        canvas: kept canvas tokens, scene after scene.
        canvas_place: (row, column, person) of each.
        canvas_offset: where each scene's canvas tokens start.
        text: prompt states, scene after scene.
        text_offset: where each scene's prompt starts.
        pooled: pooled prompt vectors.
    """

    image: Float[Tensor, "n s c"]
    contexts: Float[Tensor, "n 3 s c"]
    people: Float[Tensor, "n s"]
    count: Int[Tensor, " n"]
    canvas: Float[Tensor, "t c"]
    canvas_place: Int[Tensor, "t 3"]
    canvas_offset: Int[Tensor, " n_1"]
    text: Float[Tensor, "u e"]
    text_offset: Int[Tensor, " n_1"]
    pooled: Float[Tensor, "n p"]

    def __len__(self) -> int:
        return len(self.image)

    def canvas_rows(self, index: int) -> slice:
        """Which canvas tokens are those of a scene."""
        return slice(int(self.canvas_offset[index]), int(self.canvas_offset[index + 1]))

    def places(self, index: int) -> Int[Tensor, "t 3"]:
        """(row, column, person) of a scene's canvas tokens."""
        return self.canvas_place[self.canvas_rows(index)].long()

    def save(self, path: Path, origin: dict[str, str] | None = None) -> None:
        """Write the shard; a half-written file never carries the final name, nor one that another process writes."""
        partial = path.with_suffix(f".{os.getpid()}.partial")
        save_file({k: v.contiguous() for k, v in vars(self).items()}, partial, origin)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a shard."""
        return cls(**load_file(path))


def encode_scenes(batches: "list[SceneBatch]", codec: LatentCodec, encoder: PromptEncoder) -> LatentShard:
    """The shard of some batches of scenes."""
    images, contexts, people, counts, pooled = [], [], [], [], []
    canvas, places, canvas_sizes, text, text_sizes = [], [], [0], [], [0]
    with torch.inference_mode():
        for batch in batches:
            images.append(codec.encode(batch.images))
            contexts.append(
                torch.stack([codec.encode(context_image(c, batch)) for c in FULL_CONTEXTS], dim=1)
            )
            person = batch.masks.any(dim=1, keepdim=True).float()
            people.append(F.avg_pool2d(person, TOKEN_PIXELS).flatten(1))
            counts.append(batch.layout.counts())
            prompt = encoder.encode(batch.prompts)
            pooled.append(prompt.pooled)
            text.append(prompt.tokens[prompt.valid])
            text_sizes += prompt.valid.sum(dim=1).tolist()
            for scene in canvas_tokens(batch, codec):
                canvas.append(scene.latents)
                places.append(torch.cat([scene.position, scene.person[:, None]], dim=1))
                canvas_sizes.append(len(scene.latents))
    half = [torch.cat(x).half() for x in (images, contexts, people, canvas, text, pooled)]
    return LatentShard(
        image=half[0],
        contexts=half[1],
        people=half[2],
        count=torch.cat(counts).to(torch.uint8),
        canvas=half[3],
        canvas_place=torch.cat(places).to(torch.uint8),
        canvas_offset=torch.tensor(canvas_sizes).cumsum(0),
        text=half[4],
        text_offset=torch.tensor(text_sizes).cumsum(0),
        pooled=half[5],
    )


def shard_origin(first_seed: int, size: int, codec: str | None, encoder: PromptEncoder) -> dict[str, str]:
    """What decides a shard: its scenes, the code that draws them (by its first picture), codec and encoder."""
    weights = sorted((Path(codec) if codec else SHIPPED_CODEC).glob("*.safetensors"))
    picture = draw_scene(first_seed, "train").image.mul(255).round().to(torch.uint8)
    return {
        "scenes": f"{first_seed} to {first_seed + size - 1}",
        "drawing": hashlib.sha256(picture.numpy().tobytes()).hexdigest(),
        "codec": hashlib.sha256(b"".join(file.read_bytes() for file in weights)).hexdigest(),
        "encoder": f"{type(encoder).__module__}.{type(encoder).__qualname__}",
    }


def check_shard(path: Path, origin: dict[str, str]) -> None:
    """Refuse a shard of something else.

    Raises:
        ValueError: naming the file and what differs.
    """
    with safe_open(path, "pt") as file:
        written = file.metadata() or {}
    if differs := sorted(key for key, value in origin.items() if written.get(key) != value):
        raise ValueError(
            f"folder: {path} holds other latents than asked for ({', '.join(differs)} differ); delete it, or name "
            "another folder"
        )


def write_shard(path: Path, first_seed: int, size: int, codec: str | None, encoder: PromptEncoder) -> None:
    """Draw, encode and write the training scenes ``first_seed`` to ``first_seed + size - 1``."""
    scenes = TinyWorldDataset("train", size, first_seed=first_seed)
    loader = DataLoader(scenes, batch_size=50, collate_fn=collate)
    batches = cast(list[SceneBatch], loader)
    shard = encode_scenes(batches, load_codec(codec, dtype=torch.bfloat16), encoder)
    shard.save(path, shard_origin(first_seed, size, codec, encoder))


def build_shards(
    folder: Path,
    size: int,
    codec: str | None,
    encoder: PromptEncoder,
    shard_size: int = 2000,
    workers: int = 1,
) -> list[Path]:
    """Write the shards that are missing of the first ``size`` training scenes; returns all of them in order.

    Args:
        folder: where the shards lie.
        size: scenes.
        codec: codec folder; None for the shipped one.
        encoder: prompt encoder.
        shard_size: scenes per file.
        workers: processes, each of which writes whole shards on one thread.

    Raises:
        ValueError: if ``size`` is not a multiple of ``shard_size``, or a shard that is there holds something else.
    """
    if size % shard_size:
        raise ValueError(f"size: {size} scenes do not fill shards of {shard_size}; choose a multiple")
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"train-{i:04d}.safetensors" for i in range(size // shard_size)]
    jobs = [
        (path, i * shard_size, shard_size, codec, encoder)
        for i, path in enumerate(paths)
        if not path.is_file()
    ]
    for number, path in enumerate(paths):
        if path.is_file():
            check_shard(path, shard_origin(number * shard_size, shard_size, codec, encoder))
    if jobs:
        with ProcessPoolExecutor(
            workers, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            for job in as_completed([pool.submit(write_shard, *job) for job in jobs]):
                job.result()
    return paths
