"""What happens while a suite runs: progress on screen, and every finished configuration made safe at once.

After each configuration ``report.json``, ``report.html`` and ``images.jsonl`` are replaced as whole files and an
MLflow run is closed, so an interruption at any moment costs the configuration under way and nothing else.
"""

import json
import signal
import threading
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from benchmarks.page import write_page
from benchmarks.pictures import contact_sheet
from benchmarks.report import Outcome, Report, Status, write_json
from benchmarks.suite import Suite, SuiteError
from benchmarks.table import print_summary
from benchmarks.tracking import Tracker
from callbacks.provenance import collect_provenance
from datamodules.whole_files import write_whole

LOG_WIDTH = 160  # a log file has no width of its own
LOG_PAUSE_S = 30.0  # between lines of a log that say how far something is


class Recorder:
    """Keeps the books of one run of a suite; a context manager around the job.

    Args:
        suite: what is run.
        config: the same as a plain dictionary, for the report and MLflow.
        output: folder of all results, created if missing.
    """

    def __init__(self, suite: Suite, config: dict[str, Any], output: Path) -> None:
        self.suite, self.config, self.output = suite, config, output
        output.mkdir(parents=True, exist_ok=True)
        judges = {name: c.class_path for name, c in suite.scorers.items() if c is not None}
        if suite.analyzer is not None:
            judges = {"analyzer": suite.analyzer.class_path, **judges}
        self.report = Report(suite.name, suite.description, collect_provenance(config), judges)
        self.console = Console()
        if not self.console.is_terminal:
            self.console.width = LOG_WIDTH
        self.progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
        )
        self._started = time.monotonic()
        self._task = self.progress.add_task("Preparing", total=None)
        self._tracker: Tracker | None = None
        self._told = (-LOG_PAUSE_S, "")  # when something was said last, and what

    @property
    def page(self) -> Path:
        """The report for people."""
        return self.output / "report.html"

    @property
    def rows_file(self) -> Path:
        """The report for programs."""
        return self.output / "report.json"

    @property
    def images_file(self) -> Path:
        """One line per image."""
        return self.output / "images.jsonl"

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def track(self) -> None:
        """Open the MLflow run; separate from entering, because a new database takes seconds to create."""
        self._tracker = Tracker(self.output, self.suite.name, self.report.provenance)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish("failed" if self.report.failures else "finished")
        elif issubclass(kind, KeyboardInterrupt):
            self._finish("interrupted")
        else:
            self.report.notes.append(f"Stopped by an error: {error}")
            self._finish("failed")

    def plan(self, configurations: int, steps: int) -> None:
        """Say how much work there is: configurations, and steps of the progress bar."""
        self.report.planned = configurations
        self.progress.update(self._task, total=steps)

    def step(self, description: str, steps: int = 1) -> None:
        """Some steps are done; ``description`` says what is being worked on."""
        self.progress.update(self._task, description=description, advance=steps)

    def tell(self, text: str) -> None:
        """What is being worked on, beside the progress bar; in a log, which has no bar, a line now and then."""
        self.progress.update(self._task, description=text)
        when, last = self._told
        if not self.console.is_terminal and text != last and time.monotonic() - when > LOG_PAUSE_S:
            self._told = (time.monotonic(), text)
            self.console.print(f"  {text}", highlight=False)

    def note(self, text: str) -> None:
        """A sentence for the top of the report."""
        if text not in self.report.notes:
            self.report.notes.append(text)

    def add(self, outcome: Outcome) -> None:
        """A configuration is finished: write it everywhere."""
        with _uninterrupted():
            self.report.outcomes.append(outcome)
            self._write()
            if outcome.records:
                self._write_records()
            self._log(outcome)
        self.progress.console.print(
            f"  done  {outcome.title}  [dim]{outcome.seconds:.1f} s[/dim]", highlight=False
        )

    def fail(self, method: str, setting: str, error: Exception) -> None:
        """A configuration failed: name it, keep the trace, and let the others run."""
        trace = "".join(traceback.format_exception(error))
        self.report.failures.append(
            {
                "method": method,
                "setting": setting,
                "error": repr(error),
                "trace": trace,
            }
        )
        title = " · ".join(filter(None, (method, setting)))
        self.progress.console.print(f"  [red]failed[/red]  {title}  {error!r}", highlight=False)
        if isinstance(error, SuiteError):
            raise error

    def _write_records(self) -> None:
        """All per-image records of the finished configurations, as one JSON object per line."""
        lines = [json.dumps(r, allow_nan=False) for o in self.report.outcomes for r in o.records]
        write_whole(self.images_file, "".join(f"{line}\n" for line in lines).encode())

    def _log(self, outcome: Outcome) -> None:
        """A full disk or a locked database must not cost figures that are already safe in the report."""
        if self._tracker is None:
            return
        try:
            self._tracker.log(outcome, self.config, contact_sheet(outcome.samples))
        except Exception as error:
            self.note(f"MLflow did not take the run of {outcome.title}: {error}")

    def _write(self) -> None:
        self.report.seconds = time.monotonic() - self._started
        write_json(self.rows_file, self.report.to_dict())
        write_page(self.page, self.report)

    def _finish(self, status: Status) -> None:
        with _uninterrupted(deliver=False):
            self.progress.stop()
            self.report.status = status
            files = []
            if self.report.outcomes or self.report.failures or self.report.excluded:
                self._write()
                files = [self.rows_file, self.page]
            if self._tracker is not None:
                self._tracker.finish(status, files)
            print_summary(self.console, self.report)
            if status == "interrupted":
                done, planned = len(self.report.outcomes), self.report.planned
                self.console.print(
                    f"[yellow]Interrupted[/yellow]: {done} of {planned} configurations finished and kept."
                )
            where = f"Report: {self.page}\nRows:   {self.rows_file}"
            nothing = "There is nothing to report; an earlier report is left as it was."
            self.console.print(where if files else nothing, highlight=False, soft_wrap=True)


class _uninterrupted:  # noqa: N801  (reads as a statement)
    """Holds Ctrl-C back while files are written, and delivers it afterwards unless told not to."""

    def __init__(self, deliver: bool = True) -> None:
        self._deliver = deliver

    def __enter__(self) -> None:
        self._pending = False
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._old = signal.signal(signal.SIGINT, self._hold)

    def __exit__(self, *_: object) -> None:
        if self._main:
            signal.signal(signal.SIGINT, self._old)
            if self._pending and self._deliver:
                raise KeyboardInterrupt

    def _hold(self, *_: object) -> None:
        self._pending = True
