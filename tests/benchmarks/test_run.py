"""The command: fast to answer, exact in its exit status, safe to interrupt."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import pytest

from benchmarks import run
from benchmarks.tracking import tracking_uri

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}", "OMP_NUM_THREADS": "1"}
HEAVY = (
    "torch",
    "lightning",
    "mlflow",
    "matplotlib",
    "diffusers",
    "transformers",
    "pandas",
    "scipy",
    "numpy",
)


def python(code):
    return subprocess.run(
        [sys.executable, "-c", code],
        env=ENVIRONMENT,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--list"], ["--suite", "tyni"], ["scenes.sise=3"]])
def test_answers_without_anything_heavy(arguments):
    code = f"""
import json, sys
from benchmarks.run import main
try:
    status = main({arguments!r})
except SystemExit as stop:
    status = stop.code
print(json.dumps([status, [m for m in {HEAVY!r} if m in sys.modules]]))
"""
    done = python(code)
    status, loaded = json.loads(done.stdout.splitlines()[-1])
    assert loaded == []
    assert status == (0 if arguments[0] in {"--help", "--list"} else 2)


def test_help_takes_less_than_a_second_of_processor_time():
    code = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "benchmarks.run", "--help"], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)
"""
    assert float(python(code).stdout) < 1.0


def test_list_names_every_suite(capsys):
    assert run.main(["--list"]) == 0
    text = capsys.readouterr().out
    assert "tiny" in text
    assert "score" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--suite", "tyni"], "did you mean 'tiny'"),
        (["methods.bas.grid.steps=[4]"], "did you mean 'base'"),
        (["--limit", "0"], "limit must be at least 1"),
        (["methods.base.grid.steps=4"], "non-empty list"),
    ],
)
def test_mistakes_are_exit_status_2(capsys, arguments, words):
    assert run.main(arguments) == 2
    assert words in capsys.readouterr().err


def test_flags_are_spellings_of_overrides_and_explicit_overrides_win(monkeypatch):
    seen = []
    monkeypatch.setattr(run, "_run", lambda suite, config, output: seen.append((suite, output)) or 0)
    name = "it's, a: folder"
    assert run.main(["--suite", "score", "--images", name, "--limit", "3", "--output", "x/y"]) == 0
    assert run.main(["limit=5", "--limit", "3", "scenes.size=9"]) == 0
    (first, output), (second, default) = seen
    assert (first.images.folder, first.limit, output) == (name, 3, Path("x/y"))
    assert (second.limit, second.scenes.size, default) == (5, 9, Path("runs/tiny"))


def _listen_to_interrupts() -> None:
    """Where the tests themselves run in the background, a shell has told their children to ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c_keeps_what_is_finished(tmp_path):
    """A real suite in a process of its own, interrupted while its second configuration runs."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.run",
        "--suite",
        str(HERE / "blobs.yaml"),
        "--output",
        str(tmp_path),
    ]
    command += ["methods.washed.generator.init_args.pause_s=5"]
    process = subprocess.Popen(
        command,
        env=ENVIRONMENT,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_listen_to_interrupts,
    )
    try:
        _wait_for_first_configuration(tmp_path / "report.json", process)
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, text
    assert "1 of 3 configurations finished" in text
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["status"] == "interrupted"
    assert {r["method"] for r in report["rows"]} == {"renders"}
    page = (tmp_path / "report.html").read_text()
    assert page.rstrip().endswith("</html>")
    assert "interrupted" in page
    assert len((tmp_path / "images.jsonl").read_text().splitlines()) == 12
    mlflow.set_tracking_uri(tracking_uri(tmp_path))
    runs = mlflow.search_runs(experiment_names=["blobs"]).set_index("tags.mlflow.runName")
    assert runs["status"].to_dict() == {"blobs": "KILLED", "renders": "FINISHED"}
    assert not list(tmp_path.glob(".*.part"))


def _wait_for_first_configuration(path, process):
    for _ in range(1200):
        if path.is_file() and json.loads(path.read_text())["rows"]:
            break
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    else:
        pytest.fail("no configuration was finished in two minutes")
    # the second configuration sleeps five seconds per batch: this lands inside it, past the bookkeeping of the first
    time.sleep(2.5)
