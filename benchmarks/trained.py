"""Methods made of a training configuration: as they start, and trained by the benchmark once per seed.

What ablations compare. A training is a run of ``lightning_modules.cli fit`` in a folder of its own, named by everything
that decides its result. One that is finished is found again, by any suite; one that was interrupted begins anew.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import yaml
from jaxtyping import Float
from torch import Tensor

from benchmarks.training_log import SECONDS_FILE, Training, last_words, read_curves, read_training
from datamodules.schema.scene import SceneBatch
from lightning_modules.ar2can.artist import GRPOArtistModule
from lightning_modules.ar2can.generate import CONFIGS, artist
from lightning_modules.backbone.flux_source import SHIPPED
from lightning_modules.cli import configuration

SEED_KEYS = ("seed_everything", "model.init_args.recipe.seed", "data.init_args.seed")
EXPORT = "callbacks.lora_export.LoRAExport"
CPU = "trainer/cpu.yaml"
WRITTEN = "config.yaml"
REPOSITORY = CONFIGS.parent
_LOOK_S = 2.0  # between two looks at a training that runs
_PATIENCE_S = 30.0  # for a training that is asked to stop


class TrainingFailed(RuntimeError):  # noqa: N818 - named for what happened, as in reports
    """A training did not finish; the message ends with the last lines of its log."""


class ConfiguredArtist:
    """The Artist of a training configuration: as it starts, or with a LoRA set trained before.

    Args:
        config: the training configuration, below ``configs/`` or a path.
        changes: further ``key=value`` arguments of the command line.
        common: the same, put before ``changes``: what several methods of a suite share (``${options.common}``).
        lora: name of a shipped LoRA set, or a file; none draws as the configuration starts.
        name: shown in logs.
    """

    def __init__(
        self,
        config: str = "ar2can/artist_tiny.yaml",
        changes: Sequence[str] = (),
        common: Sequence[str] = (),
        lora: str | None = None,
        name: str = "artist",
    ) -> None:
        self.config, self.changes = _found(config), [*common, *changes]
        self.lora, self.name = lora, name
        self.module: GRPOArtistModule | None = None

    def check(self) -> None:
        """Read the configuration; nothing is built.

        Raises:
            ValueError: if it does not accept the changes.
        """
        configuration(_arguments(_found(CPU), self.config, self.changes))

    def generate(self, batch: SceneBatch, *, seed: int) -> Float[Tensor, "b 3 h w"]:
        """One image per scene, with the steps the configuration validates with."""
        if self.module is None:
            self.module = artist(self.config, self.lora, self.changes)
        return self.module.draw(batch, seed)


class TrainedArtist(ConfiguredArtist):
    """An Artist, trained by a configuration with some changes before it draws.

    Args:
        config: as above; one of its callbacks is a ``LoRAExport``.
        changes: as above.
        common: as above.
        without: class paths of callbacks of the configuration that are left out.
        hardware: trainer configuration, below ``configs/`` or a path.
        folder: where trainings are kept.
        name: shown in logs.
    """

    def __init__(
        self,
        config: str = "ar2can/artist_tiny.yaml",
        changes: Sequence[str] = (),
        common: Sequence[str] = (),
        without: Sequence[str] = (),
        hardware: str = CPU,
        folder: str = "runs/trained",
        name: str = "trained",
    ) -> None:
        super().__init__(config, changes, common, name=name)
        self.hardware, self.without, self.folder = _found(hardware, "hardware"), list(without), Path(folder)
        self.training = Training()
        self._seed: int | None = None

    def check(self) -> None:
        """Read the configuration of a training; nothing is built.

        Raises:
            ValueError: if it does not accept the changes, lacks a callback to be left out, or exports no LoRA set.
        """
        _export_path(self._written(0))

    def train(self, seed: int, tell: Callable[[str], None] = lambda _: None) -> Path:
        """Train with a seed, unless that has been done; what is drawn next is drawn by the result.

        Args:
            seed: of everything that is random in the training.
            tell: is told how far it is, in a few words, every few seconds.

        Returns:
            The trained LoRA set.

        Raises:
            TrainingFailed: if the training ends with an error.
            ValueError: as :meth:`check`.
        """
        if self._seed == seed:
            return Path(str(self.lora))
        written = self._written(seed)
        run = self.folder / f"{self.config.stem}-{_digest(written)}"
        trained = run / _export_path(written)
        if not trained.is_file():
            # the command line cannot cut a list of callbacks; a file can
            arguments = ["-c", WRITTEN] if self.without else self._arguments(seed)
            _fit(run, arguments, written, tell)
            if not trained.is_file():
                raise TrainingFailed(f"training in {run} wrote no {trained.name}")
        self.module, self.lora = artist(self.config, trained, self.changes), str(trained)
        self.training, self._seed = read_training(run), seed
        return trained

    def generate(self, batch: SceneBatch, *, seed: int) -> Float[Tensor, "b 3 h w"]:
        """One image per scene, with the steps the configuration validates with.

        Raises:
            RuntimeError: before :meth:`train`.
        """
        if self._seed is None:
            raise RuntimeError("TrainedArtist.generate: call train(seed) first")
        return super().generate(batch, seed=seed)

    def _arguments(self, seed: int) -> list[str]:
        """Those of the command line that trains with a seed."""
        seeds = [f"{key}={seed}" for key in SEED_KEYS]
        return _arguments(self.hardware, self.config, [*self.changes, *seeds])

    def _written(self, seed: int) -> dict[str, Any]:
        """The whole configuration of a training."""
        written = configuration(self._arguments(seed))
        callbacks = written["trainer"]["callbacks"] or []
        present = {callback["class_path"] for callback in callbacks}
        if absent := sorted(set(self.without) - present):
            raise ValueError(
                f"without: {self.config.name} has no callback {absent[0]}; has {sorted(present)}"
            )
        written["trainer"]["callbacks"] = [c for c in callbacks if c["class_path"] not in self.without]
        return {key: value for key, value in written.items() if value is not None}


def _found(name: str, key: str = "config") -> Path:
    path = CONFIGS / name if (CONFIGS / name).is_file() else Path(name)
    if not path.is_file():
        raise ValueError(f"{key}: {name} is neither below configs/ nor a file")
    return path.resolve()


def _arguments(hardware: Path, config: Path, changes: Sequence[str]) -> list[str]:
    return ["-c", str(hardware), "-c", str(config), *changes]


def _export_path(written: dict[str, Any]) -> str:
    for callback in written["trainer"]["callbacks"] or []:
        if callback["class_path"] == EXPORT:
            return str(callback["init_args"]["path"])
    raise ValueError(f"config: there is no callback {EXPORT}, so nothing would be left of a training")


def _digest(written: dict[str, Any]) -> str:
    """Of everything that decides a result: the configuration, seeds included, and the shipped models it works with."""
    source = written["model"]["init_args"]["backbone"]["init_args"]["source"]
    folders = (SHIPPED / str(source), SHIPPED / "codec", *(REPOSITORY / "rewards").glob("*/weights"))
    cards = [card.read_text() for folder in folders for card in sorted(folder.glob("*.json"))]
    content = json.dumps([written, sorted(cards)], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


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
                tell(last_words(read_curves(run), written["trainer"]["max_epochs"]))
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
