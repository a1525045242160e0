"""The report as one HTML file: pictures, plots and style inside, nothing fetched, readable in light and dark."""

import base64
import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from omegaconf import OmegaConf

from benchmarks.directions import AGREES, OPPOSED, UNDECIDED, directions, rank_agreement
from benchmarks.figures import figure, ordered, shown, signed
from benchmarks.pictures import media_type
from benchmarks.plots import plots
from benchmarks.report import Badge, Outcome, Report, Row, Sample
from benchmarks.table import beside, best
from datamodules.whole_files import write_whole

STYLE = Path(__file__).with_name("page.css")
_ARROW = {1: " ↑", -1: " ↓", 0: ""}


def write_page(path: Path, report: Report) -> None:
    """Render and replace the file as a whole."""
    write_whole(path, render(report).encode())


def render(report: Report) -> str:
    """The whole page."""
    body = [_header(report), _notes(report), _summary(report), _directions(report)]
    body += [_gallery(report.outcomes), _plots(report)]
    body += [_files(report), _slices(report), _seeds(report), _glossary(report), _provenance(report)]
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(report.suite)} · Troupe</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE.read_text()}</style></head>\n<body><main>\n"
        + "\n".join(filter(None, body))
        + "\n</main></body></html>\n"
    )


def _header(report: Report) -> str:
    git = report.provenance["git"]
    revision = "no revision" if git is None else git["revision"][:10] + (" + changes" if git["dirty"] else "")
    facts = {
        "Configurations": f"{len(report.outcomes)} of {report.planned}"
        if report.planned
        else str(len(report.outcomes)),
        "Time": f"{report.seconds / 60:.1f} min" if report.seconds >= 60 else f"{report.seconds:.1f} s",
        "Started": report.provenance["started"],
        "Revision": revision,
        **{
            name.replace("_", " ").capitalize(): path.rsplit(".", 1)[-1]
            for name, path in report.judges.items()
        },
    }
    shown_facts = "".join(f"<span>{escape(k)} <b>{escape(v)}</b></span>" for k, v in facts.items())
    return (
        f'<header><h1>{escape(report.suite)}<span class="pill {report.status}">{report.status}</span></h1>'
        f'<p class="soft">{escape(report.description)}</p><div class="facts">{shown_facts}</div></header>'
    )


def _notes(report: Report) -> str:
    notes = [f'<div class="note">{escape(note)}</div>' for note in report.notes]
    for failure in report.failures:
        title = escape(f"{failure['method']} {failure['setting']}")
        notes.append(
            f'<div class="error"><b>{title}</b> failed: {escape(failure["error"])}'
            f"<details><summary>Trace</summary><pre>{escape(failure['trace'])}</pre></details></div>"
        )
    return "".join(notes)


def _summary(report: Report) -> str:
    if not report.outcomes:
        return "<h2>Summary</h2><p>No configuration is finished yet.</p>"
    metrics = ordered(report.metrics())
    heads = [figure(m).label + _ARROW[figure(m).better] for m in metrics]
    top = {m: best(report, m) for m in metrics}
    rows = [
        (_title(o), [_cell(o.row(m), m, None if o.ceiling else top[m], beside(o, m)) for m in metrics])
        for o in report.outcomes
    ]
    if any(o.expectations() for o in report.outcomes):
        heads.append("Expected")
        for outcome, (_, cells) in zip(report.outcomes, rows, strict=True):
            cells.append(f"<td>{_badges(Badge(r.verdict, r.met) for r in outcome.expectations())}</td>")
    said = f"{report.summed_up[:1].upper()}{report.summed_up[1:]}."
    if any(value is not None for value in top.values()):
        said += " The best value of a column, ceilings apart, is in colour."
    return f'<h2>Summary</h2><p class="soft">{escape(said)}</p>' + _table(["Configuration", *heads], rows)


