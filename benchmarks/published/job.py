"""The jobs ``multi_human`` and ``multi_id``: a published benchmark, drawn by our generators or by any model, scored.

``images.jsonl`` receives one line per image as it goes; a second run draws and judges only what is missing, has
changed, or was not answered by the judge. Missing images are counted and named, never scored.
"""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

from benchmarks.jobs import check_arguments, locate
from benchmarks.ledger import Ledger, judges_digest
from benchmarks.panel import Panel, tiny_warning
from benchmarks.published.case import Case, digest_of
from benchmarks.published.judging import CaseJudge, judges
from benchmarks.published.multi_human import SIMPLE_ENTRIES, read_metadata
from benchmarks.published.multi_id import read_cases
from benchmarks.published.options import Options, read_options
from benchmarks.published.reporting import report_folder
from benchmarks.published.scoring import Scored, folder_lines
from benchmarks.published.sources import Benchmark, Drawn, Given, Source, built_planner, given_folders
from benchmarks.published.tiny import Built
from benchmarks.recorder import Recorder
from benchmarks.suite import Suite, SuiteError
from benchmarks.sweep import configurations

TWIN = "benchmark"


@dataclass(frozen=True)
class Opened:
    """A benchmark whose files have been read.

    Attributes:
        options: of the suite.
        cases: all, or as many as the suite's ``limit`` says.
        folder: of the benchmark.
        digest: of what all cases ask a generator for.
        built: the twin, where the suite names no benchmark.
    """

    options: Options
    cases: list[Case]
    folder: Path
    digest: str
    built: Built | None


class PublishedJob(ABC):
    """What both benchmarks have in common."""

    title: ClassVar[str]

    @abstractmethod
    def read(self, options: Options, data: Path, simple: int | None) -> list[Case]:
        """The benchmark's cases.

        Raises:
            SuiteError: naming what is wrong with its files.
        """

    def open(self, suite: Suite, twin: Path) -> Opened:
        """Read the benchmark that a suite names.

        Args:
            suite: names it under ``options.data``.
            twin: folder that the twin is written to where it names none.

        Raises:
            SuiteError: naming what is wrong with the options or the files.
        """
        options = read_options(suite)
        built = None
        if options.data is None:
            if options.build is None:
                raise SuiteError("options.data: name the benchmark's files")
            write = locate(options.build.class_path, "options.build")
            check_arguments(write, options.build.init_args, "options.build.init_args", ("out",))
            built = cast(Built, write(twin, **options.build.init_args))
        data = built.data if built else Path(str(options.data))
        simple = options.simple if options.simple is not None or built is None else built.simple
        folder = twin if built else data.parent if data.is_file() else data
        cases = self.read(options, data, simple)
        return Opened(options, cases[: suite.limit], folder, digest_of(cases), built)

    def run(self, suite: Suite, recorder: Recorder) -> None:
        """Every folder of images in turn: the twin's own, what ``--images`` names, or what our methods draw."""
        opened = self.open(suite, recorder.output / TWIN)
        cases = opened.cases
        sources = self._sources(suite, opened, recorder.output)
        judged_by = "; ".join(f"{name}: {made}" for name, made in judges(suite).items())
        for note in (self._says(opened), tiny_warning(suite), f"Judged by {judged_by}."):
            if note:
                recorder.note(note)
        judge = CaseJudge(Panel(suite), suite)
        judge.check(cases[0])
        recorder.plan(len(sources), sum(source.rounds for source in sources) * len(cases))
        with Ledger(recorder.images_file, judges_digest(suite)) as ledger:
            for source in sources:
                try:
                    self._one(source, opened, judge, ledger, suite, recorder)
                except Exception as error:
                    recorder.fail(source.method, source.setting, error)

    def _one(
        self,
        source: Source,
        opened: Opened,
        judge: CaseJudge,
        ledger: Ledger,
        suite: Suite,
        recorder: Recorder,
    ) -> None:
        """Draw and score one source; what was scored before an interruption is reported all the same."""
        began = time.perf_counter()
        scored = Scored()
        try:
            for seed, folder in source.folders(opened.cases, judge.analyzer, recorder):
                folder_lines(opened.cases, folder, source, seed, judge, ledger, scored, recorder)
        finally:
            if scored.lines:
                seconds = time.perf_counter() - began
                report_folder(source, opened.cases, scored, suite, opened.options, recorder, seconds)

    def _sources(self, suite: Suite, opened: Opened, output: Path) -> list[Source]:
        """Whose images are scored."""
        built, cases = opened.built, opened.cases
        ceilings: list[Source] = [Given("renders", built.renders, ceiling=True)] if built else []
        if suite.images.folder is not None:
            return [*ceilings, *given_folders(Path(suite.images.folder), cases)]
        wanted = configurations(suite)
        if not wanted:
            raise SuiteError("no images: give a folder (--images DIR), or a generator under 'methods'")
        planner = built_planner(opened.options)
        where = Benchmark(opened.folder, opened.digest)
        return [*ceilings, *(Drawn(c, planner, where, opened.options, output) for c in wanted)]

    def _says(self, opened: Opened) -> str:
        people = sum(case.people for case in opened.cases)
        size = f"{len(opened.cases)} cases, {people} people"
        if opened.built is None:
            return f"{self.title}: {size}, from {opened.options.data}."
        return (
            f"A twin of {self.title} in the tiny human world ({size}): the same formats and the same code. "
            "Its figures cannot be compared with those of the published benchmark."
        )


class MultiHumanJob(PublishedJob):
    """Runs ``kind: multi_human``: MultiHuman-Testbench."""

    title = "MultiHuman-Testbench"

    def read(self, options: Options, data: Path, simple: int | None) -> list[Case]:
        """The entries of the metadata file."""
        root = None if options.root is None else Path(options.root)
        return read_metadata(data, root, SIMPLE_ENTRIES if simple is None else simple)


class MultiIDJob(PublishedJob):
    """Runs ``kind: multi_id``: MultiID-Bench, called MultiID-Test by Ar2Can."""

    title = "MultiID-Bench"

    def read(self, options: Options, data: Path, simple: int | None) -> list[Case]:
        """The cases of the folder."""
        for key in ("root", "simple"):
            if getattr(options, key) is not None:
                raise SuiteError(f"options.{key}: only MultiHuman-Testbench has one; leave it out")
        return read_cases(data)
