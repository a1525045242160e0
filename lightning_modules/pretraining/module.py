"""What the trainers of the tiny networks share: optimiser, schedule, and the export of weights with their card."""

import datetime
from dataclasses import dataclass
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from rewards.weights import WeightsCard, save_weights


@dataclass(frozen=True)
class Recipe:
    """How a tiny network is optimised and where it goes.

    Attributes:
        learning_rate: peak of AdamW's rate: linear warm-up, constant, then linear decay to 1 %.
        weight_decay: AdamW's.
        warmup_steps: optimizer steps of the warm-up.
        decay_from: share of the run after which the rate decays.
        export_folder: where weights and card are written after every validation; nowhere if None.
    """

    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup_steps: int = 100
    decay_from: float = 0.4
    export_folder: str | None = None


class PretrainingModule(L.LightningModule):
    """One network, trained by the subclass's ``training_step`` and exported under ``name``."""

    def __init__(self, network: nn.Module, name: str, architecture: dict[str, int], recipe: Recipe) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.name = name
        self.architecture = architecture
        self.recipe = recipe
        self.also = ""  # what else it is trained on, for its card
        self.seed = torch.initial_seed()

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW on what is trainable, with the recipe's schedule per step."""
        trainable = [p for p in self.parameters() if p.requires_grad]
        optimizer = AdamW(trainable, self.recipe.learning_rate, weight_decay=self.recipe.weight_decay)
        total = int(self.trainer.estimated_stepping_batches)
        schedule = LambdaLR(optimizer, lambda step: learning_rate_factor(step, total, self.recipe))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_validation_end(self) -> None:
        """Export what was just validated."""
        if not self.trainer.sanity_checking and self.recipe.export_folder is not None:
            self.export(Path(self.recipe.export_folder))

    @rank_zero_only
    def export(self, folder: Path) -> None:
        """Write weights and card into ``folder``."""
        save_weights(self.network, self.card(), folder)

    def card(self) -> WeightsCard:
        """How the network came to be so far."""
        figures = {
            k: round(float(v), 4) for k, v in self.trainer.callback_metrics.items() if k.startswith("val/")
        }
        return WeightsCard(
            name=self.name,
            command=f"python -m lightning_modules.cli fit -c configs/pretraining/{self.name}.yaml",
            seed=self.seed,
            data=self.data_words(),
            steps=self.trainer.global_step,
            date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
            architecture=self.architecture,
            metrics=figures,
        )

    def data_words(self) -> str:
        """What the data were, for the card: what the data module says of itself, and what comes on top."""
        return f"{self.trainer.datamodule.described()}{self.also}"  # type: ignore[attr-defined]


def learning_rate_factor(step: int, total: int, recipe: Recipe) -> float:
    """Share of the peak rate at ``step`` of ``total``."""
    warm = min(1.0, (step + 1) / max(1, recipe.warmup_steps))
    done = step / max(1, total)
    left = 1.0 if done < recipe.decay_from else (1 - done) / (1 - recipe.decay_from)
    return warm * max(0.01, left)