def _directions(report: Report) -> str:
    """Each step of an ablation beside the paper's."""
    found = directions(report)
    if not found:
        return ""
    css = {AGREES: True, OPPOSED: False, UNDECIDED: None}
    rows = []
    for step in found:
        spread = "" if step.spread is None else f"<small>± {shown(step.spread, step.metric)} seeds</small>"
        title = f"{escape(figure(step.metric).label)}<small>{escape(step.start)} → {escape(step.end)}</small>"
        cells = [
            f"<td>{signed(step.reported, step.metric)}</td>",
            f"<td>{signed(step.measured, step.metric)}{spread}</td>",
            f"<td>{_badges([Badge(step.verdict, css[step.verdict])])}</td>",
        ]
        rows.append((title, cells))
    taus = {m: rank_agreement(report, m) for m in dict.fromkeys(step.metric for step in found)}
    order = ", ".join(f"{figure(m).label} {tau:+.2f}" for m, tau in taus.items() if tau is not None)
    said = "Changes from one row to the next; a change below the spread over seeds decides nothing."
    said += f" Order of all rows against the paper's, Kendall's tau: {order}." if order else ""
    return f'<h2>Direction against the paper</h2><p class="soft">{escape(said)}</p>' + _table(
        ["Step", "Paper", "Here", "Verdict"], rows
    )


