"""What every text encoder needs from transformers: tokens with their places, frozen networks, a digest of the files."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from jaxtyping import Int
from torch import Tensor

logger = logging.getLogger(__name__)

SUFFIXES = (".json", ".txt", ".model", ".safetensors")


def tokenize(
    tokenizer: Any, prompts: Sequence[str], max_tokens: int, pad: bool = False
) -> tuple[list[Any], int]:
    """Encodings of the fast tokenizer, and how many prompts were too long."""
    padding = "max_length" if pad else False
    batch = tokenizer(list(prompts), truncation=True, max_length=max_tokens, padding=padding)
    return batch.encodings, sum(bool(encoding.overflowing) for encoding in batch.encodings)


def count_truncated(before: int, cut: int, max_tokens: int) -> int:
    """The new count; what is cut off is logged the first time."""
    if cut and not before:
        logger.warning("%d prompt(s) exceed max_tokens = %d and were cut off; raise it", cut, max_tokens)
    return before + cut


def character_offsets(encoding: Any, device: str) -> Int[Tensor, "s 2"]:
    """Character range of every token; (0, 0) for special ones."""
    spans = zip(encoding.offsets, encoding.special_tokens_mask, strict=True)
    return torch.tensor([(0, 0) if special else span for span, special in spans], device=device)


def load(cls: Any, folder: Path, dtype: str, device: str) -> Any:
    """A frozen model of a local folder, without a progress bar."""
    shown = transformers.logging.is_progress_bar_enabled()
    transformers.logging.disable_progress_bar()
    try:
        model = cls.from_pretrained(folder, dtype=getattr(torch, dtype), local_files_only=True)
    finally:
        if shown:
            transformers.logging.enable_progress_bar()
    return model.eval().requires_grad_(False).to(device)


def digest(folders: Sequence[Path], settings: dict[str, Any]) -> str:
    """Hash of names, sizes and both ends (1 MiB) of all files: seconds even where the weights are 10 GB."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in SUFFIXES):
            size = path.stat().st_size
            digest.update(f"{folder.name}/{path.relative_to(folder)}:{size}".encode())
            with path.open("rb") as file:
                digest.update(file.read(1 << 20))
                file.seek(max(size - (1 << 20), 0))
                digest.update(file.read())
    return digest.hexdigest()
