"""Image files of unknown make to RGB tensors, or a plain reason why not.

What converts without guessing is converted and said so: grey, black-and-white, palette, transparency over white,
16-bit grey, rotation by EXIF. What would need a guess (CMYK without its printing profile, 32-bit data of unknown
range) is refused by name, as are corrupt files and files too large to be decoded safely.
"""

import csv
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor

from benchmarks.suite import SuiteError
from datamodules.jsonl import json_lines

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".avif"}
_WHITE = (255, 255, 255, 255)


class UnreadableError(ValueError):
    """A file that cannot be scored.

    Attributes:
        status: ``corrupt``, ``huge``, ``unsupported`` or ``missing``.
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Listed:
    """One file to score.

    Attributes:
        file: path relative to the folder, with forward slashes.
        prompt: its caption, if known.
        people: how many people were asked for, if known.
        method: which model made it.
    """

    file: str
    prompt: str | None
    people: int | None
    method: str


def list_files(folder: Path, prompts: Path | None) -> list[Listed]:
    """Every image file of the folder, and every file its prompts name, in natural order.

    The method is the prompts file's ``method``, else the first folder below ``folder``, else ``folder``'s name.

    Raises:
        SuiteError: the folder or the prompts file is missing or malformed.
    """
    if not folder.is_dir():
        raise SuiteError(f"images.folder: {str(folder)!r} is not a folder")
    known = {} if prompts is None else read_prompts(prompts)
    present = {
        p.relative_to(folder).as_posix()
        for p in folder.rglob("*")
        if p.suffix.lower() in SUFFIXES and p.is_file()
    }
    listed = []
    for file in sorted(present | set(known), key=natural):
        entry = known.get(file, {})
        method = entry.get("method") or (file.split("/")[0] if "/" in file else folder.resolve().name)
        listed.append(Listed(file, entry.get("prompt"), entry.get("people"), method))
    return listed


def read_prompts(path: Path) -> dict[str, dict]:
    """Prompts by file name, from JSONL or CSV with a column ``file`` and any of ``prompt``, ``people``, ``method``.

    Raises:
        SuiteError: naming the line that cannot be used.
    """
    if not path.is_file():
        raise SuiteError(f"images.prompts: {str(path)!r} does not exist")
    found: dict[str, dict] = {}
    for number, row in _rows(path):
        file = row.get("file")
        if not isinstance(file, str) or not file:
            raise SuiteError(f"{path.name}, line {number}: no 'file' (columns: file, prompt, people, method)")
        file = Path(file).as_posix()
        if file in found:
            raise SuiteError(f"{path.name}, line {number}: {file!r} is named twice")
        people = row.get("people")
        if people in ("", None):
            people = None
        elif not re.fullmatch(r"\d+", str(people)):
            raise SuiteError(f"{path.name}, line {number}: people {people!r} is not a whole number")
        found[file] = {
            "prompt": row.get("prompt") or None,
            "people": None if people is None else int(people),
            "method": row.get("method") or None,
        }
    return found


def read_image(path: Path, max_pixels: int) -> tuple[Float[Tensor, "3 h w"], list[str]]:
    """An image file as RGB in [0, 1], and what had to be converted.

    Raises:
        UnreadableError: the file is missing, corrupt, too large, or of a kind that has no exact conversion.
    """
    if not path.is_file():
        raise UnreadableError("missing", "named in the prompts, but there is no such file")
    with _no_bomb_guard():
        try:
            opened = Image.open(path)
        except Exception as error:  # Pillow's decoders raise whatever the damage leads to
            raise UnreadableError("corrupt", f"not a readable image: {_first_line(error)}") from error
        with opened:
            width, height = opened.size
            if width * height > max_pixels:
                reason = f"{width} x {height} is more than max_pixels = {max_pixels:,} (images.max_pixels)"
                raise UnreadableError("huge", reason)
            return _decode(opened)


def _decode(opened: Image.Image) -> tuple[Float[Tensor, "3 h w"], list[str]]:
    notes = []
    frames = getattr(opened, "n_frames", 1)
    if frames > 1:
        notes.append(f"first of {frames} frames")
    try:
        opened.load()
        picture = ImageOps.exif_transpose(opened)
    except Exception as error:
        raise UnreadableError("corrupt", f"cannot be decoded: {_first_line(error)}") from error
    if opened.getexif().get(0x0112, 1) != 1:
        notes.append("rotated by its EXIF orientation")
    mode = picture.mode
    if mode.startswith("I;16"):
        notes.append("16-bit grey, full range taken as black to white")
        grey = np.array(picture).astype(np.float32) / 65535
        return torch.from_numpy(grey).expand(3, -1, -1).clone(), notes
    if "transparency" in picture.info or mode in {"RGBA", "LA", "PA", "RGBa", "La"}:
        notes.append(f"transparency ({mode}) over white")
        over = Image.new("RGBA", picture.size, _WHITE)
        over.alpha_composite(picture.convert("RGBA"))
        picture = over.convert("RGB")
    elif mode in {"L", "1", "P", "YCbCr"}:
        notes.append(
            f"{ {'L': 'grey', '1': 'black and white', 'P': 'palette'}.get(mode, mode) } converted to RGB"
        )
        picture = picture.convert("RGB")
    elif mode != "RGB":
        raise UnreadableError(
            "unsupported", f"colour mode {mode} has no exact conversion to RGB; convert it first"
        )
    pixels = torch.from_numpy(np.array(picture))
    return pixels.permute(2, 0, 1).float() / 255, notes


@contextmanager
def _no_bomb_guard() -> Iterator[None]:
    """Pillow's own limit is replaced by ours, which is checked on the header before any pixel is decoded."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _rows(path: Path) -> Iterator[tuple[int, dict]]:
    """(line number, row) of a CSV or JSONL file."""
    if path.suffix.lower() == ".csv":
        reader = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
        for row in reader:
            yield reader.line_num, row
        return
    try:
        yield from json_lines(path)
    except ValueError as error:
        raise SuiteError(str(error)) from error


def natural(name: str) -> list[tuple[int, int, str]]:
    """``image10`` after ``image9``."""
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.split(r"(\d+)", name)]


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