def _table(heads: Sequence[str], rows: Iterable[tuple[str, list[str]]]) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join(f"<tr><th>{title}</th>{''.join(cells)}</tr>" for title, cells in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _title(outcome: Outcome) -> str:
    small = [text for text in (outcome.setting, "ceiling" if outcome.ceiling else "") if text]
    return escape(outcome.method) + "".join(f"<small>{escape(text)}</small>" for text in small)


def _cell(row: Row | None, metric: str, top: float | None = None, under: Sequence[str] = ()) -> str:
    if row is None or row.value is None:
        return f'<td class="soft">{escape((row and row.absent) or "–")}</td>'
    interval = "" if row.low is None else f"<small>{shown(row.low, metric)}–{shown(row.high, metric)}</small>"
    interval += "".join(f"<small>{escape(line)}</small>" for line in under)
    mark = ' class="best"' if row.value == top else ""
    return f'<td{mark} title="n = {row.n}">{shown(row.value, metric)}{interval}</td>'


def _gallery(outcomes: Sequence[Outcome]) -> str:
    pictured = [o for o in outcomes if o.samples]
    if not pictured:
        return ""
    scenes = {s.scene: s for o in pictured for s in o.samples}
    if len(pictured) == 1:
        cards = "".join(_card(sample) for sample in pictured[0].samples)
        return f'<h2>Samples</h2><div class="cards">{cards}</div>'
    head = "<th>Scene</th>" + "".join(f"<th>{_title(o)}</th>" for o in pictured)
    found = [{s.scene: s for s in o.samples} for o in pictured]
    body = "".join(
        f'<tr><td class="prompt">{_prompt(scene)}</td>'
        + "".join(_shot(column.get(name)) for column in found)
        + "</tr>"
        for name, scene in scenes.items()
    )
    return (
        '<h2>Samples</h2><p class="soft">One scene per row with its prompt and reference faces; the same sampling seed '
        "throughout. Badges: faces found / asked for, mean identity similarity.</p>"
        f'<div class="scroll gallery"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _card(sample: Sample) -> str:
    picture = _img(sample.image, sample.prompt)
    return f"<figure>{picture}{_badges(sample.badges)}<figcaption>{_prompt(sample)}</figcaption></figure>"


def _prompt(sample: Sample) -> str:
    faces = "".join(_img(face, "reference face") for face in sample.references)
    return escape(sample.prompt or sample.scene) + (f'<div class="refs">{faces}</div>' if faces else "")


def _shot(sample: Sample | None) -> str:
    if sample is None:
        return "<td></td>"
    strip = "".join(_img(picture, "what led to it") for picture in sample.beside)
    beside = f'<div class="refs">{strip}</div>' if strip else ""
    return f"<td>{_img(sample.image, sample.prompt, 'shot')}{beside}{_badges(sample.badges)}</td>"


def _img(content: bytes, text: str, css: str = "") -> str:
    data = base64.b64encode(content).decode()
    return f'<img class="{css}" alt="{escape(text)}" src="data:{media_type(content)};base64,{data}">'


def _badges(badges: Iterable[Badge]) -> str:
    css = {True: " good", False: " bad", None: ""}
    inside = "".join(f'<span class="badge{css[badge.good]}">{escape(badge.text)}</span>' for badge in badges)
    return f'<div class="badges">{inside}</div>' if inside else ""


def _plots(report: Report) -> str:
    if report.status == "running":
        return "<h2>Plots</h2><p>Drawn when the suite ends or is interrupted.</p>"
    figures = plots(report)
    if not figures:
        return ""
    return "<h2>Plots</h2>" + "".join(
        f'<figure class="plot"><figcaption>{escape(caption)}</figcaption>{svg}</figure>'
        for caption, svg in figures
    )


def _files(report: Report) -> str:
    """Files that were not scored, with the reason, and files that had to be converted."""
    parts = []
    for title, entries, is_open in (
        ("left out", report.excluded, " open"),
        ("converted", report.converted, ""),
    ):
        rows = [
            (escape(e["file"]), [f'<td class="words">{escape(v)}</td>' for v in list(e.values())[1:]])
            for e in entries
        ]
        if rows:
            heads = [key.capitalize() for key in entries[0]]
            summary = f"{len(rows)} file{'s' * (len(rows) > 1)} {title}"
            parts.append(f"<details{is_open}><summary>{summary}</summary>{_table(heads, rows)}</details>")
    return "<h2>Files</h2>" + "".join(parts) if parts else ""


def _slices(report: Report) -> str:
    """One table per metric: configurations by slices."""
    parts = report.slices()
    if not parts:
        return ""
    tables = []
    for metric in ordered(report.metrics(), summary=False):
        rows = [
            (
                _title(o),
                [
                    _cell(o.row(metric, part), metric, None, beside(o, metric, part))
                    for part in ["all", *parts]
                ],
            )
            for o in report.outcomes
        ]
        if any(o.row(metric, part) for o in report.outcomes for part in parts):
            heads = ["Configuration", "all", *(part.replace("=", " ") for part in parts)]
            tables.append(
                f"<details><summary>{escape(figure(metric).label)}</summary>{_table(heads, rows)}</details>"
            )
    return "<h2>By part</h2>" + "".join(tables)


def _seeds(report: Report) -> str:
    """Each sampling seed alone, so the spread between seeds can be seen."""
    metrics = ordered(report.metrics())
    rows = []
    for outcome in report.outcomes:
        seeds = dict.fromkeys(row.seed for row in outcome.rows if row.seed is not None)
        for seed in seeds if len(seeds) > 1 else []:
            cells = [_cell(outcome.row(m, seed=seed), m) for m in metrics]
            rows.append((f"{_title(outcome)}<small>seed {seed}</small>", cells))
    if not rows:
        return ""
    table = _table(["Configuration", *(figure(m).label for m in metrics)], rows)
    return f"<h2>By sampling seed</h2><details><summary>{len(rows)} rows</summary>{table}</details>"


def _glossary(report: Report) -> str:
    entries = [(figure(m).label, figure(m).meaning) for m in ordered(report.metrics(), summary=False)]
    inside = "".join(
        f"<dt>{escape(label)}</dt><dd>{escape(meaning)}</dd>" for label, meaning in entries if meaning
    )
    return f"<h2>What the figures mean</h2><dl>{inside}</dl>" if inside else ""


def _provenance(report: Report) -> str:
    facts = {k: v for k, v in report.provenance.items() if k != "config"} | {"judges": report.judges}
    suite = OmegaConf.to_yaml(OmegaConf.create(report.provenance["config"]))
    parts = {"Versions and machine": json.dumps(facts, indent=1, default=str), "Suite": suite}
    return "<h2>Where this came from</h2>" + "".join(
        f"<details><summary>{title}</summary><pre>{escape(text)}</pre></details>"
        for title, text in parts.items()
    )
