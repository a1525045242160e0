"""From the lines of one model's images to an outcome of the report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.aggregate import rows_from_records
from benchmarks.files import UnreadableError, read_image
from benchmarks.generation import badges
from benchmarks.ledger import SCORED, Line
from benchmarks.pictures import encode
from benchmarks.published.case import Case
from benchmarks.published.metrics import ACTIONS
from benchmarks.published.options import Options
from benchmarks.published.scoring import Scored
from benchmarks.published.sources import Source
from benchmarks.published.summary import unified_rows, with_reasons, without_outliers
from benchmarks.recorder import Recorder
from benchmarks.report import Outcome, Sample
from benchmarks.suite import Suite

Records = Sequence[Mapping[str, Any]]
PARTLY = "partly scored"


def report_folder(
    source: Source,
    cases: Sequence[Case],
    scored: Scored,
    suite: Suite,
    options: Options,
    recorder: Recorder,
    seconds: float,
) -> None:
    """Hand one model's figures to the report, name what was left out, and count what is missing."""
    good = [line for line in scored.lines if line["status"] == SCORED]
    for line in scored.lines:
        if line["status"] != SCORED:
            recorder.report.excluded.append({key: line[key] for key in ("file", "status", "reason")})
        recorder.report.excluded += [
            {"file": line["file"], "status": PARTLY, "reason": reason} for reason in line["unscored"]
        ]
        recorder.report.converted += [{"file": line["file"], "note": note} for note in line["notes"]]
    _tell(source, scored.lines, suite, recorder)
    records: Records = [
        {
            "scene": line["case"],
            "seed": line["seed"],
            "slices": {"people": line["people"], "actions": _actions(line, cases)},
            "metrics": line["metrics"],
        }
        for line in good
    ]
    samples = _samples(good, cases, scored, suite)
    made = {"images": len(good), **source.parameters}

    def outcome(setting: str, chosen: Records, shown: list[Sample]) -> Outcome:
        names = {"suite": suite.name, "method": source.method, "setting": setting}
        metrics = dict.fromkeys(name for record in chosen for name in record["metrics"])
        rows = rows_from_records(chosen, names, metrics, suite.bootstrap)
        if suite.kind == "multi_human":
            rows += unified_rows(chosen, names, suite.bootstrap)
        rows = with_reasons(rows, chosen, {n for n, c in suite.scorers.items() if c is not None})
        return Outcome(
            source.method,
            setting,
            made,
            rows,
            shown,
            seconds=seconds,
            ceiling=source.ceiling,
            paper=source.paper,
        )

    recorder.add(outcome(source.setting, records, samples))
    if options.outliers:
        kept, dropped = without_outliers(records)
        counts = ", ".join(f"{name} {n}" for name, n in dropped.items() if n)
        recorder.note(f"{source.method}: values dropped as outliers: {counts or 'none'}.")
        recorder.add(outcome(f"{source.setting} without outliers".strip(), kept, []))


def _tell(source: Source, lines: Sequence[Line], suite: Suite, recorder: Recorder) -> None:
    """What became of the images, and of the questions about them."""
    title = " · ".join(filter(None, (source.method, source.setting)))
    counts = Counter(line["status"] for line in lines)
    words = ", ".join(f"{n} {status}" for status, n in counts.most_common())
    found = counts[SCORED]
    share = "" if found == len(lines) else f"; figures are of the {found} scored alone"
    recorder.note(f"{title}: of {len(lines)} images {words}{share}.")
    failed = sum(line["metrics"].get("questions_failed") or 0 for line in lines)
    if failed:
        reasons = Counter(note for line in lines for note in line["unscored"] if note.startswith("judge: "))
        often = "; ".join(reason.removeprefix("judge: ") for reason, _ in reasons.most_common(3))
        recorder.note(
            f"{title}: the judge left {failed:.0f} questions without a digit; they are not scored and will be asked "
            f"again by the next run ({often})."
        )
    if suite.kind == "multi_human" and suite.scorers.get(ACTIONS) is None:
        recorder.note(
            "Action-S and Action-C need a vision-language model that is asked: scorers.actions, see docs/benchmarks.md."
        )


def _actions(line: Line, cases: Sequence[Case]) -> str | None:
    kinds = {case.key: case.is_complex for case in cases}
    is_complex = kinds[line["case"]]
    return None if is_complex is None else "complex" if is_complex else "simple"


def _samples(lines: Sequence[Line], cases: Sequence[Case], scored: Scored, suite: Suite) -> list[Sample]:
    by_key = {case.key: case for case in cases}
    first_seed = [line for line in lines if line["seed"] == lines[0]["seed"]]
    step = max(1, len(first_seed) // max(1, suite.gallery))
    samples = []
    for line in first_seed[::step][: suite.gallery]:
        case = by_key[line["case"]]
        image, _ = read_image(scored.paths[line["file"]], suite.images.max_pixels)
        samples.append(
            Sample(
                scene=case.key,
                prompt=case.prompt,
                image=encode(image),
                badges=badges(line["metrics"], case.people),
                references=tuple(_face(case, k, suite) for k in range(case.people)),
            )
        )
    return samples


def _face(case: Case, k: int, suite: Suite) -> bytes:
    """A reference as the report shows it; grey where it cannot be read."""
    try:
        return encode(read_image(case.references[k], suite.images.max_pixels)[0])
    except UnreadableError:
        from PIL import Image

        return encode(Image.new("RGB", (64, 64), (128, 128, 128)))
