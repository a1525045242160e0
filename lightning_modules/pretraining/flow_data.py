"""Batches for the base flow model: one kind of context per batch, drawn by step number.

A batch is a function of (seed, step): a resumed run sees the batches it would have seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import lightning as L
import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, IterableDataset

from datamodules.schema.interfaces import PromptEmbedding, PromptEncoder
from lightning_modules.backbone.canvas_positions import canvas_ids
from lightning_modules.backbone.contexts import LAYOUT_WORDS, Context, full_group, ragged_group
from lightning_modules.backbone.positions import grid_ids, text_ids
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence, Visibility
from lightning_modules.pretraining.latent_shards import FULL_CONTEXTS, LatentShard, build_shards
from lightning_modules.pretraining.layout_head import face_density

_PICTURES = (Context.SCENE, Context.LAYOUT)
POOL = 4  # batches drawn at once, sorted by length and cut, so that little is padded


@dataclass(frozen=True)
class FlowBatch:
    """What one step needs.

    Attributes:
        sequence: text and conditions; its noise group is still empty.
        data: clean latents.
        people: share of person pixels per token.
        density: of faces, summing to their number.
        context: the kind of context.
    """

    sequence: TokenSequence
    data: Float[Tensor, "b s c"]
    people: Float[Tensor, "b s"]
    density: Float[Tensor, "b s"]
    context: Context

    def __len__(self) -> int:
        return len(self.people)

    def to(self, device: torch.device | str) -> "FlowBatch":
        """Batches are built where they are used: the tiny world trains on the CPU."""
        if torch.device(device).type != "cpu":
            raise ValueError(f"device: flow pretraining on the tiny world runs on the CPU, got {device}")
        return self


@dataclass(frozen=True)
class BatchRecipe:
    """How batches are drawn.

    Attributes:
        mixture: weight of each context, by its name; contexts left out are not trained.
        batch_size: scenes per batch.
        text_dropout: share of samples that get the empty prompt, for classifier-free guidance.
        single_canvas_moved: share of single canvases that are moved to a place drawn at random: like the references of
            Kontext, they say who, and not where.
        drawn_layouts: share of samples shown the empty scene that are to draw the layout, skeletons over the scene, and
            not the photograph; ``LAYOUT_WORDS`` stand before their prompt (SkeleGuide's reasoner starts from there).
        clean_pictures: share of the batches shown a scene or a layout in which that picture has a time of its own, 0,
            and sees itself alone: its keys and values can then be kept over a sampler's steps, as SkeleGuide does.
        seed: of the stream.
    """

    mixture: dict[str, float] = field(default_factory=lambda: {"text": 1.0, "canvas": 1.0})
    batch_size: int = 16
    text_dropout: float = 0.1
    single_canvas_moved: float = 0.0
    drawn_layouts: float = 0.0
    clean_pictures: float = 0.0
    seed: int = 0


class FlowBatches(IterableDataset[FlowBatch]):
    """Endless batches from ``first_step`` on; of several processes, each takes every so manieth.

    In one step all processes see one kind of context and like lengths: none waits for a longer sequence of another.

    Args:
        shards: encoded scenes.
        prompts: the empty prompt and ``LAYOUT_WORDS``.
        recipe: how batches are drawn.
    """

    def __init__(self, shards: list[LatentShard], prompts: PromptEmbedding, recipe: BatchRecipe) -> None:
        self.shards, self.recipe, self.first_step = shards, recipe, 0
        self.rank, self.world = 0, 1
        self.null_tokens, self.layout_words = (
            t[v] for t, v in zip(prompts.tokens, prompts.valid, strict=True)
        )
        self.null_pooled = prompts.pooled[0]
        self.contexts = [Context(name) for name in recipe.mixture]
        self.weights = torch.tensor(list(recipe.mixture.values()))

    def __iter__(self) -> Iterator[FlowBatch]:
        step = self.first_step
        while True:
            yield self.batch(step * self.world + self.rank)
            step += 1

    def batch(self, step: int) -> FlowBatch:
        """The batch of a step."""
        common = Generator().manual_seed(self.recipe.seed * 1_000_003 - 1 - step // self.world)
        context = self.contexts[int(torch.multinomial(self.weights, 1, generator=common))]
        part = int(torch.randint(POOL, (1,), generator=common))
        clean = context in _PICTURES and bool(torch.rand(1, generator=common) < self.recipe.clean_pictures)
        rng = Generator().manual_seed(self.recipe.seed * 1_000_003 + step)
        shard = self.shards[int(torch.randint(len(self.shards), (1,), generator=rng))]
        index = self._similar_lengths(shard, context, part, rng)
        return self._assemble(shard, index, context, clean, rng)

    def _similar_lengths(
        self, shard: LatentShard, context: Context, part: int, rng: Generator
    ) -> Int[Tensor, " b"]:
        """Scenes of a shard whose canvases (or prompts) are about equally long: the ``part``-th part of a pool."""
        pool = torch.randperm(len(shard), generator=rng)[: POOL * self.recipe.batch_size]
        offset = shard.canvas_offset if context is Context.CANVAS else shard.text_offset
        length = (offset[1:] - offset[:-1])[pool]
        start = part * self.recipe.batch_size
        return pool[length.argsort()][start : start + self.recipe.batch_size]

    def _assemble(
        self, shard: LatentShard, index: Tensor, context: Context, clean: bool, rng: Generator
    ) -> FlowBatch:
        image = shard.image[index].float()
        side = round(image.shape[1] ** 0.5)
        drawn = self._drawn(context, len(index), rng)
        image[drawn] = shard.contexts[index[drawn], FULL_CONTEXTS.index(Context.LAYOUT)].float()
        texts, pooled = [], []
        for i, layout in zip(index.tolist(), drawn.tolist(), strict=True):
            if float(torch.rand((), generator=rng)) < self.recipe.text_dropout:
                texts.append(self.null_tokens)
                pooled.append(self.null_pooled)
            else:
                texts.append(shard.text[shard.text_offset[i] : shard.text_offset[i + 1]].float())
                pooled.append(shard.pooled[i].float())
            if layout:
                texts[-1] = torch.cat([self.layout_words, texts[-1]])
        lengths = torch.tensor([len(t) for t in texts])
        tokens = pad_sequence(texts, batch_first=True)
        valid = torch.arange(tokens.shape[1])[None] < lengths[:, None]
        condition = self._condition(shard, index, context, side, rng)
        sequence = TokenSequence(
            text=TokenGroup(tokens, text_ids(tokens.shape[1]), None if bool(valid.all()) else valid),
            pooled=torch.stack(pooled),
            noise=TokenGroup(torch.zeros_like(image), grid_ids(side, side)),
            conditions=() if condition is None else (replace(condition, sigma=0.0 if clean else None),),
            visibility=Visibility.CAUSAL if clean else Visibility.JOINT,
        )
        density = torch.stack([face_density(shard.places(i), side) for i in index.tolist()])
        return FlowBatch(sequence, image, shard.people[index].float(), density, context)

    def _drawn(self, context: Context, size: int, rng: Generator) -> Bool[Tensor, " b"]:
        """Whose target is the layout; nothing is drawn from ``rng`` unless the recipe asks for layouts."""
        if context is not Context.SCENE or not self.recipe.drawn_layouts:
            return torch.zeros(size, dtype=torch.bool)
        return torch.rand(size, generator=rng) < self.recipe.drawn_layouts

    def _condition(
        self, shard: LatentShard, index: Tensor, context: Context, side: int, rng: Generator
    ) -> TokenGroup | None:
        if context is Context.TEXT:
            return None
        if context in FULL_CONTEXTS:
            return full_group(shard.contexts[index, FULL_CONTEXTS.index(context)].float(), side, side)
        tokens, ids = [], []
        for i in index.tolist():
            latents, place = shard.canvas[shard.canvas_rows(i)].float(), shard.places(i)
            if context is Context.SINGLE_CANVAS:
                shown = int(torch.randint(int(shard.count[i]), (1,), generator=rng))
                latents, place = latents[place[:, 2] == shown], place[place[:, 2] == shown]
                if float(torch.rand((), generator=rng)) < self.recipe.single_canvas_moved:
                    place = _moved(place, side, rng)
            tokens.append(latents)
            ids.append(canvas_ids(place[:, :2], place[:, 2]))
        return ragged_group(tokens, ids)


def _moved(place: Int[Tensor, "t 3"], side: int, rng: Generator) -> Int[Tensor, "t 3"]:
    """The same tokens somewhere else on a canvas of ``side`` x ``side`` tokens."""
    first, last = place[:, :2].amin(dim=0), place[:, :2].amax(dim=0)
    room = side - (last - first)
    corner = torch.stack([torch.randint(int(r), (), generator=rng) for r in room])
    return torch.cat([place[:, :2] - first + corner, place[:, 2:]], dim=1)


class FlowPretrainingData(L.LightningDataModule):
    """Encodes the training scenes once, then draws batches from them.

    Args:
        encoder: prompt encoder.
        recipe: how batches are drawn.
        folder: where shards are kept.
        size: training scenes, a multiple of ``shard_size``.
        shard_size: scenes per file.
        codec: codec folder; the shipped one by default.
        workers: processes that write shards.
        use_present: train on the shards that are on disk and write none.
    """

    def __init__(
        self,
        encoder: PromptEncoder,
        recipe: BatchRecipe | None = None,
        folder: str = "data/latents",
        size: int = 60_000,
        shard_size: int = 2000,
        codec: str | None = None,
        workers: int = 2,
        use_present: bool = False,
    ) -> None:
        super().__init__()
        self.encoder, self.recipe, self.folder = encoder, recipe or BatchRecipe(), Path(folder)
        self.size, self.shard_size, self.codec = size, shard_size, codec
        self.workers, self.use_present = workers, use_present
        self.batches: FlowBatches | None = None

    def described(self) -> str:
        """What the model is trained on, for its card."""
        shares = ", ".join(f"{name} {weight:g}" for name, weight in self.recipe.mixture.items())
        return (
            f"{self.size} scenes of the train split; contexts {shares}; batches of {self.recipe.batch_size}"
        )

    def prepare_data(self) -> None:
        """Write the shards that are missing."""
        if not self.use_present:
            build_shards(self.folder, self.size, self.codec, self.encoder, self.shard_size, self.workers)

    def setup(self, stage: str) -> None:
        """Open the shards.

        Raises:
            ValueError: if there are none.
        """
        paths = sorted(self.folder.glob("train-*.safetensors"))[: self.size // self.shard_size]
        if not paths:
            raise ValueError(f"folder: {self.folder} holds no shards; set use_present to false to write them")
        shards = [LatentShard.load(path) for path in paths]
        self.batches = FlowBatches(shards, self.encoder.encode(["", LAYOUT_WORDS]), self.recipe)

    def train_dataloader(self) -> DataLoader[Any]:
        """Endless batches, going on at the trainer's step."""
        assert self.batches is not None  # Lightning calls setup first
        if self.trainer is not None:
            self.batches.first_step = self.trainer.global_step // 2  # two optimizers
            self.batches.rank, self.batches.world = self.trainer.global_rank, self.trainer.world_size
        return DataLoader(self.batches, batch_size=None)
