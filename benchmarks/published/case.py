"""One entry of a published benchmark, and the errors of files that are not what they should be."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.suite import SuiteError

SHOWN = 5


@dataclass(frozen=True)
class Case:
    """What is asked of one image.

    Attributes:
        key: name of the case in its benchmark.
        images: names its image may have within a folder of images; the first is the one we write.
        prompt: what the image shows.
        references: one image file per person.
        nouns: one noun per person, where the benchmark has them.
        questions: for a vision-language model, each naming its digits.
        is_complex: whether its actions are the complex ones; None where the benchmark does not say.
        truth: the true image, where the benchmark has one.
    """

    key: str
    images: tuple[str, ...]
    prompt: str
    references: tuple[Path, ...]
    nouns: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    is_complex: bool | None = None
    truth: Path | None = None

    @property
    def people(self) -> int:
        """How many people are asked for."""
        return len(self.references)

    def find(self, folder: Path) -> Path:
        """Its image in a folder, or where it would be."""
        found = [folder / name for name in self.images if (folder / name).is_file()]
        return found[0] if found else folder / self.images[0]


def digest_of(cases: Sequence[Case]) -> str:
    """Digest of what cases ask a generator for: prompts and reference files, by name and size."""
    asked = [(c.key, c.prompt, [(path.name, path.stat().st_size) for path in c.references]) for c in cases]
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:12]


class Problems:
    """What is wrong with a benchmark's files, gathered so that one run names it all.

    Args:
        source: the file or folder they are in.
    """

    def __init__(self, source: Path) -> None:
        self.source = source
        self.found: list[str] = []

    def add(self, entry: str, key: str, words: str) -> None:
        """One problem: in which entry, under which key, and what it is."""
        self.found.append(f"{entry}: {key}: {words}")

    def raise_any(self) -> None:
        """Refuse the files if anything is wrong with them.

        Raises:
            SuiteError: names the first problems and how many there are.
        """
        if self.found:
            more = len(self.found) - SHOWN
            lines = [f"{self.source}: {problem}" for problem in self.found[:SHOWN]]
            raise SuiteError("\n".join([*lines, *([f"… and {more} more problems"] if more > 0 else [])]))


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        SuiteError: if it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise SuiteError(f"options.data: there is no file {str(path)!r}") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise SuiteError(f"{path}: cannot be read as JSON: {error}") from error


def shortened(value: Any, length: int = 60) -> str:
    """A value as it stands in a message."""
    text = repr(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def text_of(value: Any) -> str | None:
    """The text, or None if it is none or says nothing."""
    return value if isinstance(value, str) and value.strip() else None


def texts_of(value: Any) -> tuple[str, ...] | None:
    """The texts of a list, or None if it is no list of texts that say something."""
    if not isinstance(value, list) or not all(text_of(item) for item in value):
        return None
    return tuple(value)
