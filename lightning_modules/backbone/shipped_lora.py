"""Trained LoRA sets that ship: one safetensors file and its card beside the shipped models, found by name."""

from pathlib import Path

from lightning_modules.backbone.flux_source import SHIPPED
from rewards.weights import verified


def shipped_loras() -> list[str]:
    """Names of the LoRA sets that ship."""
    return sorted(path.stem for path in SHIPPED.glob("*.safetensors"))


def lora_file(name: str) -> Path:
    """A shipped LoRA set by its name, or a file by its path.

    Raises:
        ValueError: if it is neither, or a shipped set is not the one its card describes.
    """
    if name in shipped_loras():
        return verified(SHIPPED, name)
    if not Path(name).is_file():
        raise ValueError(f"{name} is neither a file nor one of the shipped sets {shipped_loras()}")
    return Path(name)
