"""Draw a published benchmark's images with one method of its suite, and leave scoring for later.

    python -m benchmarks.published.draw --suite multi_human --out images/ours options.data=MHTB/metadata.json
    python -m benchmarks.run --suite multi_human --images images/ours options.data=MHTB/metadata.json

The folder can be left and taken up again: images that are there are kept. ``python -m benchmarks.run`` without
``--images`` draws and scores at once.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.run import INTERRUPTED
from benchmarks.suite import Suite, SuiteError, nearest
from benchmarks.suite_file import load_suite
from benchmarks.sweep import Configuration, configurations


def main(argv: Sequence[str] | None = None) -> int:
    """Command line.

    Returns:
        Exit status: 0 all images are there, 1 some could not be drawn, 2 bad arguments, 130 interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.published.draw",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--suite", required=True, metavar="NAME|FILE.yaml", help="multi_human, multi_id, …")
    parser.add_argument("--method", help="which method of the suite; may be left out where it has one")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the images")
    parser.add_argument("--limit", type=int, metavar="N", help="at most the first N cases")
    parser.add_argument("overrides", nargs="*", metavar="key.path=value", help="change any key of the suite")
    arguments = parser.parse_intermixed_args(argv)
    limit = [] if arguments.limit is None else [f"limit={arguments.limit}"]
    try:
        suite, _ = load_suite(arguments.suite, [*limit, *arguments.overrides])
        return _draw(suite, _one(configurations(suite), arguments.method), arguments.out)
    except SuiteError as error:
        sys.stderr.write(f"benchmarks.published.draw: error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"\nInterrupted; what is in {arguments.out} is kept, the same command goes on.\n")
        return INTERRUPTED


def _one(wanted: list[Configuration], method: str | None) -> Configuration:
    """The configuration to draw: one method in one setting, with one seed."""
    names = list(dict.fromkeys(c.method for c in wanted))
    if method is not None and method not in names:
        raise SuiteError(f"--method: there is no method {method!r}{nearest(method, names)}")
    chosen = [c for c in wanted if method in {None, c.method}]
    if len(chosen) != 1 or len(chosen[0].seeds) != 1:
        titles = ", ".join(f"{c.title} (seeds {list(c.seeds)})" for c in chosen) or "none"
        raise SuiteError(
            f"a folder holds one method in one setting with one seed; the suite has {titles}: choose by --method, "
            "methods.NAME.settings=[{…}] and seeds=[0]"
        )
    return chosen[0]


def _draw(suite: Suite, configuration: Configuration, out: Path) -> int:
    from rich.console import Console
    from rich.progress import Progress

    from benchmarks.jobs import job_for
    from benchmarks.panel import Panel
    from benchmarks.published.job import TWIN, PublishedJob
    from benchmarks.published.judging import CaseJudge
    from benchmarks.published.sources import Benchmark, Drawn, built_planner

    job = job_for(suite)
    if not isinstance(job, PublishedJob):
        raise SuiteError(
            f"suite {suite.name!r} is of kind {suite.kind!r}; only published benchmarks are drawn"
        )
    opened = job.open(suite, Path("runs") / suite.name / TWIN)
    judge = CaseJudge(Panel(suite), suite)
    judge.check(opened.cases[0])
    planner = built_planner(opened.options)
    benchmark = Benchmark(opened.folder, opened.digest)
    source = Drawn(configuration, planner, benchmark, opened.options, out)
    console = Console()
    with Progress(console=console) as progress:
        task = progress.add_task(configuration.title, total=len(opened.cases))
        done = source.draw(
            opened.cases,
            out,
            configuration.seeds[0],
            judge.analyzer,
            lambda: progress.advance(task),
            lambda words: progress.update(task, description=words),
        )
    for key, reason in done.undrawn.items():
        console.print(f"[yellow]not drawn[/yellow]  {key}: {reason}", highlight=False)
    console.print(f"{out}: {done}", highlight=False)
    return 1 if done.undrawn else 0


if __name__ == "__main__":
    sys.exit(main())
