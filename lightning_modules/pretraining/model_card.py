"""The card of a model that is saved as a diffusers folder: how it came to be, and the hash of its weights."""

import datetime
import hashlib
from pathlib import Path

import torch

from rewards.weights import WeightsCard, write_card

WEIGHTS = "diffusion_pytorch_model"


def write_model_card(
    folder: str | Path, config: str, data: str, steps: int, metrics: dict[str, float], processes: int = 1
) -> WeightsCard:
    """Write the card beside the weights of ``folder``.

    Args:
        folder: where ``save_pretrained`` wrote to.
        config: name of the configuration in ``configs/pretraining`` that trained it.
        data: what it was trained on.
        steps: training steps.
        metrics: what it reaches, named with the split.
        processes: how many trained together.
    """
    payload = (Path(folder) / f"{WEIGHTS}.safetensors").read_bytes()
    hardware = f"-c configs/trainer/{'cpu' if processes == 1 else 'two_cpu_ranks'}.yaml"
    card = WeightsCard(
        name=WEIGHTS,
        command=f"python -m lightning_modules.cli fit {hardware} -c configs/pretraining/{config}.yaml",
        seed=torch.initial_seed(),
        data=data,
        steps=steps,
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        metrics={name: round(value, 4) for name, value in metrics.items()},
        sha256=hashlib.sha256(payload).hexdigest(),
    )
    write_card(card, Path(folder))
    return card
