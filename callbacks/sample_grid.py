"""Pictures of what a policy draws, at every validation: hacking is seen before it is measured."""

from pathlib import Path
from typing import Any

import lightning as L
import torch
from jaxtyping import Float
from lightning.pytorch.loggers import MLFlowLogger
from torch import Tensor
from torchvision.utils import make_grid, save_image

from datamodules.geometry.canvas import scene_canvases
from datamodules.schema.scene import SceneBatch


class SampleGrid(L.Callback):
    """Three rows, the same scenes every time: the true images, the canvases shown, the images drawn.

    The module's ``validation_step`` returns its images. Files are called by epoch; an MLflow logger gets them too.

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
        self._columns: list[Float[Tensor, "3 3 h w"]] = []

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin a new grid."""
        self._columns = []

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: SceneBatch,
        *_: Any,
    ) -> None:
        """Keep the first scenes."""
        for i in range(min(len(batch), self.scenes - len(self._columns))):
            shown = (batch.images[i], scene_canvases(batch, i).images.amax(dim=0), outputs[i])
            self._columns.append(torch.stack([image.detach().cpu().float() for image in shown]))

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the grid; one process does."""
        if not trainer.is_global_zero or not self._columns:
            return
        name = "start" if trainer.sanity_checking else f"epoch-{trainer.current_epoch:04d}"
        path = self.folder / f"{name}.png"
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = torch.stack(self._columns, dim=1).flatten(0, 1)
        save_image(make_grid(rows, nrow=len(self._columns), padding=2), path)
        for logger in trainer.loggers:
            if isinstance(logger, MLFlowLogger):
                logger.experiment.log_artifact(logger.run_id, str(path), "samples")
