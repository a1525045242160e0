"""People put into scenes by SkeleGuide or one of its ablations: the generators of ``skeleguide_table_2`` and ``_3``.

They look at a scene's prompt and its place without people, and in the settings ``pose=given`` (the scene's own
skeletons are rendered) and ``pose=edited`` (the same with an arm raised, ``datamodules.geometry.edits``) at its
skeletons.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias, cast

import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.training_log import Training, read_training
from benchmarks.training_run import CPU, TrainingRun, arguments, exported_lora, found
from datamodules.geometry.draw import draw_layouts
from datamodules.geometry.edits import raise_left_arm
from datamodules.schema.scene import SceneBatch
from lightning_modules.cli import configuration
from lightning_modules.configured import configured_module
from lightning_modules.skeleguide.in_place import InPlaceModule
from lightning_modules.skeleguide.insert import WEIGHTS
from lightning_modules.skeleguide.module import ReasonRenderModule

SAMPLING = "model.init_args.sampling"  # is how trained sets draw
LATENTS = {"data.init_args.latents": "data/latents"}
SEED_KEYS = ("seed_everything", "model.init_args.recipe.seed", "data.init_args.first_seed")
Pose = Literal["reasoned", "given", "edited"]
Shows = Literal["image", "layout"]
_Drawn: TypeAlias = tuple[Float[Tensor, "b 3 h w"], Float[Tensor, "b 3 h w"] | None]
"""What is handed out, and a layout to show beside it."""


class InPlace:
    """The module of a training configuration with trained LoRA sets.

    Args:
        config: the training configuration, below ``configs/`` or a path.
        weights: folder of the LoRA sets, as ``insert --weights`` takes it; the shipped ones by default.
        shows: what is handed out and judged: the image, or the layout that the model drew.
        changes: further ``key=value`` arguments of the command line.
        name: shown in logs.

    Attributes:
        beside: after ``generate``, the scene and the layout if there is one, for the gallery.
        figures: after ``generate``, NaN for what does not apply: ``oks`` compares bodies with a plan that was edited.

    Raises:
        ValueError: naming the argument that makes no sense.
    """

    def __init__(
        self,
        config: str = "skeleguide/tiny.yaml",
        weights: str | None = None,
        shows: Shows = "image",
        changes: Sequence[str] = (),
        name: str = "in place",
    ) -> None:
        if shows not in ("image", "layout"):
            raise ValueError(f"shows: {shows!r}; choose image or layout")
        self.config, self.changes, self.name = found(config), list(changes), name
        self.weights, self.shows = WEIGHTS if weights is None else Path(weights), shows
        self.module: InPlaceModule | None = None
        self.beside: list[Float[Tensor, "b 3 h w"]] = []
        self.figures: dict[str, Float[Tensor, " b"]] = {}

    def check(self) -> None:
        """Read the configuration; nothing is built.

        Raises:
            ValueError: if it does not accept the changes, or a trained LoRA set is missing.
        """
        written = configuration(arguments(found(CPU), self.config, self.changes))
        for name in written["model"]["init_args"]["backbone"]["init_args"]["adapters"]:
            if not (self.weights / f"{name}.safetensors").is_file():
                raise ValueError(
                    f"weights: {self.weights} holds no {name}.safetensors; train it, or name its folder"
                )

    def generate(
        self, batch: SceneBatch, *, seed: int, pose: Pose = "reasoned", steps: int | None = None
    ) -> Float[Tensor, "b 3 h w"]:
        """One image per scene, or its layout alone, with the guidance the configuration validates with.

        Args:
            batch: scenes with backgrounds.
            seed: of the starting noise.
            pose: whose skeletons are rendered.
            steps: Euler steps of each stage; those of the configuration by default.

        Raises:
            ValueError: if the scenes have no backgrounds, no layout is drawn where one is wanted, or there is no such
                ``pose``.
        """
        if pose not in ("reasoned", "given", "edited"):
            raise ValueError(f"pose: {pose!r}; choose reasoned, given or edited")
        if batch.backgrounds is None:
            raise ValueError("scenes: have no picture of the place without people; use the tiny world's")
        module = self._loaded()
        usual = module.sampling
        module.sampling = replace(usual, steps=usual.steps if steps is None else steps)
        try:
            drawn, layout = self._drawn(module, batch, seed, pose)
        finally:
            module.sampling = usual
        pictures = [batch.backgrounds] if layout is None else [batch.backgrounds, layout]
        self.beside = [picture.float().clamp(0, 1) for picture in pictures]
        self.figures = {"oks": torch.full((len(batch),), torch.nan)} if pose == "edited" else {}
        return drawn

    def _drawn(self, module: InPlaceModule, batch: SceneBatch, seed: int, pose: Pose) -> _Drawn:
        assert batch.backgrounds is not None  # generate() sees to it
        if self.shows == "layout" and pose == "reasoned" and isinstance(module, ReasonRenderModule):
            return module.reason(batch.backgrounds, batch.prompts, seed), None
        if pose == "reasoned":
            drawn = module.compose(batch.backgrounds, batch.prompts, seed)
        elif isinstance(module, ReasonRenderModule):
            layout = raise_left_arm(batch.layout, batch.size) if pose == "edited" else batch.layout
            pictures = draw_layouts(layout, batch.size, batch.backgrounds)
            drawn = module.render(pictures, batch.prompts, seed)
        else:
            raise ValueError(f"pose: {pose}; {self.config.name} renders no layout that it is given")
        if self.shows == "image":
            return drawn.image, drawn.layout_image
        if drawn.layout_image is None:
            raise ValueError(f"shows: layout; {self.config.name} draws none")
        return drawn.layout_image, None

    def _loaded(self) -> InPlaceModule:
        if self.module is None:
            module = configured_module(self.config, cast(type[InPlaceModule], InPlaceModule), self.changes)
            module.load_adapters(self.weights)
            self.module = module
        return self.module


class TrainedInPlace(InPlace):
    """The same, trained by its configuration with some changes before it draws.

    Args:
        config: as above; its ``LoRAExport`` callbacks write all LoRA sets into one folder.
        changes: as above.
        without: class paths of callbacks that are left out.
        hardware: trainer configuration, below ``configs/`` or a path.
        folder: where trainings are kept.
        shows: as above.
        name: shown in logs.
    """

    def __init__(
        self,
        config: str = "skeleguide/tiny.yaml",
        changes: Sequence[str] = (),
        without: Sequence[str] = (),
        hardware: str = CPU,
        folder: str = "runs/trained",
        shows: Shows = "image",
        name: str = "trained",
    ) -> None:
        super().__init__(config, None, shows, changes, name)
        self.run = TrainingRun(
            self.config, self.changes, without, hardware, folder, SEED_KEYS, LATENTS, (SAMPLING,)
        )
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

        Returns:
            The folder of the trained LoRA sets.

        Raises:
            TrainingFailed: if the training ends with an error.
        """
        if self._seed != seed:
            run, trained = self.run.finished(seed, exported_lora, tell)
            self.weights, self.module = trained.parent, None
            self.training, self._seed = read_training(run, "steps"), seed
        return self.weights

    def generate(
        self, batch: SceneBatch, *, seed: int, pose: Pose = "reasoned", steps: int | None = None
    ) -> Float[Tensor, "b 3 h w"]:
        """As above.

        Raises:
            RuntimeError: before :meth:`train`.
        """
        if self._seed is None:
            raise RuntimeError("TrainedInPlace.generate: call train(seed) first")
        with torch.no_grad():
            return super().generate(batch, seed=seed, pose=pose, steps=steps)
