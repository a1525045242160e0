"""Photographs and their captions on disk."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor

from datamodules.jsonl import json_lines

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
CAPTIONS = "captions.jsonl"


class UnfitError(ValueError):
    """A photograph that cannot be used; the message says why."""


@dataclass(frozen=True)
class Photo:
    """One photograph.

    Attributes:
        name: path below the folder without suffix, with forward slashes; what everything made of it is called.
        path: the file.
        prompt: its caption; empty where there is none.
    """

    name: str
    path: Path
    prompt: str


def list_photos(folder: Path) -> tuple[list[Photo], dict[str, str]]:
    """The photographs below a folder by name, and why others are left out.

    A caption is the ``.txt`` beside the photograph, or else the line of ``captions.jsonl`` in ``folder`` with the keys
    ``file`` (path below the folder) and ``prompt``.

    Raises:
        ValueError: if there is no such folder, or ``captions.jsonl`` has a line that cannot be used.
    """
    if not folder.is_dir():
        raise ValueError(f"photos: {folder} is not a folder")
    captions = read_captions(folder / CAPTIONS)
    photos: dict[str, Photo] = {}
    left_out: dict[str, str] = {}
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()):
        file = path.relative_to(folder).as_posix()
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in photos:
            left_out[file] = f"has the same name as {photos[name].path.name}"
            continue
        beside = path.with_suffix(".txt")
        try:
            prompt = beside.read_text(encoding="utf-8-sig") if beside.is_file() else captions.get(file, "")
        except UnicodeDecodeError:
            left_out[file] = f"{beside.name} is not UTF-8 text"
            continue
        photos[name] = Photo(name, path, " ".join(prompt.split()))
    for file in captions.keys() - {p.path.relative_to(folder).as_posix() for p in photos.values()}:
        left_out.setdefault(file, f"named in {CAPTIONS}, but there is no such photograph")
    return list(photos.values()), left_out


def read_captions(path: Path) -> dict[str, str]:
    """Captions by file; empty if there is no such file.

    Raises:
        ValueError: naming the line that cannot be used.
    """
    captions: dict[str, str] = {}
    for number, row in json_lines(path) if path.is_file() else ():
        file, prompt = row.get("file"), row.get("prompt")
        if not (isinstance(file, str) and isinstance(prompt, str)):
            raise ValueError(
                f"{path}, line {number}: expected the keys 'file' and 'prompt', got {sorted(row)}"
            )
        file = Path(file).as_posix()
        if file in captions:
            raise ValueError(f"{path}, line {number}: {file!r} is named twice")
        captions[file] = prompt
    return captions


def decode(content: bytes) -> Float[Tensor, "3 h w"]:
    """An image file's RGB in [0, 1], turned as its EXIF says.

    Raises:
        UnfitError: if it cannot be read.
    """
    try:
        with Image.open(BytesIO(content)) as opened:
            pixels = np.array(ImageOps.exif_transpose(opened).convert("RGB"))
    except Exception as error:  # Pillow's decoders raise whatever the damage leads to
        raise UnfitError(
            f"unreadable: {type(error).__name__}: {str(error).partition('<')[0].strip()}"
        ) from error
    return torch.from_numpy(pixels).permute(2, 0, 1).float().div(255)


def encode(image: Float[Tensor, "3 h w"]) -> bytes:
    """A PNG file of RGB in [0, 1]."""
    pixels = image.clamp(0, 1).mul(255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    buffer = BytesIO()
    Image.fromarray(pixels.numpy()).save(buffer, format="PNG")
    return buffer.getvalue()
