"""How often prompts and canvases are encoded in real epochs of policy optimisation: once per group, or per image."""

import logging
import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import lightning as L

from benchmarks.speed.rounds import Case
from datamodules.groups import CountCurriculum, GroupBatch, WholeGroups
from datamodules.multi_human import MultiHumanDataModule
from datamodules.schema.interfaces import PromptEmbedding, PromptEncoder
from datamodules.text.minilm import MiniLMPromptEncoder
from lightning_modules.ar2can.artist import GRPOArtistModule
from lightning_modules.backbone.adapters import LoRASpec
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.latents import LatentCodec
from lightning_modules.policy.module import ADAPTER
from lightning_modules.policy.rollout import Sampling
from rewards.analyzers.tiny import TinyAnalyzer
from rewards.preference import PreferenceReward
from rewards.scorers.tiny import TinyQualityScorer
from rewards.stack import RewardStack, RewardTerm


class CountingEncoder(PromptEncoder):
    """Passes prompts on and counts them."""

    def __init__(self, encoder: PromptEncoder, counts: Counter[str]) -> None:
        self.encoder, self.counts = encoder, counts

    def encode(self, prompts: Sequence[str]) -> PromptEmbedding:
        """What the encoder says."""
        self.counts["prompts"] += len(prompts)
        return self.encoder.encode(prompts)


class CountingCallback(L.Callback):
    """Counts the groups, people and images that epochs ask for, and the optimizer steps they take."""

    def __init__(self, counts: Counter[str]) -> None:
        self.counts = counts

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: GroupBatch, batch_idx: int
    ) -> None:
        """One batch is one epoch."""
        self.counts["groups"] += len(batch.groups.unique())
        self.counts["people"] += int(batch.scenes.layout.counts().sum())
        self.counts["images"] += len(batch)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """An epoch that learned nothing would prove nothing about learning."""
        self.counts["updates"] += trainer.global_step


def count_canvases(codec: LatentCodec, counts: Counter[str]) -> None:
    """Count every image that goes through the codec's encoder."""

    def seen(_: Any, inputs: tuple[Any, ...]) -> None:
        counts["canvases"] += len(inputs[0])

    codec.vae.encoder.register_forward_pre_hook(seen)


class GroupEpochs:
    """The case ``epochs``: Ar2Can's Artist on the shipped base, judged by the tiny quality scorer.

    It counts ``groups``, ``people`` (of all groups), ``images``, ``updates``, and what was encoded for them:
    ``prompts`` and ``canvases``.

    Args:
        epochs: epochs.
        groups: prompts per epoch.
        group_size: images per prompt.
        steps: of a sampling run.
    """

    def __init__(self, epochs: int, groups: int, group_size: int, steps: int) -> None:
        self.epochs, self.steps = epochs, steps
        self.sampler = WholeGroups(groups, group_size)

    def cases(self) -> dict[str, Case]:
        """Trains anew at every call."""
        return {"epochs": self._train}

    def module(self, counts: Counter[str]) -> GRPOArtistModule:
        """The Artist, counting what it encodes."""
        backbone = FluxBackbone("flux_tiny", dtype="bfloat16", adapters={ADAPTER: LoRASpec(rank=4)})
        rewards = RewardStack(TinyAnalyzer(), {"quality": RewardTerm(PreferenceReward(TinyQualityScorer()))})
        encoder = CountingEncoder(MiniLMPromptEncoder(), counts)
        module = GRPOArtistModule(backbone, rewards, Sampling(steps=self.steps), encoder=encoder)
        count_canvases(module.codec, counts)
        return module

    def _train(self) -> dict[str, float]:
        counts: Counter[str] = Counter()
        module = self.module(counts)
        for name in ("lightning.pytorch", "lightning.fabric"):
            logging.getLogger(name).setLevel(logging.ERROR)
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer = L.Trainer(
                max_epochs=self.epochs,
                accelerator="cpu",
                devices=1,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                limit_val_batches=0,
                callbacks=[CountingCallback(counts)],
                default_root_dir=folder,
            )
            trainer.fit(module, MultiHumanDataModule(self.sampler, CountCurriculum(switch=-1), val_size=0))
        return {name: float(value) for name, value in counts.items()}
