"""The tiny PoseInverter's network: the analyzer's detector, taught drawn skeletons instead of people.

Its heatmap marks heads, its mask the pixels of limbs, and its keypoint head follows each body from the head on. The
architecture is that of ``rewards.analyzers.tiny_networks.FaceDetector`` without change; five "landmarks" are the five
joints of the head.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from datamodules.geometry.heads import HEAD
from datamodules.geometry.skeleton import SIGMAS
from datamodules.plan_files import MAX_PEOPLE
from datamodules.schema.human_in_place import HumanInPlace
from datamodules.schema.layout import Layout
from lightning_modules.pretraining.detector_targets import (
    centre_cells,
    detector_targets,
    focal_loss,
    keypoint_loss,
    mask_loss,
)
from lightning_modules.skeleguide.pose_text import Poses
from lightning_modules.skeleguide.trainable_inverter import TrainableInverter
from rewards.analyzers.tiny import decode_faces
from rewards.analyzers.tiny_networks import GRID, DetectorOutput, FaceDetector
from rewards.functional.keypoints import extent_areas

NAME = "pose_inverter"
"""Stem of the weights file and of the configuration."""


class SkeletonReader(FaceDetector, TrainableInverter):
    """Skeletons in 128 x 128 images.

    Args:
        width: channels of the trunk at stride 4.
        neck: channels of the map that all heads read.
        body: width of the keypoint head's tokens.
        rounds: refinement rounds of the keypoint head.
    """

    sigmas: Tensor

    def __init__(self, width: int = 48, neck: int = 64, body: int = 96, rounds: int = 2) -> None:
        super().__init__(width, neck, body, rounds)
        self.architecture = {"width": width, "neck": neck, "body": body, "rounds": rounds}
        self.register_buffer("sigmas", torch.tensor(SIGMAS), persistent=False)

    def read(self, images: Float[Tensor, "b 3 128 128"], score_threshold: float = 0.4) -> list[Poses]:
        """The surest people of each image, at most seven, from left to right."""
        output: DetectorOutput = self(images)
        heads = decode_faces(output, score_threshold)
        body = self.keypoints(output.features, heads.image_index, heads.centres)
        places, chance = body.positions[-1], body.visibility.softmax(dim=-1)
        kind = chance.argmax(dim=-1)
        known = (kind > 0) & ((places >= 0) & (places <= 1)).all(dim=-1)
        keypoints = torch.cat([places, kind[..., None].float()], dim=-1).where(known[..., None], 0.0)
        confidence = (heads.scores[:, None] * (1 - chance[..., 0])).where(known, 0.0)
        found = []
        for image in range(len(images)):
            own = ((heads.image_index == image) & known.any(dim=1)).nonzero()[:, 0]
            own = own[heads.scores[own].argsort(descending=True)[:MAX_PEOPLE]]
            own = own[heads.centres[own, 0].argsort()]
            found.append(Poses(keypoints[own], confidence[own]))
        return found

    def losses(
        self, images: Float[Tensor, "b 3 128 128"], batch: HumanInPlace
    ) -> dict[str, Float[Tensor, ""]]:
        """Heatmap, box, head joints, limb mask and keypoint losses."""
        output: DetectorOutput = self(images)
        layout = batch.layout
        targets = detector_targets(layout.boxes, _head_joints(layout), layout.valid)
        regressed = torch.cat([output.box, output.landmarks], dim=1)
        error = (regressed - targets.regression).abs() * targets.positive[:, None]
        cells = targets.positive.sum().clamp(min=1)
        drawn = (batch.layout_image != batch.source).any(dim=1)
        everywhere = torch.ones(len(batch), dtype=torch.bool, device=images.device)
        return {
            "heatmap": focal_loss(output.heatmap, targets.heatmap),
            "box": error[:, :4].sum() / cells,
            "landmarks": error[:, 4:].sum() / cells,
            "mask": mask_loss(output.mask, drawn, everywhere),
            **self._body_losses(output, layout),
        }

    def _body_losses(self, output: DetectorOutput, layout: Layout) -> dict[str, Float[Tensor, ""]]:
        image_index, slot = layout.valid.nonzero(as_tuple=True)
        cells = centre_cells(layout.boxes)[image_index, slot]
        # The peak is sometimes a neighbour of the true cell; the body must be readable from there too.
        shift = torch.randint_like(cells, -1, 2) * (torch.rand_like(cells[:, :1].float()) < 0.3)
        centres = ((cells + shift).clamp(0, GRID - 1) + 0.5) / GRID
        body = self.keypoints(output.features, image_index, centres)
        gt = layout.keypoints[image_index, slot]
        visibility = functional.cross_entropy(body.visibility.flatten(0, 1), gt[..., 2].long().flatten())
        places = keypoint_loss(body.positions, gt, extent_areas(gt), self.sigmas)
        return {"keypoints": 2 * places, "visibility": 0.2 * visibility}


def _head_joints(layout: Layout) -> Float[Tensor, "b n 5 2"]:
    """Right eye, left eye, nose, right ear, left ear; the middle of the face where one is not there."""
    joints = layout.keypoints[:, :, HEAD][:, :, [2, 1, 0, 4, 3]]
    return torch.where(joints[..., 2:] > 0, joints[..., :2], layout.centroids()[:, :, None])
