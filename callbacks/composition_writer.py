"""What ``predict`` leaves where people are put into scenes: an image per scene, and the layout it was drawn from.

With the test split of V-COCO as data, the folder is what ``rewards.evaluation.vcoco`` scores.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import BasePredictionWriter
from torchvision.utils import save_image

from datamodules.schema.human_in_place import HumanInPlace
from lightning_modules.skeleguide.samples import Composition


class CompositionWriter(BasePredictionWriter):
    """Writes ``<name>.png``, and ``layouts/<name>.png`` where the model drew a layout.

    Args:
        folder: where; what is there from before is kept unless it has the same name.
    """

    def __init__(self, folder: str = "runs/compositions") -> None:
        super().__init__(write_interval="batch")
        self.folder = Path(folder)

    def write_on_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        prediction: Composition,
        batch_indices: Sequence[int] | None,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Write a batch; every process writes its own.

        Raises:
            ValueError: if the batch is of no scenes that people are put into, or of scenes without names.
        """
        if not isinstance(batch, HumanInPlace) or not batch.names:
            raise ValueError(
                f"CompositionWriter: a batch is a {type(batch).__name__} without names; use data of human-in-place "
                "samples that have names, or leave the callback out"
            )
        pictures = {self.folder: prediction.image, self.folder / "layouts": prediction.layout_image}
        for folder, drawn in pictures.items():
            if drawn is None:
                continue
            folder.mkdir(parents=True, exist_ok=True)
            for name, picture in zip(batch.names, drawn, strict=True):
                save_image(picture.float(), folder / f"{name}.png")
