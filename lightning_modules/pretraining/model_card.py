"""The card of weights that a training leaves: how they came to be, what they reach, and their hash."""

import datetime
import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch

from rewards.weights import WeightsCard, write_card

WEIGHTS = "diffusion_pytorch_model"


def write_model_card(
    folder: str | Path, config: str, data: str, steps: int, metrics: dict[str, float], processes: int = 1
) -> WeightsCard:
    """Write the card beside the weights of a diffusers folder.

    Args:
        folder: where ``save_pretrained`` wrote to.
        config: name of the configuration in ``configs/pretraining`` that trained it.
        data: what it was trained on.
        steps: training steps.
        metrics: what it reaches, named with the split.
        processes: how many trained together.
    """
    hardware = f"-c configs/trainer/{'cpu' if processes == 1 else 'two_cpu_ranks'}.yaml"
    command = f"python -m lightning_modules.cli fit {hardware} -c configs/pretraining/{config}.yaml"
    return write_weights_card(Path(folder) / f"{WEIGHTS}.safetensors", command, data, steps, metrics)


def write_weights_card(
    weights: Path,
    command: str,
    data: str,
    steps: int,
    metrics: Mapping[str, float],
    architecture: dict[str, int] | None = None,
) -> WeightsCard:
    """Write the card of a file beside it, under its name; the seed is the process's, the date today's.

    Args:
        weights: the safetensors file.
        command: what trained it.
        data: what it was trained on.
        steps: training steps.
        metrics: what it reaches, named with the split.
        architecture: numbers that its tensors do not tell.
    """
    card = WeightsCard(
        name=weights.stem,
        command=command,
        seed=torch.initial_seed(),
        data=data,
        steps=steps,
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        architecture=architecture or {},
        metrics={name: round(value, 4) for name, value in metrics.items()},
        sha256=hashlib.sha256(weights.read_bytes()).hexdigest(),
    )
    write_card(card, weights.parent)
    return card
