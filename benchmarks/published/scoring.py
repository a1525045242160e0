"""A folder of a published benchmark's images, judged case by case."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.ledger import SCORED, Ledger, Line, file_state, scored_line
from benchmarks.published.case import Case
from benchmarks.published.judging import CaseJudge
from benchmarks.published.sources import Source
from benchmarks.recorder import Recorder


@dataclass
class Scored:
    """What is known of one source so far.

    Attributes:
        lines: one per image, in the order of the cases, seed after seed.
        paths: where the images are, by the lines' ``file``.
    """

    lines: list[Line] = field(default_factory=list)
    paths: dict[str, Path] = field(default_factory=dict)


def folder_lines(
    cases: Sequence[Case],
    folder: Path,
    source: Source,
    seed: int | None,
    judge: CaseJudge,
    ledger: Ledger,
    scored: Scored,
    recorder: Recorder,
) -> None:
    """Judge one folder; lines of an earlier run are taken over where nothing has changed and nothing failed."""
    for case in cases:
        path = case.find(folder)
        now = _identity(case, path, folder, source, seed)
        line = ledger.known(now)
        if line is None or not _final(line):
            line = ledger.write(_judged(now, case, path, judge, source.undrawn.get((seed, case.key))))
        scored.lines.append(line)
        scored.paths[line["file"]] = path
        recorder.step(f"Scoring {line['file']}"[:48])


def _identity(case: Case, path: Path, folder: Path, source: Source, seed: int | None) -> Line:
    """What must be unchanged for an old score to hold."""
    parts = [source.method, source.setting, "" if seed is None else f"seed_{seed}"]
    return {
        "file": "/".join([*filter(None, parts), path.relative_to(folder).as_posix()]),
        **file_state(path),
        "case": case.key,
        "prompt": case.prompt,
        "people": case.people,
        "asked": _asked(case),
        "method": source.method,
        "setting": source.setting,
        "seed": seed,
    }


def _asked(case: Case) -> str:
    """Digest of what is asked beside prompt and head count, references and true image included."""
    files = [*case.references, *([] if case.truth is None else [case.truth])]
    states = [(path.name, *file_state(path).values()) for path in files]
    return hashlib.sha256(repr([case.questions, case.is_complex, states]).encode()).hexdigest()[:12]


def _judged(now: Line, case: Case, path: Path, judge: CaseJudge, undrawn: str | None) -> Line:
    if undrawn is not None:
        return {**now, "status": "not drawn", "reason": undrawn, "notes": [], "unscored": [], "metrics": {}}
    line = scored_line(now, path, judge.max_pixels, lambda image: judge.judge(case, image))
    if line["status"] == "missing":
        line["reason"] = "there is no such image"
    return {**line, "judged_by": judge.names}


def _final(line: Line) -> bool:
    """Whether judging again could not help."""
    return line["status"] == SCORED and not line["metrics"].get("questions_failed")
