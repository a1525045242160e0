"""The job ``score``: a folder of images from any model, judged file by file.

``images.jsonl`` receives one line per file as it goes (``benchmarks.ledger``). A second run keeps the lines of files
that have not changed (same name, size and modification time) under the same judges, and scores the rest.
"""

import time
from collections import Counter, defaultdict
from pathlib import Path

from benchmarks.aggregate import rows_from_records
from benchmarks.files import Listed, list_files, read_image
from benchmarks.generation import badges
from benchmarks.ledger import SCORED, Ledger, Line, file_state, judges_digest, scored_line
from benchmarks.panel import Panel, tiny_warning
from benchmarks.pictures import encode
from benchmarks.recorder import Recorder
from benchmarks.report import Outcome, Sample
from benchmarks.suite import Suite, SuiteError


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
            with Ledger(recorder.images_file, judges_digest(suite, panel.distractors)) as ledger:
                for entry in listed:
                    now = _identity(entry, folder)
                    lines[entry.file] = ledger.known(now) or ledger.write(_score(now, entry, panel, suite))
                    recorder.step(f"Scoring {entry.file}"[:48])
        finally:
            if lines:
                _report(lines, folder, suite, recorder, time.perf_counter() - began)


def _identity(entry: Listed, folder: Path) -> Line:
    """What must be unchanged for an old score to hold."""
    return {
        "file": entry.file,
        **file_state(folder / entry.file),
        "prompt": entry.prompt,
        "people": entry.people,
        "method": entry.method,
    }


def _score(now: Line, entry: Listed, panel: Panel, suite: Suite) -> Line:
    """One line: the figures of a file, or why there are none."""
    path = Path(str(suite.images.folder)) / entry.file
    return scored_line(
        now,
        path,
        suite.images.max_pixels,
        lambda image: (panel.judge(image[None], [entry.prompt], [entry.people])[0], ()),
    )


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
