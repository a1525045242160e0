"""One line of JSON per judged image, kept from run to run.

A second run keeps the lines of images that have not changed under the same judges and adds the rest; lines made by
other judges are set aside in a file of their own.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from jaxtyping import Float
from torch import Tensor

from benchmarks.files import UnreadableError, read_image
from benchmarks.suite import Suite
from datamodules.whole_files import write_whole

SCORED = "scored"
Line = dict[str, Any]
Figures = Mapping[str, float | None]


class Ledger:
    """The lines of ``images.jsonl``.

    Args:
        path: the file.
        judges: digest of everything that decides a score beside the image itself.
    """

    def __init__(self, path: Path, judges: str) -> None:
        self.path, self.judges = path, judges
        self._lines: dict[str, Line] = {}
        self._superseded = False
        self._file: TextIO | None = None

    def __enter__(self) -> "Ledger":
        lines = list(_read_lines(self.path))
        others = [line for line in lines if line.get("judges") != self.judges]
        self._lines = {line["file"]: line for line in lines if line.get("judges") == self.judges}
        if others:
            aside = self.path.with_name(f"images.{others[0].get('judges', 'other')}.jsonl")
            write_whole(aside, _encode(others))
        # rewriting drops a last line cut short by a crash, so that what is appended starts on its own line
        write_whole(self.path, _encode(list(self._lines.values())))
        self._file = self.path.open("a", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        if self._superseded:
            write_whole(self.path, _encode(list(self._lines.values())))

    def known(self, now: Mapping[str, Any]) -> Line | None:
        """The line of an earlier run, if everything that ``now`` says of the image still holds."""
        old = self._lines.get(now["file"])
        if old is None or now["size"] is None or any(old.get(key) != value for key, value in now.items()):
            return None
        return old

    def write(self, line: Line) -> Line:
        """Append one line and push it to the disk."""
        if self._file is None:
            raise RuntimeError("Ledger: enter it before writing")
        line = {**line, "judges": self.judges}
        self._superseded |= line["file"] in self._lines
        self._lines[line["file"]] = line
        self._file.write(json.dumps(line, allow_nan=False) + "\n")
        self._file.flush()
        return line


def file_state(path: Path) -> Line:
    """Size and time of an image file: what must be unchanged for an old score to hold; None where there is no file."""
    stat = path.stat() if path.is_file() else None
    return {"size": stat.st_size if stat else None, "mtime_ns": stat.st_mtime_ns if stat else None}


def scored_line(
    now: Line,
    path: Path,
    max_pixels: int,
    judge: Callable[[Float[Tensor, "3 h w"]], tuple[Figures, Sequence[str]]],
) -> Line:
    """A line: the figures of an image, or why there are none.

    Args:
        now: what the line begins with.
        path: the image file.
        max_pixels: larger images are left out.
        judge: from the image to its figures, and why some of them are missing or rest on less than they should.
    """
    line = {**now, "status": SCORED, "reason": "", "notes": [], "unscored": [], "metrics": {}}
    try:
        image, notes = read_image(path, max_pixels)
    except UnreadableError as error:
        return {**line, "status": error.status, "reason": str(error)}
    try:
        metrics, unscored = judge(image)
    except Exception as error:  # one image a judge cannot take must not cost the rest of the folder
        return {**line, "status": "not judged", "reason": repr(error)}
    height, width = image.shape[1:]
    found = {"notes": notes, "unscored": list(unscored), "metrics": dict(metrics)}
    return {**line, "width": width, "height": height, **found}


def judges_digest(suite: Suite, *parts: object) -> str:
    """Names analyzer, scorers and metrics, and whatever else decides scores."""
    named = [suite.analyzer, suite.scorers, suite.metrics, *parts]
    return hashlib.sha256("\n".join(map(repr, named)).encode()).hexdigest()[:12]


def _read_lines(path: Path) -> list[Line]:
    """Whole lines of a JSONL file; one cut short is left out."""
    if not path.is_file():
        return []
    found = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        if isinstance(line, dict) and {"file", "size", "mtime_ns", "status"} <= line.keys():
            found.append(line)
    return found


def _encode(lines: list[Line]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()
