"""Shipped weights: one safetensors file and one card of the same name, side by side as package data.

The card says how the weights came to be (command, seed, data, steps, date), what they reach (metrics) and what
they are (sha256 of the safetensors file). Learned matrices are stored in half precision and computed with in full
precision; running statistics of normalisation layers keep full precision.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class WeightsCard:
    """How one weights file came to be.

    Attributes:
        name: stem of the safetensors file.
        command: the one command that trains it from nothing.
        seed: random seed of that command.
        data: what it was trained on.
        steps: optimizer steps.
        date: ISO date of the training.
        architecture: constructor arguments of the network.
        metrics: what it reaches, named with the split.
        sha256: digest of the safetensors file.
    """

    name: str
    command: str
    seed: int
    data: str
    steps: int
    date: str
    architecture: dict[str, int] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    sha256: str = ""


def save_weights(network: nn.Module | Mapping[str, Tensor], card: WeightsCard, folder: Path) -> WeightsCard:
    """Write a network, or a part of its state, and its card into ``folder``; returns the card with its digest."""
    state = network.state_dict() if isinstance(network, nn.Module) else network
    tensors = {key: _stored(key, value) for key, value in state.items()}
    payload = save(tensors)
    card = replace(card, sha256=hashlib.sha256(payload).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{card.name}.safetensors").write_bytes(payload)
    write_card(card, folder)
    return card


def load_weights(folder: Path, name: str) -> tuple[dict[str, Tensor], WeightsCard]:
    """The state dict (full precision) and card of ``name``.

    Raises:
        ValueError: if the file is missing or is not the one its card describes.
    """
    payload = verified(folder, name).read_bytes()
    state = {k: v.float() if v.is_floating_point() else v for k, v in load(payload).items()}
    return state, read_card(folder, name)


def verified(folder: Path, name: str) -> Path:
    """The weights file of ``name``, which is the one that its card describes.

    Raises:
        ValueError: if it is not, or is missing, or has no card.
    """
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        present = sorted(p.stem for p in folder.glob("*.safetensors"))
        raise ValueError(f"weights {name!r}: no such file in {folder}, which holds {present}")
    if not path.with_suffix(".json").is_file():
        raise ValueError(f"weights {name!r}: {path} has no card {name}.json beside it that says what it is")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    expected = read_card(folder, name).sha256
    if digest != expected:
        raise ValueError(
            f"weights {name!r}: sha256 of {path} is {digest}, but its card says {expected}; "
            "restore the file or retrain it with the card's command"
        )
    return path


def restore(network: Network, state: Mapping[str, Tensor]) -> Network:
    """``network`` with the loaded state, frozen and in evaluation mode."""
    network.load_state_dict(dict(state))
    return network.eval().requires_grad_(False)


def read_card(folder: Path, name: str) -> WeightsCard:
    """The card of ``name``."""
    return WeightsCard(**json.loads((folder / f"{name}.json").read_text()))


def write_card(card: WeightsCard, folder: Path) -> None:
    """Write the card beside its weights."""
    (folder / f"{card.name}.json").write_text(json.dumps(asdict(card), indent=2) + "\n")


def _stored(key: str, value: Tensor) -> Tensor:
    value = value.detach().cpu().contiguous()
    if not value.is_floating_point() or key.endswith(("running_mean", "running_var")):
        return value
    return value.to(torch.float16)
