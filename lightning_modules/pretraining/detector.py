"""Trains the face, body and mask detector behind ``TinyAnalyzer`` on renders alone."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from datamodules.geometry.skeleton import SIGMAS
from datamodules.schema.detections import Detections
from lightning_modules.pretraining.analyzer_figures import AnalyzerFigures
from lightning_modules.pretraining.degradations import augment
from lightning_modules.pretraining.detector_examples import with_canvases, with_ruined_faces
from lightning_modules.pretraining.detector_targets import (
    centre_cells,
    detector_targets,
    focal_loss,
    keypoint_loss,
    mask_loss,
)
from lightning_modules.pretraining.module import PretrainingModule, Recipe
from lightning_modules.pretraining.rendered import RenderedBatch
from rewards.analyzers.tiny import decode_faces
from rewards.analyzers.tiny_networks import GRID, DetectorOutput, FaceDetector


class DetectorPretraining(PretrainingModule):
    """Heatmap, box, landmark, mask and keypoint losses on augmented renders, canvases and ruined faces."""

    network: FaceDetector
    sigmas: Tensor

    def __init__(
        self,
        width: int = 64,
        neck: int = 80,
        body: int = 96,
        rounds: int = 2,
        canvas_share: float = 0.08,
        ruined_share: float = 0.08,
        recipe: Recipe = Recipe(),  # noqa: B008
    ) -> None:
        """Args of the network, of the examples, and of the optimisation.

        Args:
            width: channels of the trunk at stride 4.
            neck: channels of the map that all heads read.
            body: width of the keypoint head's tokens.
            rounds: refinement rounds of the keypoint head.
            canvas_share: share of the images that become canvases of reference views.
            ruined_share: share of the images in which one face is made unrecognisable.
            recipe: optimiser, schedule, export.
        """
        architecture = {"width": width, "neck": neck, "body": body, "rounds": rounds}
        super().__init__(FaceDetector(**architecture), "detector", architecture, recipe)
        self.canvas_share, self.ruined_share = canvas_share, ruined_share
        self.register_buffer("sigmas", torch.as_tensor(SIGMAS).float(), persistent=False)
        self.figures = AnalyzerFigures()

    def training_step(self, batch: RenderedBatch, batch_index: int) -> Tensor:
        """Sum of the losses, each logged."""
        batch, render = with_canvases(batch, self.canvas_share)
        batch = with_ruined_faces(batch, self.ruined_share)
        output: DetectorOutput = self.network(augment(batch.images))
        losses = self._face_losses(output, batch)
        losses["mask"] = mask_loss(output.mask, batch.masks, render)
        losses |= self._body_losses(output, batch, render)
        self.log_dict({f"train/{name}": value.detach() for name, value in losses.items()}, prog_bar=True)
        return torch.stack(list(losses.values())).sum()

    def on_validation_epoch_start(self) -> None:
        """Figures are of one pass."""
        self.figures = AnalyzerFigures()

    def validation_step(self, batch: RenderedBatch, batch_index: int) -> None:
        """Decode and compare with the truth."""
        output: DetectorOutput = self.network(batch.images)
        faces = decode_faces(output, score_threshold=0.4)
        body = self.network.keypoints(output.features, faces.image_index, faces.centres)
        keypoints = torch.cat([body.positions[-1], body.visibility.argmax(-1, keepdim=True)], dim=-1)
        found = []
        for i in range(len(batch)):
            own = faces.image_index == i
            found.append(
                Detections(
                    boxes=faces.boxes[own],
                    scores=faces.scores[own],
                    landmarks=faces.landmarks[own],
                    keypoints=keypoints[own],
                    person_mask=output.mask[i].sigmoid(),
                )
            )
        self.figures.update(found, batch)

    def on_validation_epoch_end(self) -> None:
        """Log the pass."""
        self.log_dict({f"val/{k}": v for k, v in self.figures.compute().items()}, prog_bar=True)

    def _face_losses(self, output: DetectorOutput, batch: RenderedBatch) -> dict[str, Tensor]:
        targets = detector_targets(batch.boxes, batch.landmarks, batch.valid)
        regressed = torch.cat([output.box, output.landmarks], dim=1)
        error = (regressed - targets.regression).abs() * targets.positive[:, None]
        cells = targets.positive.sum().clamp(min=1)
        return {
            "heatmap": focal_loss(output.heatmap, targets.heatmap),
            "box": error[:, :4].sum() / cells,
            "landmarks": error[:, 4:].sum() / cells,
        }

    def _body_losses(
        self, output: DetectorOutput, batch: RenderedBatch, render: Tensor
    ) -> dict[str, Float[Tensor, ""]]:
        image_index, slot = (batch.valid & render[:, None]).nonzero(as_tuple=True)
        cells = centre_cells(batch.boxes)[image_index, slot]
        # The peak is sometimes a neighbour of the true cell; the body must be readable from there too.
        shift = torch.randint_like(cells, -1, 2) * (torch.rand_like(cells[:, :1].float()) < 0.3)
        centres = ((cells + shift).clamp(0, GRID - 1) + 0.5) / GRID
        body = self.network.keypoints(output.features, image_index, centres)
        gt, extent = batch.keypoints[image_index, slot], batch.extents[image_index, slot]
        area = (extent[:, 2:] - extent[:, :2]).prod(-1)
        visibility = functional.cross_entropy(body.visibility.flatten(0, 1), gt[..., 2].long().flatten())
        return {
            "keypoints": 2 * keypoint_loss(body.positions, gt, area, self.sigmas),
            "visibility": 0.2 * visibility,
        }
