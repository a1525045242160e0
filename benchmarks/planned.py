"""An Artist behind an Architect: prompts become layouts, layouts and reference faces become images."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, cast

import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.jobs import build
from benchmarks.suite import Component
from benchmarks.trained import ConfiguredArtist
from benchmarks.training_run import found
from datamodules.schema.layout import Layout
from datamodules.schema.scene import SceneBatch
from lightning_modules.ar2can.architect_flow import ArchitectFlowModule
from lightning_modules.ar2can.architect_llm import ArchitectLLMModule
from lightning_modules.ar2can.layout_decoding import Answer
from lightning_modules.ar2can.planning import language_architect, weights_file


class Architect(Protocol):
    """What plans."""

    def answers(self, batch: SceneBatch, seed: int) -> list[Answer]:
        """One per prompt; the layouts of the scenes may not be looked at."""
        ...

    def check(self) -> None:
        """Whether it can plan; nothing is built."""
        ...


class LanguageArchitect:
    """Architect-A with trained weights.

    Args:
        config: training configuration, below ``configs/`` or a path.
        weights: safetensors file with its card; the shipped one of the configuration's name if None.
    """

    def __init__(self, config: str = "ar2can/architect_tiny.yaml", weights: str | None = None) -> None:
        self.config = found(config)
        self.weights = weights
        self._module: ArchitectLLMModule | None = None

    def check(self) -> None:
        """Whether there are weights.

        Raises:
            ValueError: if not.
        """
        weights_file(self.config, self.weights)

    def answers(self, batch: SceneBatch, seed: int) -> list[Answer]:
        """Greedy, whatever the seed."""
        if self._module is None:
            self._module = language_architect(self.config, self.weights)
        return self._module.plan(batch.prompts)


class DraftingArchitect:
    """Architect-B, as it starts or trained once per seed.

    Args:
        drafts: class path and arguments of a ``benchmarks.trained.ConfiguredArtist`` or ``TrainedArtist``.
        redraws: how often a draft with the wrong number of people, or that cannot be read, is drawn anew.
    """

    def __init__(self, drafts: Mapping[str, Any], redraws: int = 0) -> None:
        self.drafts = cast(ConfiguredArtist, build(Component(**drafts), "architect.init_args.drafts"))
        self.redraws = redraws

    def check(self) -> None:
        """Read its configuration.

        Raises:
            ValueError: if the arguments make no sense.
        """
        if self.redraws < 0:
            raise ValueError(f"redraws: {self.redraws} must be 0 or more")
        self.drafts.check()

    def train(self, seed: int, tell: Callable[[str], None]) -> None:
        """Train what is trained."""
        _train(self.drafts, seed, tell)

    def answers(self, batch: SceneBatch, seed: int) -> list[Answer]:
        """Read off drafts; with redraws, how many people are asked for is known, without it is not.

        Raises:
            ValueError: if the drafts are another module's.
        """
        module = self.drafts.built()
        if not isinstance(module, ArchitectFlowModule):
            raise ValueError(f"drafts: {type(module).__name__} is no Architect-B")
        wanted = batch.layout.counts().tolist() if self.redraws else None
        return [draft.answer for draft in module.plan(batch.prompts, wanted, seed, self.redraws)]


class PlannedArtist:
    """Draws the people of scenes where an Architect puts them.

    Nothing is put right: where a plan has fewer places than there are people, the last people are missing; places
    beyond them have no face to show and stay empty, and a refused prompt is drawn without canvases. ``plan_exact`` says
    how often that was not so.

    Args:
        artist: class path and arguments of a ``benchmarks.trained.ConfiguredArtist`` or ``TrainedArtist``.
        architect: those of a class of this file; None draws people where the scenes have them.
        name: shown in logs.
    """

    def __init__(
        self, artist: Mapping[str, Any], architect: Mapping[str, Any] | None = None, name: str = "planned"
    ) -> None:
        self.artist = cast(ConfiguredArtist, build(Component(**artist), "artist"))
        built = None if architect is None else build(Component(**architect), "architect")
        self.architect = cast("Architect | None", built)
        self.name, self.training = name, None
        self.figures: dict[str, Float[Tensor, " b"]] = {}

    def check(self) -> None:
        """Read both configurations.

        Raises:
            ValueError: if one does not accept its changes, or weights are missing.
        """
        self.artist.check()
        if self.architect is not None:
            self.architect.check()

    def train(self, seed: int, tell: Callable[[str], None] = lambda _: None) -> None:
        """Train whichever of the two is trained; curves are shown by the suites that train them alone."""
        _train(self.architect, seed, tell)
        _train(self.artist, seed, tell)

    def generate(self, batch: SceneBatch, *, seed: int) -> Float[Tensor, "b 3 h w"]:
        """One image per scene."""
        if self.architect is None:
            return self.artist.generate(batch, seed=seed)
        started = time.perf_counter()
        answers = self.architect.answers(batch, seed)
        seconds = (time.perf_counter() - started) / len(batch)
        planned = torch.tensor([len(answer.boxes) for answer in answers])
        self.figures = {
            "plan_exact": (planned == batch.layout.counts()).float(),
            "plan_seconds": torch.full((len(batch),), seconds),
        }
        return self.artist.generate(rearranged(batch, answers), seed=seed)


def rearranged(batch: SceneBatch, answers: Sequence[Answer]) -> SceneBatch:
    """Scenes whose people, in their order, take the places of plans; who has none is not valid."""
    boxes, keypoints = torch.zeros_like(batch.layout.boxes), torch.zeros_like(batch.layout.keypoints)
    valid = torch.zeros_like(batch.layout.valid)
    for i, (answer, people) in enumerate(zip(answers, batch.layout.counts().tolist(), strict=True)):
        placed = min(len(answer.boxes), people)
        boxes[i, :placed], valid[i, :placed] = answer.boxes[:placed], True
        if answer.keypoints is not None:
            keypoints[i, :placed] = answer.keypoints[:placed]
    return replace(batch, layout=Layout(boxes, keypoints, valid))


def _train(part: object, seed: int, tell: Callable[[str], None]) -> None:
    train = getattr(part, "train", None)
    if train is not None:
        train(seed, tell)
