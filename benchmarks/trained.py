"""Artists made of a training configuration: as they start, and trained by the benchmark once per seed.

What ablations compare: Artists, and drafts of Architect-B, which are policies alike. ``benchmarks.training_run``
trains, and finds what was trained before.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from benchmarks.training_log import Training, read_training
from benchmarks.training_run import CPU, TrainingRun, arguments, exported_lora, found
from datamodules.schema.scene import SceneBatch
from lightning_modules.cli import configuration
from lightning_modules.configured import trained_policy
from lightning_modules.policy.module import PolicyModule

SEED_KEYS = ("seed_everything", "model.init_args.recipe.seed", "data.init_args.seed")


class ConfiguredArtist:
    """The Artist, or Architect-B, of a training configuration: as it starts, or with a LoRA set trained before.

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
        self.config, self.changes = found(config), [*common, *changes]
        self.lora, self.name = lora, name
        self.module: PolicyModule | None = None

    def check(self) -> None:
        """Read the configuration; nothing is built.

        Raises:
            ValueError: if it does not accept the changes.
        """
        configuration(arguments(found(CPU), self.config, self.changes))

    def generate(self, batch: SceneBatch, *, seed: int) -> Float[Tensor, "b 3 h w"]:
        """One image per scene, with the steps the configuration validates with."""
        return self.built().draw(batch, seed)

    def built(self) -> PolicyModule:
        """The policy itself."""
        if self.module is None:
            self.module = self._built(self.lora)
        return self.module

    def _built(self, lora: str | None) -> PolicyModule:
        needed = "an Artist's or Architect-B's"
        return trained_policy(self.config, lora, PolicyModule, needed, self.changes)  # type: ignore[type-abstract]


class TrainedArtist(ConfiguredArtist):
    """An Artist, or Architect-B, trained by a configuration with some changes before it draws.

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
        self.run = TrainingRun(self.config, self.changes, without, hardware, folder, SEED_KEYS)
        self.training = Training()
        self._seed: int | None = None

    def check(self) -> None:
        """Read the configuration of a training; nothing is built.

        Raises:
            ValueError: if it does not accept the changes, lacks a callback to be left out, or exports no LoRA set.
        """
        exported_lora(self.run.written(0))

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
        run, trained = self.run.finished(seed, exported_lora, tell)
        self.module, self.lora = self._built(str(trained)), str(trained)
        self.training, self._seed = read_training(run), seed
        return trained

    def built(self) -> PolicyModule:
        """The policy as it was trained last.

        Raises:
            RuntimeError: before :meth:`train`.
        """
        if self._seed is None:
            raise RuntimeError("TrainedArtist: call train(seed) first")
        return super().built()
