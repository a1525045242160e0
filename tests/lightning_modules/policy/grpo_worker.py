"""One rank of a policy's training, started by ``test_grpo_ranks.py``; writes its weights and figures."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.strategies import DDPStrategy
from safetensors.torch import save_file
from torch import Generator, Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from ranks import as_rank
from small_policy import Blind, Redness, small_artist

from datamodules.groups import CountCurriculum, GroupSampler, SplitGroups
from datamodules.multi_human import MultiHumanDataModule
from lightning_modules.ar2can.artist import GRPOArtistModule
from lightning_modules.policy.rollout import Scored
from lightning_modules.policy.steps import StepWindow
from rewards.base import Reward, RewardUnavailable
from rewards.preference import PreferenceReward
from rewards.stack import RewardStack, RewardTerm

EPOCHS = 2
PARTS = SplitGroups(images_per_rank=6, group_size=4)
PER_RANK = 6
MICRO_BATCH = 2


@dataclass(frozen=True)
class Shares(GroupSampler):
    """What the ``ranks`` of two processes draw, one behind the other."""

    ranks: tuple[int, ...]
    group_size: int = PARTS.group_size

    def group_count(self, world: int) -> int:
        return PARTS.group_count(2)

    def images(self, epoch: int, rank: int, world: int) -> Tensor:
        return torch.cat([PARTS.images(epoch, rank, 2) for rank in self.ranks])


class Flaky(Reward):
    """Held out; cannot be had on one of the ranks."""

    def __init__(self, down: bool) -> None:
        super().__init__()
        self.down = down

    def score(self, seen: Any) -> Tensor:
        if self.down:
            raise RewardUnavailable("no answer")
        return torch.ones(len(seen))


class Reinforced(GRPOArtistModule):
    """Noise is a function of an image's place among those of all ranks; plain descent shows gradients as they are."""

    def on_fit_start(self) -> None:
        self.validated: list[float] = []

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD([p for p in self.parameters() if p.requires_grad], 300.0)

    def _generator(self, stream: int) -> Generator:
        before = self.global_rank * PER_RANK // MICRO_BATCH if stream else 0
        return Generator().manual_seed(1000 * self.current_epoch + before + stream)

    def validation_step(self, scenes: Any, batch_idx: int) -> Tensor:
        images = super().validation_step(scenes, batch_idx)
        if not self.trainer.sanity_checking:
            self.validated += Redness().score(images, scenes.prompts).tolist()
        return images


class Drifting(Reinforced):
    """Learns from other numbers than it drew, on one of the ranks."""

    def on_train_start(self) -> None:
        score = self.policy.score
        apart = 1e-3 * self.global_rank

        def drifted(*arguments: Any) -> Scored:
            scored = score(*arguments)
            return scored._replace(log_prob=scored.log_prob + apart)

        self.policy.score = drifted  # type: ignore[method-assign]


class Figures(L.Callback):
    """What was logged, epoch by epoch."""

    def __init__(self) -> None:
        self.seen: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.seen.append({name: float(value) for name, value in trainer.callback_metrics.items()})


def artist(folder: Path, rank: int | None, kind: type[GRPOArtistModule]) -> GRPOArtistModule:
    """The policy of a rank."""
    terms = {
        "red": RewardTerm(PreferenceReward(Redness())),
        "flaky": RewardTerm(Flaky(rank == 1), 0.0),
    }
    return small_artist(
        str(folder / "codec"),
        rewards=RewardStack(Blind(), terms),
        choice=StepWindow(size=2, share=0.8),
        kind=kind,
        micro_batch=MICRO_BATCH,
        divergence_weight=0.01,
    )


def fit(module: L.LightningModule, rank: int | None, *callbacks: L.Callback) -> None:
    """Train; ``rank`` None draws both ranks' images in one process."""
    data = MultiHumanDataModule(
        Shares((0, 1) if rank is None else (rank,)), CountCurriculum(), val_size=4, batch_size=2
    )
    trainer = L.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        devices=1 if rank is None else 2,
        strategy="auto" if rank is None else DDPStrategy(process_group_backend="gloo"),
        check_val_every_n_epoch=EPOCHS,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        callbacks=list(callbacks),
    )
    trainer.fit(module, data)


def run(folder: Path, rank: int | None) -> None:
    """Train and write; then two ranks try again where one of them drifts."""
    module, figures = artist(folder, rank, Reinforced), Figures()
    fit(module, rank, figures)
    name = "alone" if rank is None else str(rank)
    weights = {n: p.detach().clone() for n, p in module.backbone.adapters.named_parameters()}
    save_file(weights, folder / f"adapter-{name}.safetensors")
    seen = {"figures": figures.seen, "validated": module.validated, "refused": ""}
    if rank is not None:
        try:
            fit(artist(folder, rank, Drifting), rank)
        except RuntimeError as error:
            seen["refused"] = str(error)
    (folder / f"seen-{name}.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    as_rank(run)
