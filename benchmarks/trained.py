"""Methods that a benchmark trains itself, once per seed: what ablations compare.

A training is a run of ``lightning_modules.cli fit`` in a folder of its own, named by everything that decides its
result. One that is finished is found again; one that was interrupted begins anew.
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxtyping import Float
from omegaconf import OmegaConf
from torch import Tensor

from datamodules.schema.scene import SceneBatch
from lightning_modules.ar2can.artist import GRPOArtistModule
from lightning_modules.ar2can.generate import artist
from lightning_modules.backbone.flux_source import SHIPPED

CONFIGS = Path(__file__).parents[1] / "configs"
SEED_KEYS = ("seed_everything", "model.init_args.recipe.seed", "data.init_args.seed")
EXPORT = "callbacks.lora_export.LoRAExport"


class TrainingFailed(RuntimeError):  # noqa: N818 - named for what happened, as in reports
    """A training did not finish; the message ends with the last lines of its log."""


class TrainedArtist:
    """An Artist, trained by a configuration with some changes before it draws.

    Args:
        config: the training configuration, below ``configs/`` or a path; one of its callbacks is a ``LoRAExport``.
        changes: further ``key=value`` arguments of the command line.
        hardware: trainer configuration, likewise.
        folder: where trainings are kept.
        name: shown in logs.

    Raises:
        ValueError: if the configuration exports no LoRA set.
    """

    def __init__(
        self,
        config: str = "ar2can/artist_tiny.yaml",
        changes: Sequence[str] = (),
        hardware: str = "trainer/cpu.yaml",
        folder: str = "runs/trained",
        name: str = "trained",
    ) -> None:
        self.config, self.hardware = _found(config), _found(hardware)
        self.changes, self.folder, self.name = list(changes), Path(folder), name
        self.export = _export_path(self.config)
        self.module: GRPOArtistModule | None = None

    def train(self, seed: int) -> Path:
        """Train with a seed, unless that has been done; what is drawn next is drawn by the result.

        Returns:
            The trained LoRA set.

        Raises:
            TrainingFailed: if the training ends with an error.
        """
        run = self.folder / f"{self.config.stem}-{self._digest(seed)}"
        trained = run / self.export
        if not trained.is_file():
            run.mkdir(parents=True, exist_ok=True)
            began = time.perf_counter()
            self._fit(run, seed)
            (run / "seconds.txt").write_text(f"{time.perf_counter() - began:.0f}\n")
        self.module = artist(self.config, trained, self.changes)
        return trained

    def generate(self, batch: SceneBatch, *, seed: int) -> Float[Tensor, "b 3 h w"]:
        """One image per scene, with the steps the configuration validates with.

        Raises:
            RuntimeError: before :meth:`train`.
        """
        if self.module is None:
            raise RuntimeError("TrainedArtist.generate: call train(seed) first")
        return self.module.draw(batch, seed)

    def _fit(self, run: Path, seed: int) -> None:
        """Started in the run's own folder, so that all relative paths of the configuration lie in it."""
        arguments = [f"{key}={seed}" for key in SEED_KEYS]
        files = [part for file in (self.hardware, self.config) for part in ("-c", str(file))]
        command = [sys.executable, "-m", "lightning_modules.cli", "fit", *files, *self.changes, *arguments]
        with (run / "log.txt").open("w") as log:
            found = {**os.environ, "PYTHONPATH": os.pathsep.join([str(CONFIGS.parent), *sys.path])}
            done = subprocess.run(
                command, cwd=run, env=found, stdout=log, stderr=subprocess.STDOUT, check=False
            )
        if done.returncode or not (run / self.export).is_file():
            tail = "\n".join((run / "log.txt").read_text().splitlines()[-15:])
            raise TrainingFailed(f"training in {run} ended with code {done.returncode}:\n{tail}")

    def _digest(self, seed: int) -> str:
        """Of everything that decides the result: configuration, changes, seed, and the shipped model it starts at."""
        written: Any = OmegaConf.load(self.config)
        source = OmegaConf.select(written, "model.init_args.backbone.init_args.source")
        card = SHIPPED / str(source) / "diffusion_pytorch_model.json"
        parts: list[Any] = [
            OmegaConf.to_yaml(written),
            self.changes,
            seed,
            card.read_text() if card.is_file() else source,
        ]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _found(name: str) -> Path:
    path = CONFIGS / name if (CONFIGS / name).is_file() else Path(name)
    if not path.is_file():
        raise ValueError(f"config: {name} is neither below configs/ nor a file")
    return path.resolve()


def _export_path(config: Path) -> str:
    written: Any = OmegaConf.load(config)
    for callback in OmegaConf.select(written, "trainer.callbacks") or []:
        if callback.get("class_path") == EXPORT:
            return str(callback.init_args.path)
    raise ValueError(f"config: {config} has no callback {EXPORT}, so nothing would be left of a training")
