"""Human-in-place samples of the tiny world as latents: drawn and encoded once, for all trainings that read the folder.

Drawing a batch and encoding it takes a third of a training step of the tiny configurations. The files are those of the
base's pretraining (``lightning_modules.pretraining.latent_shards``): whoever has trained the base has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

from datamodules.human_in_place import HumanInPlaceDataModule
from datamodules.schema.interfaces import PromptEmbedding, PromptEncoder
from datamodules.step_batches import step_loader
from datamodules.text.minilm import MiniLMPromptEncoder
from lightning_modules.backbone.contexts import Context
from lightning_modules.pretraining.latent_shards import FULL_CONTEXTS, LatentShard, build_shards
from lightning_modules.skeleguide.samples import EditedPeople, EncodedScenes

SHARD_SIZE = 2000
"""Scenes per file."""

_SOURCE, _LAYOUT = FULL_CONTEXTS.index(Context.SCENE), FULL_CONTEXTS.index(Context.LAYOUT)


@dataclass(frozen=True)
class LatentFiles:
    """Which latents are kept where.

    Attributes:
        folder: of the files.
        size: scenes of the training split that are encoded, of any number of people.
        free_arms: how many of them are encoded a second time, with an arm of everybody where no action puts it; from
            these a renderer learns to follow an edited pose. Both are multiples of ``SHARD_SIZE``.
    """

    folder: str = "data/latents"
    size: int = 12_000
    free_arms: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.free_arms <= self.size:
            raise ValueError(f"free_arms: {self.free_arms}; give 0 to size ({self.size}) scenes")


class EncodedInPlaceScenes(Dataset[EncodedScenes]):
    """Those scenes of some shards that show a wanted number of people.

    Args:
        shards: encoded scenes.
        counts: the numbers of people.
        edited: the same scenes as the first shards, with people in edited poses.

    Raises:
        ValueError: if no scene shows one of them.
    """

    def __init__(
        self, shards: Sequence[LatentShard], counts: Sequence[int], edited: Sequence[LatentShard] = ()
    ) -> None:
        self.shards, self.edited = list(shards), list(edited)
        wanted = torch.tensor(list(counts))
        fits = [torch.isin(shard.count.long(), wanted).nonzero()[:, 0].tolist() for shard in shards]
        self.places = [(number, scene) for number, own in enumerate(fits) for scene in own]
        if not self.places:
            raise ValueError(f"counts: {list(counts)}; no encoded scene shows as many people")

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> EncodedScenes:
        number, i = self.places[index]
        shard = self.shards[number]
        tokens = shard.text[shard.text_offset[i] : shard.text_offset[i + 1]].float()[None]
        prompts = PromptEmbedding(
            tokens,
            shard.pooled[i : i + 1].float(),
            torch.ones(tokens.shape[:2], dtype=torch.bool),
            torch.zeros(*tokens.shape[:2], 2, dtype=torch.long),
        )
        people = _people(shard, i)
        source = shard.contexts[i : i + 1, _SOURCE].float()
        side = round(source.shape[1] ** 0.5)
        edited = None
        if self.edited:
            edited = _people(self.edited[number], i) if number < len(self.edited) else people
        return EncodedScenes(prompts, source, **vars(people), grid=(side, side), edited=edited)


def _people(shard: LatentShard, i: int) -> EditedPeople:
    """Skeletons and people of a scene."""
    one = slice(i, i + 1)
    return EditedPeople(
        shard.contexts[one, _LAYOUT].float(), shard.image[one].float(), shard.people[one].float()
    )


def join_encoded(samples: Sequence[EncodedScenes]) -> EncodedScenes:
    """One batch of several samples of one size; prompts are padded to the longest."""
    prompts = [sample.prompts for sample in samples]

    def padded(name: str) -> Any:
        return pad_sequence([getattr(prompt, name)[0] for prompt in prompts], batch_first=True)

    def stacked(name: str, of: Sequence[Any] = samples) -> Any:
        return torch.cat([getattr(one, name) for one in of])

    pooled = torch.cat([prompt.pooled for prompt in prompts])
    edited = [sample.edited for sample in samples if sample.edited is not None]
    return EncodedScenes(
        prompts=PromptEmbedding(padded("tokens"), pooled, padded("valid"), padded("offsets")),
        source=stacked("source"),
        layout=stacked("layout"),
        target=stacked("target"),
        people=stacked("people"),
        grid=samples[0].grid,
        edited=EditedPeople(*(stacked(name, edited) for name in vars(edited[0]))) if edited else None,
    )


class EncodedInPlaceData(HumanInPlaceDataModule):
    """As ``HumanInPlaceDataModule``, but training reads latents from disk, written before the first step.

    For modules with the shipped codec.

    Args:
        encoder: prompt encoder, the module's own; MiniLM by default.
        latents: which are kept where.
        counts: numbers of people in the samples that are taken; 1 to 7.
        batch_size: samples per batch.
        n_val: validation samples, drawn and encoded as they come.
        n_test: test samples, likewise.
        first_seed: of the order of the training samples, and of the other splits.
    """

    def __init__(
        self,
        encoder: PromptEncoder | None = None,
        latents: LatentFiles | None = None,
        counts: tuple[int, ...] = (1, 2, 3),
        batch_size: int = 16,
        n_val: int = 96,
        n_test: int = 96,
        first_seed: int = 0,
    ) -> None:
        super().__init__(
            n_val=n_val, n_test=n_test, counts=counts, batch_size=batch_size, first_seed=first_seed
        )
        self.encoder = encoder or MiniLMPromptEncoder()
        self.latents = latents or LatentFiles()

    def described(self) -> str:
        """What a model is trained on, for its card."""
        free = f", {self.latents.free_arms} of them also with free arms" if self.latents.free_arms else ""
        return (
            f"scenes of {list(self.counts)} people among {self.latents.size} of the train split{free}, "
            f"order {self.seed}"
        )

    def prepare_data(self) -> None:
        """Write the files that are missing, for who trains."""
        if self.trainer is None or self.trainer.state.fn == TrainerFn.FITTING:
            self._files()

    def train_dataloader(self) -> DataLoader[Any]:
        """Endless shuffled batches of latents, going on at the trainer's step."""
        shards, edited = ([LatentShard.load(path) for path in paths] for paths in self._files())
        scenes = EncodedInPlaceScenes(shards, self.counts, edited)
        return step_loader(scenes, self.batch_size, join_encoded, self.trainer, self.seed)

    def _files(self) -> tuple[list[Path], list[Path]]:
        """Those of all scenes, and those of free arms."""
        folder = Path(self.latents.folder)
        plain = build_shards(folder, self.latents.size, None, self.encoder, SHARD_SIZE)
        free = build_shards(folder, self.latents.free_arms, None, self.encoder, SHARD_SIZE, free_arms=True)
        return plain, free
