"""The job ``score``: a folder of images from any model, judged file by file.

``images.jsonl`` receives one line per file as it goes. A second run keeps the lines of files that have not changed
(same name, size and modification time) under the same judges, and scores the rest; lines made by other judges are
set aside in a file of their own.
"""

import hashlib
import json
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, TextIO

from benchmarks.aggregate import rows_from_records
from benchmarks.files import Listed, UnreadableError, list_files, read_image
from benchmarks.generation import badges
from benchmarks.panel import Panel, tiny_warning
from benchmarks.pictures import encode
from benchmarks.recorder import Recorder
from benchmarks.report import Outcome, Sample
from benchmarks.suite import Suite, SuiteError
from datamodules.whole_files import write_whole

SCORED = "scored"
Line = dict[str, Any]


class ScoringJob:
    """Runs ``kind: score``."""

    def run(self, suite: Suite, recorder: Recorder) -> None:
        """Score every file; what was scored before an interruption is reported all the same."""
        if suite.images.folder is None:
            raise SuiteError("images.folder: a suite of kind 'score' needs a folder (--images DIR)")
        folder = Path(suite.images.folder)
        everything = list_files(folder, Path(suite.images.prompts) if suite.images.prompts else None)
        listed = everything[: suite.limit]
        if not listed:
            raise SuiteError(f"images.folder: no image files below {str(folder)!r}")
        for note in (tiny_warning(suite), f"Files from {folder}."):
            if note:
                recorder.note(note)
        recorder.plan(len({entry.method for entry in listed}), len(listed))
        # all prompts, whatever the limit: a longer second run must find the same candidates, and so keep the lines
        panel = Panel(suite, [entry.prompt for entry in everything if entry.prompt])
        began = time.perf_counter()
        lines: dict[str, Line] = {}
        try:
            with Ledger(recorder.images_file, _digest(suite, panel)) as ledger:
                for entry in listed:
                    lines[entry.file] = ledger.known(entry, folder) or ledger.write(
                        _score(entry, folder, panel, suite)
                    )
                    recorder.step(f"Scoring {entry.file}"[:48])
        finally:
            if lines:
                _report(lines, folder, suite, recorder, time.perf_counter() - began)


class Ledger:
    """The lines of ``images.jsonl``, kept from run to run.

    Args:
        path: the file.
        judges: digest of everything that decides a score beside the file itself.
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

    def known(self, entry: Listed, folder: Path) -> Line | None:
        """The line of an earlier run, if file, prompt and judges are still the same."""
        old = self._lines.get(entry.file)
        now = _identity(entry, folder)
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


def _identity(entry: Listed, folder: Path) -> Line:
    """What must be unchanged for an old score to hold."""
    path = folder / entry.file
    stat = path.stat() if path.is_file() else None
    return {
        "file": entry.file,
        "size": stat.st_size if stat else None,
        "mtime_ns": stat.st_mtime_ns if stat else None,
        "prompt": entry.prompt,
        "people": entry.people,
        "method": entry.method,
    }


def _score(entry: Listed, folder: Path, panel: Panel, suite: Suite) -> Line:
    """One line: the figures of a file, or why there are none."""
    line = {**_identity(entry, folder), "status": SCORED, "reason": "", "notes": [], "metrics": {}}
    try:
        image, notes = read_image(folder / entry.file, suite.images.max_pixels)
    except UnreadableError as error:
        return {**line, "status": error.status, "reason": str(error)}
    try:
        metrics = panel.judge(image[None], [entry.prompt], [entry.people])[0]
    except Exception as error:  # one image a judge cannot take must not cost the rest of the folder
        return {**line, "status": "not judged", "reason": repr(error)}
    height, width = image.shape[1:]
    return {**line, "width": width, "height": height, "notes": notes, "metrics": metrics}


def _report(lines: dict[str, Line], folder: Path, suite: Suite, recorder: Recorder, seconds: float) -> None:
    """One outcome per method; files left out and files converted are listed in the report."""
    by_method: dict[str, list[Line]] = defaultdict(list)
    for line in lines.values():
        if line["status"] == SCORED:
            by_method[line["method"]].append(line)
        else:
            recorder.report.excluded.append({key: line[key] for key in ("file", "status", "reason")})
        recorder.report.converted += [{"file": line["file"], "note": note} for note in line["notes"]]
    counts = Counter(line["status"] for line in lines.values())
    recorder.note("Files: " + ", ".join(f"{n} {status}" for status, n in counts.most_common()) + ".")
    for method, scored in by_method.items():
        records = [
            {"scene": s["file"], "seed": None, "slices": {"people": s["people"]}, "metrics": s["metrics"]}
            for s in scored
        ]
        names = {"suite": suite.name, "method": method, "setting": ""}
        metrics = dict.fromkeys(name for record in records for name in record["metrics"])
        rows = rows_from_records(records, names, metrics, suite.bootstrap)
        samples = [_sample(line, folder, suite) for line in scored[: suite.gallery]]
        recorder.add(Outcome(method, "", {"files": len(scored)}, rows, samples, seconds=seconds))


def _sample(line: Line, folder: Path, suite: Suite) -> Sample:
    image, _ = read_image(folder / line["file"], suite.images.max_pixels)
    name = line["file"].partition("/")[2] or line["file"]
    return Sample(name, line["prompt"] or "", encode(image), badges(line["metrics"], line["people"]))


def _digest(suite: Suite, panel: Panel) -> str:
    """Names analyzer, scorers, metrics and the prompts retrieval draws from."""
    parts = [repr(suite.analyzer), repr(suite.scorers), repr(suite.metrics), repr(panel.distractors)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


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
