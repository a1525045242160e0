"""Pictures of what a model draws, at every validation: hacking is seen before it is measured."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import lightning as L
import torch
from jaxtyping import Float
from lightning.pytorch.loggers import MLFlowLogger
from torch import Tensor
from torchvision.utils import make_grid, save_image

from datamodules.geometry.canvas import scene_canvases
from datamodules.schema.human_in_place import HumanInPlace
from datamodules.schema.scene import SceneBatch


class PictureGrid(L.Callback, ABC):
    """One column per scene, the same scenes every time. Files are called by step; an MLflow logger gets them too.

    Args:
        folder: where the grids are written.
        scenes: how many of the first validation scenes are shown.

    Raises:
        ValueError: if ``scenes`` is less than 1.
    """

    def __init__(self, folder: str, scenes: int = 8) -> None:
        if scenes < 1:
            raise ValueError(f"scenes: {scenes} must be at least 1")
        self.folder, self.scenes = Path(folder), scenes
        self._columns: list[Float[Tensor, "rows 3 h w"]] = []

    @abstractmethod
    def columns(
        self, module: L.LightningModule, batch: Any, outputs: Any, count: int
    ) -> Float[Tensor, "count rows 3 h w"]:
        """The pictures of the first ``count`` scenes of a batch."""

    def name(self, trainer: L.Trainer) -> str:
        """What the grid of this validation is called."""
        return f"epoch-{trainer.current_epoch:04d}"

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin a new grid."""
        self._columns = []

    def on_validation_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        """Keep the first scenes; one process does."""
        count = min(len(batch), self.scenes - len(self._columns))
        if count > 0 and trainer.is_global_zero:
            shown = self.columns(pl_module, batch, outputs, count)
            self._columns.extend(shown.detach().cpu().float())

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the grid; one process does."""
        if not trainer.is_global_zero or not self._columns:
            return
        path = self.folder / f"{'start' if trainer.sanity_checking else self.name(trainer)}.png"
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = torch.stack(self._columns, dim=1).flatten(0, 1)
        save_image(make_grid(rows, nrow=len(self._columns), padding=2), path)
        for logger in trainer.loggers:
            if isinstance(logger, MLFlowLogger):
                logger.experiment.log_artifact(logger.run_id, str(path), "samples")


class SampleGrid(PictureGrid):
    """Three rows: the true images, the canvases shown, the images drawn, which ``validation_step`` returns."""

    def columns(
        self, module: L.LightningModule, batch: SceneBatch, outputs: Any, count: int
    ) -> Float[Tensor, "count rows 3 h w"]:
        """The first scenes."""
        canvases = torch.stack([scene_canvases(batch, i).images.amax(dim=0) for i in range(count)])
        return torch.stack([batch.images[:count], canvases, outputs[:count]], dim=1)


class CompositionGrid(PictureGrid):
    """People put into scenes: the scene, the layout drawn, the image drawn, the true layout, the true image.

    The module's ``compose`` draws them; where it draws no layout, that row is black.
    """

    def name(self, trainer: L.Trainer) -> str:
        """By step: phases are counted in steps."""
        return f"step-{trainer.global_step:06d}"

    def columns(
        self, module: Any, batch: HumanInPlace, outputs: Any, count: int
    ) -> Float[Tensor, "count rows 3 h w"]:
        """The first scenes, from noise that is the same every time."""
        source = batch.source[:count]
        drawn = module.compose(source, batch.prompts[:count], seed=0)
        layout = torch.zeros_like(source) if drawn.layout_image is None else drawn.layout_image
        shown = (source, layout, drawn.image, batch.layout_image[:count], batch.target[:count])
        return torch.stack([picture.to(source) for picture in shown], dim=1)
