"""``python -m benchmarks.run``: the main job. Runs a suite, scores or times it, and leaves a report.

Everything heavy is imported after the arguments, the suite file and its overrides have been checked, so ``--help``
and a typo answer within a second.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.suite import Suite, SuiteError
from benchmarks.suite_file import available_suites, load_suite
from benchmarks.sweep import configurations

INTERRUPTED = 130  # the shell's exit status for Ctrl-C

EPILOG = """\
examples
  python -m benchmarks.run                                    the tiny suite, into runs/tiny
  python -m benchmarks.run --limit 8 scenes.counts=[2,3]      fewer scenes, only two and three people
  python -m benchmarks.run methods.base.grid.steps=[4]        another grid
  python -m benchmarks.run --suite my_suite.yaml              a suite of your own
  python -m benchmarks.run --suite score --images out/ --prompts prompts.jsonl
                                                              score a folder of images from any model
  python -m benchmarks.run --suite multi_human options.data=MHTB/metadata.json --images out/
                                                              MultiHuman-Testbench; also multi_id (docs/benchmarks.md)
  python -m benchmarks.run --suite speed repeats=15           ratios of cost, measured side by side
  mlflow ui --backend-store-uri sqlite:///runs/tiny/mlflow.db compare runs
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.run",
        description="Generate or read images and score them, or time ways of doing the same; write report.html, "
        "report.json and MLflow runs.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--suite",
        action="append",
        metavar="NAME|FILE.yaml",
        help="which suite (default: tiny); several are run in turn when the option is repeated",
    )
    made.add_argument("--limit", type=int, metavar="N", help="at most N scenes or image files")
    made.add_argument("--output", type=Path, metavar="DIR", help="where results go (default: runs/<suite>)")
    made.add_argument(
        "--images", metavar="DIR", help="folder of images (suites that score what any model has drawn)"
    )
    made.add_argument(
        "--prompts", metavar="FILE", help="JSONL or CSV with columns file, prompt, people, method"
    )
    made.add_argument("--list", action="store_true", help="list the packaged suites and stop")
    made.add_argument("overrides", nargs="*", metavar="key.path=value", help="change any key of the suite")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run the suites, all of which are checked first.

    Returns:
        Exit status: 0 finished, 1 some configuration failed, 2 bad arguments, 130 interrupted.
    """
    arguments = parser().parse_intermixed_args(argv)
    if arguments.list:
        for name, description in available_suites().items():
            sys.stdout.write(f"{name:12} {description}\n")
        return 0
    try:
        names = arguments.suite or ["tiny"]
        loaded = [_checked(name, _overrides(arguments)) for name in names]
        status = 0
        for suite, config in loaded:
            output = arguments.output or Path("runs") / suite.name
            if arguments.output and len(loaded) > 1:
                output /= suite.name
            status = max(status, _run(suite, config, output))
            if status == INTERRUPTED:
                break
        return status
    except SuiteError as error:
        sys.stderr.write(f"benchmarks.run: error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted before anything was finished.\n")
        return INTERRUPTED


def _checked(name: str, overrides: list[str]) -> tuple[Suite, dict[str, Any]]:
    """A suite that can be run."""
    suite, config = load_suite(name, overrides)
    configurations(suite)
    if suite.kind == "score" and suite.images.folder is None:
        raise SuiteError("a suite of kind 'score' needs --images DIR")
    return suite, config


def _overrides(arguments: argparse.Namespace) -> list[str]:
    """Flags are spellings of overrides, and come first, so an explicit override wins."""
    flags = {"limit": arguments.limit, "images.folder": arguments.images, "images.prompts": arguments.prompts}
    return [
        f"{key}={_quoted(value)}" for key, value in flags.items() if value is not None
    ] + arguments.overrides


def _quoted(value: str | int) -> str:
    """YAML single quotes keep a file name with a colon, a comma or a leading dash one string."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def _run(suite: Suite, config: dict[str, Any], output: Path) -> int:
    sys.stderr.write(f"Suite {suite.name!r}: loading …\n")
    from benchmarks.recorder import Recorder

    recorder = Recorder(suite, config, output)
    try:
        with recorder:
            from benchmarks.jobs import job_for

            job = job_for(suite)
            recorder.track()
            job.run(suite, recorder)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 1 if recorder.report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
