"""The summary as a table on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.directions import AGREES, OPPOSED, UNDECIDED, Direction, directions
from benchmarks.figures import figure, ordered, shown, signed
from benchmarks.report import Outcome, Report

_CELL = 16  # columns of "Count error ↓", padding and border


def print_summary(console: Console, report: Report) -> None:
    """One line per configuration: each figure with its interval beneath; wide summaries are split."""
    if not report.outcomes:
        console.print("[yellow]No configuration was finished.[/yellow]")
    metrics = ordered(report.metrics())
    label = min(max((len(o.title) for o in report.outcomes), default=0), console.width // 3)
    per_table = max(1, (console.width - label - 4) // _CELL)
    for first in range(0, len(metrics), per_table):
        console.print(_table(report, metrics[first : first + per_table], label))
    if any(outcome.expectations() for outcome in report.outcomes):
        console.print(_verdicts(report))
    steps = directions(report)
    if steps:
        console.print(_steps(steps))
    for failure in report.failures:
        console.print(
            f"[red]failed[/red]  {failure['method']} {failure['setting']}: {failure['error']}",
            highlight=False,
        )


def best(report: Report, metric: str) -> float | None:
    """The best value of a metric over all but the ceilings; None where there is nothing to choose."""
    rows = [row for o in report.outcomes if not o.ceiling and (row := o.row(metric)) is not None]
    values = [row.value for row in rows if row.value is not None]
    better = figure(metric).better
    if not values or better == 0 or len(values) < 2:
        return None
    return max(values) if better > 0 else min(values)


def _table(report: Report, metrics: list[str], label: int) -> Table:
    table = Table(title=f"{report.suite}: {report.summed_up}", title_justify="left")
    table.add_column("configuration", min_width=label, overflow="fold")
    for metric in metrics:
        arrow = {1: " ↑", -1: " ↓", 0: ""}[figure(metric).better]
        table.add_column(figure(metric).label + arrow, justify="right", no_wrap=True)
    for outcome in report.outcomes:
        cells = [
            _cell(outcome, metric, None if outcome.ceiling else best(report, metric)) for metric in metrics
        ]
        table.add_row(outcome.title, *cells, style="italic" if outcome.ceiling else "")
    return table


def _steps(steps: Sequence[Direction]) -> Table:
    table = Table("figure", "step", title="Direction against the paper", title_justify="left")
    for head in ("paper", "here", "verdict"):
        table.add_column(head, justify="right")
    style = {AGREES: "green", OPPOSED: "red", UNDECIDED: "dim"}
    for step in steps:
        moved = [signed(value, step.metric) for value in (step.reported, step.measured)]
        name, path = figure(step.metric).label, f"{step.start} → {step.end}"
        table.add_row(name, path, *moved, Text(step.verdict, style=style[step.verdict]))
    return table


def _cell(outcome: Outcome, metric: str, top: float | None) -> Text:
    row = outcome.row(metric)
    if row is None or row.value is None:
        return Text((row and row.absent) or "–", style="dim")
    cell = Text(shown(row.value, metric), style="bold" if row.value == top else "")
    if row.low is not None:
        cell.append(f"\n{shown(row.low, metric)}–{shown(row.high, metric)}", style="dim")
    for line in beside(outcome, metric):
        cell.append(f"\n{line}", style="dim")
    return cell


def beside(outcome: Outcome, metric: str, part: str = "all") -> list[str]:
    """What stands under a figure: its spread over seeds, and what the method's paper reports."""
    spread, paper = outcome.spread(metric, part), outcome.reported(metric, part)
    return [
        *([] if spread is None else [f"± {shown(spread, metric)} seeds"]),
        *([] if paper is None else [f"paper {shown(paper, metric)}"]),
    ]


def _verdicts(report: Report) -> Table:
    table = Table("configuration", "expected", title="What was expected", title_justify="left")
    for outcome in report.outcomes:
        for row in outcome.expectations():
            table.add_row(outcome.title, Text(row.verdict, style="green" if row.met else "red"))
    return table
