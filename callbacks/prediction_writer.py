"""What ``predict`` leaves: an image per scene, and beside each the prompt and the plan it was drawn from."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
from jaxtyping import Float
from lightning.pytorch.callbacks import BasePredictionWriter
from torch import Tensor
from torchvision.utils import save_image

from datamodules.plan_files import plan_people
from datamodules.schema.scene import SceneBatch

PROMPTS = "prompts.jsonl"


class PredictionWriter(BasePredictionWriter):
    """Writes ``<scene>.png``, ``<scene>.json`` with prompt and plan, and ``prompts.jsonl`` with a line for every image.

    ``lightning_modules.ar2can.generate --layout`` reads the plans, ``benchmarks.run --suite score`` the folder.

    Args:
        folder: where; what is there from before is kept unless it has the same name.
    """

    def __init__(self, folder: str = "runs/predictions") -> None:
        super().__init__(write_interval="batch")
        self.folder = Path(folder)

    def write_on_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        prediction: Float[Tensor, "b 3 h w"],
        batch_indices: Sequence[int] | None,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Write a batch; every process writes its own.

        Raises:
            ValueError: if the batch is of no scenes with prompts and layouts.
        """
        if not isinstance(batch, SceneBatch):
            raise ValueError(
                f"PredictionWriter: a batch is a {type(batch).__name__} and no SceneBatch; leave the callback out"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        for index, (scene, image) in enumerate(zip(batch.scene_ids, prediction, strict=True)):
            path = self.folder / f"{scene.replace('/', '-')}.png"
            save_image(image.float(), path)
            content = {
                "scene": scene,
                "prompt": batch.prompts[index],
                "people": plan_people(batch.layout, index),
            }
            path.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def on_predict_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """List the images; one process does, once all have written theirs."""
        trainer.strategy.barrier("predictions are written")
        if not trainer.is_global_zero or not self.folder.is_dir():
            return
        lines = []
        for image in sorted(self.folder.glob("*.png")):
            drawn = json.loads(image.with_suffix(".json").read_text(encoding="utf-8"))
            line = {"file": image.name, "prompt": drawn["prompt"], "people": len(drawn["people"])}
            lines.append(json.dumps(line) + "\n")
        (self.folder / PROMPTS).write_text("".join(lines), encoding="utf-8")
