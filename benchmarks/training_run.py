"""Trainings of configurations: runs of ``lightning_modules.cli fit`` in folders of their own, found again when done.

A folder is named by everything that decides the result (``benchmarks.training_digest``). A run that was interrupted
begins anew.
"""

import copy
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import yaml

from benchmarks.training_digest import digest
from benchmarks.training_log import SECONDS_FILE, last_words
from lightning_modules.cli import configuration
from lightning_modules.configured import CONFIGS

CPU = "trainer/cpu.yaml"
WRITTEN = "config.yaml"
EXPORT = "callbacks.lora_export.LoRAExport"
REPOSITORY = CONFIGS.parent
_LOOK_S = 2.0  # between two looks at a training that runs
_PATIENCE_S = 30.0  # for a training that is asked to stop


class TrainingFailed(RuntimeError):  # noqa: N818 - named for what happened, as in reports
    """A training did not finish; the message ends with the last lines of its log."""


class TrainingRun:
    """What is trained, seed by seed.

    Args:
        config: the training configuration, below ``configs/`` or a path.
        changes: further ``key=value`` arguments of the command line.
        without: class paths of callbacks of the configuration that are left out.
        hardware: trainer configuration, below ``configs/`` or a path.
        folder: where trainings are kept.
        seed_keys: arguments that take the seed.
        shared: arguments that name a folder which all trainings share, and its path; they decide no result, and are
            given to configurations that have them.
        indifferent: arguments that the result of a training does not depend on: they are no part of its name.
    """

    def __init__(
        self,
        config: Path,
        changes: Sequence[str],
        without: Sequence[str],
        hardware: str,
        folder: str,
        seed_keys: Sequence[str],
        shared: Mapping[str, str] | None = None,
        indifferent: Sequence[str] = (),
    ) -> None:
        self.indifferent = indifferent
        self.shared = {key: Path(path).resolve() for key, path in (shared or {}).items()}
        self.config, self.changes, self.without = config, list(changes), list(without)
        self.hardware, self.folder, self.seed_keys = found(hardware, "hardware"), Path(folder), seed_keys

    def finished(
        self, seed: int, result: Callable[[dict[str, Any]], str], tell: Callable[[str], None]
    ) -> tuple[Path, Path]:
        """Train with a seed, unless that has been done.

        Args:
            seed: of everything that is random in the training.
            result: from the whole configuration to the file that is left of the training.
            tell: is told how far it is, in a few words, every few seconds.

        Returns:
            The run's folder, and the file.

        Raises:
            TrainingFailed: if the training ends with an error.
            ValueError: as :meth:`written`.
        """
        written = self.written(seed)
        run = self.folder / f"{self.config.stem}-{self.digest(written)}"
        trained = run / result(written)
        if not trained.is_file() or not (run / SECONDS_FILE).is_file():
            # the command line cannot cut a list of callbacks; a file can
            arguments = ["-c", WRITTEN] if self.without else self._arguments(seed)
            shared = [f"{key}={path}" for key, path in self.shared.items() if _holder(written, key)]
            _fit(run, [*arguments, *shared], written, tell)
            if not trained.is_file():
                raise TrainingFailed(f"training in {run} wrote no {trained.name}")
        return run, trained

    def digest(self, written: dict[str, Any]) -> str:
        """The name of a training, by its whole configuration (:meth:`written`)."""
        deciding = copy.deepcopy(written)
        for key in self.indifferent:
            if (holder := _holder(deciding, key)) is not None:
                del holder[key.split(".")[-1]]
        return digest(deciding)

    def written(self, seed: int) -> dict[str, Any]:
        """The whole configuration of a training.

        Raises:
            ValueError: if it does not accept the changes, or lacks a callback to be left out.
        """
        written = configuration(self._arguments(seed))
        callbacks = written["trainer"]["callbacks"] or []
        present = {callback["class_path"] for callback in callbacks}
        if absent := sorted(set(self.without) - present):
            raise ValueError(
                f"without: {self.config.name} has no callback {absent[0]}; has {sorted(present)}"
            )
        written["trainer"]["callbacks"] = [c for c in callbacks if c["class_path"] not in self.without]
        return {key: value for key, value in written.items() if value is not None}

    def _arguments(self, seed: int) -> list[str]:
        """Those of the command line that trains with a seed."""
        return arguments(
            self.hardware, self.config, [*self.changes, *(f"{k}={seed}" for k in self.seed_keys)]
        )


def found(name: str, key: str = "config") -> Path:
    """A file below ``configs/``, or a path.

    Raises:
        ValueError: if it is neither.
    """
    path = CONFIGS / name if (CONFIGS / name).is_file() else Path(name)
    if not path.is_file():
        raise ValueError(f"{key}: {name} is neither below configs/ nor a file")
    return path.resolve()


def exported_lora(written: dict[str, Any]) -> str:
    """The LoRA set that a training writes last.

    Raises:
        ValueError: if it writes none.
    """
    callbacks = written["trainer"]["callbacks"] or []
    paths = [str(c["init_args"]["path"]) for c in callbacks if c["class_path"] == EXPORT]
    if not paths:
        raise ValueError(f"config: there is no callback {EXPORT}, so nothing would be left of a training")
    return paths[-1]


def arguments(hardware: Path, config: Path, changes: Sequence[str]) -> list[str]:
    """Those of a command line that trains."""
    return ["-c", str(hardware), "-c", str(config), *changes]


def _holder(written: dict[str, Any], key: str) -> dict[str, Any] | None:
    """The part of a configuration that holds an argument, given as ``a.b.c``; None where it has none."""
    holder: Any = written
    *path, last = key.split(".")
    for part in path:
        holder = holder.get(part) if isinstance(holder, dict) else None
    return holder if isinstance(holder, dict) and last in holder else None


def _fit(run: Path, arguments: list[str], written: dict[str, Any], tell: Callable[[str], None]) -> None:
    """Started in the run's own folder, so that all relative paths of the configuration lie in it."""
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    (run / WRITTEN).write_text(yaml.safe_dump(written, sort_keys=False))
    command = [sys.executable, "-m", "lightning_modules.cli", "fit", *arguments]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
    began = time.perf_counter()
    with (run / "log.txt").open("w") as log, _started(command, run, found, log) as process:
        while True:
            try:
                status = process.wait(_LOOK_S)
                break
            except subprocess.TimeoutExpired:
                tell(last_words(run, written["trainer"]))
    if status:
        tail = "\n".join((run / "log.txt").read_text().splitlines()[-15:])
        raise TrainingFailed(f"training in {run} ended with code {status}:\n{tail}")
    (run / SECONDS_FILE).write_text(f"{time.perf_counter() - began:.0f}\n")


@contextmanager
def _started(
    command: list[str], folder: Path, environment: dict[str, str], log: IO[str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process with all it starts itself, which does not outlive the block."""
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
