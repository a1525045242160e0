"""How Architect-A is trained, where its weights go, and what the card beside them says."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor

from rewards.command import training_command
from rewards.weights import WeightsCard


@dataclass(frozen=True)
class ArchitectRecipe:
    """How Architect-A is trained (Appendix B; the defaults are the paper's).

    Attributes:
        learning_rate: peak of AdamW's rate.
        weight_decay: AdamW's.
        warmup_steps: steps in which the rate rises from zero; then a cosine leads back to zero.
        coordinate_weight: lambda of Eq. (1).
        tally_weight: how much more a word of the tally counts in the cross-entropy than ``<SoL>``, ``<C>`` or
            ``<EoL>``. The number of people is decided there. The paper has no tally, and 1 is its loss.
        box_jitter: standard deviation of noise on the boxes that are fed back in training; in use the model reads its
            own boxes, which are never quite the true ones. The paper has none.
        start: weights of an earlier training that this one goes on from, with a schedule of its own; a safetensors file
            with its card. From nothing if None.
        export_folder: where weights and card are written after every validation; nowhere if None.
        export_name: their name.

    Raises:
        ValueError: if the tally's weight is not positive.
    """

    learning_rate: float = 1e-5
    weight_decay: float = 0.01
    warmup_steps: int = 100
    coordinate_weight: float = 0.8
    tally_weight: float = 1.0
    box_jitter: float = 0.0
    start: str | None = None
    export_folder: str | None = None
    export_name: str = "architect"

    def __post_init__(self) -> None:
        if not self.tally_weight > 0:
            raise ValueError(
                f"tally_weight: {self.tally_weight} must be more than 0; 1 counts all tokens alike"
            )


def training_card(trainer: L.Trainer, name: str, seed: int, architecture: dict[str, int]) -> WeightsCard:
    """The card of what a training has reached.

    Args:
        trainer: of the run; its data module says how many prompts there are.
        name: of the weights.
        seed: of the run.
        architecture: what a network must have to read the weights.
    """
    data: Any = trainer.datamodule  # type: ignore[attr-defined]
    figures = {k: round(float(v), 4) for k, v in trainer.callback_metrics.items() if k.startswith("val/")}
    return WeightsCard(
        name=name,
        command=training_command(),
        seed=seed,
        data=f"{data.n_train} drawn prompts of the train split, in batches of {data.batch_size}",
        steps=trainer.global_step,
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        architecture=architecture,
        metrics=figures,
    )


def check_architecture(card: WeightsCard, architecture: Mapping[str, int], path: Path) -> None:
    """Whether weights are of such a network; a card that does not say is believed.

    Raises:
        ValueError: naming what differs, for instance the scale of LoRA updates, which no shape shows.
    """
    for name, value in card.architecture.items():
        if architecture.get(name) != value:
            raise ValueError(
                f"{path}: belongs to another model than the configuration's: {name} is {value} in its card and "
                f"{architecture.get(name)} in the configuration"
            )


def check_half(state: Mapping[str, Tensor]) -> None:
    """Whether tensors survive half precision, in which weights are stored.

    Raises:
        ValueError: naming one that is not finite there.
    """
    broken: Sequence[str] = [
        name for name, v in state.items() if not bool(v.to(torch.float16).isfinite().all())
    ]
    if broken:
        raise ValueError(
            f"{broken[0]}: is not finite in half precision; the training has diverged, lower its learning rate"
        )
