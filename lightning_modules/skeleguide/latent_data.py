"""Human-in-place samples of the tiny world as latents: drawn and encoded once, for all trainings that read the folder.

Drawing a batch and encoding it takes a third of a training step of the tiny configurations. The files are those of the
base's pretraining (``lightning_modules.pretraining.latent_shards``): whoever has trained the base has them.
"""

from collections.abc import Sequence
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
from lightning_modules.skeleguide.samples import EncodedScenes

SHARD_SIZE = 2000
"""Scenes per file."""

_SOURCE, _LAYOUT = FULL_CONTEXTS.index(Context.SCENE), FULL_CONTEXTS.index(Context.LAYOUT)


class EncodedInPlaceScenes(Dataset[EncodedScenes]):
    """Those scenes of some shards that show a wanted number of people.

    Args:
        shards: encoded scenes.
        counts: the numbers of people.

    Raises:
        ValueError: if no scene shows one of them.
    """

    def __init__(self, shards: Sequence[LatentShard], counts: Sequence[int]) -> None:
        self.shards = list(shards)
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
        contexts, image = shard.contexts[i : i + 1].float(), shard.image[i : i + 1].float()
        side = round(image.shape[1] ** 0.5)
        return EncodedScenes(
            prompts,
            contexts[:, _SOURCE],
            contexts[:, _LAYOUT],
            image,
            shard.people[i : i + 1].float(),
            (side, side),
        )


def join_encoded(samples: Sequence[EncodedScenes]) -> EncodedScenes:
    """One batch of several samples of one size; prompts are padded to the longest."""
    prompts = [sample.prompts for sample in samples]

    def padded(name: str) -> Any:
        return pad_sequence([getattr(prompt, name)[0] for prompt in prompts], batch_first=True)

    def stacked(name: str) -> Any:
        return torch.cat([getattr(sample, name) for sample in samples])

    pooled = torch.cat([prompt.pooled for prompt in prompts])
    return EncodedScenes(
        prompts=PromptEmbedding(padded("tokens"), pooled, padded("valid"), padded("offsets")),
        source=stacked("source"),
        layout=stacked("layout"),
        target=stacked("target"),
        people=stacked("people"),
        grid=samples[0].grid,
    )


class EncodedInPlaceData(HumanInPlaceDataModule):
    """As ``HumanInPlaceDataModule``, but training reads latents from disk, written before the first step.

    For modules with the shipped codec.

    Args:
        encoder: prompt encoder, the module's own; MiniLM by default.
        latents: folder where they are kept.
        size: scenes of the training split that are encoded, of any number of people; a multiple of ``SHARD_SIZE``.
        counts: numbers of people in the samples that are taken; 1 to 7.
        batch_size: samples per batch.
        n_val: validation samples, drawn and encoded as they come.
        n_test: test samples, likewise.
        first_seed: of the order of the training samples, and of the other splits.
    """

    def __init__(
        self,
        encoder: PromptEncoder | None = None,
        latents: str = "data/latents",
        size: int = 12_000,
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
        self.latents, self.size = Path(latents), size

    def described(self) -> str:
        """What a model is trained on, for its card."""
        return f"scenes of {list(self.counts)} people among {self.size} of the train split, order {self.seed}"

    def prepare_data(self) -> None:
        """Write the files that are missing, for who trains."""
        if self.trainer is None or self.trainer.state.fn == TrainerFn.FITTING:
            self._files()

    def train_dataloader(self) -> DataLoader[Any]:
        """Endless shuffled batches of latents, going on at the trainer's step."""
        scenes = EncodedInPlaceScenes([LatentShard.load(path) for path in self._files()], self.counts)
        return step_loader(scenes, self.batch_size, join_encoded, self.trainer, self.seed)

    def _files(self) -> list[Path]:
        return build_shards(self.latents, self.size, None, self.encoder, SHARD_SIZE)
