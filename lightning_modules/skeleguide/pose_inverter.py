"""From a decoded layout image back to keypoints (SkeleGuide's PoseInverter, section 3.4).

``TinyPoseInverter`` reads the tiny world's layouts; ``pose_inverter_vlm.QwenPoseInverter`` is the paper's kind, behind
the same door. ``pose_inverter_module.PoseInverterModule`` trains both.
"""

from abc import ABC, abstractmethod
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from lightning_modules.skeleguide.pose_text import Poses
from lightning_modules.skeleguide.skeleton_reader import NAME, SkeletonReader
from rewards.analyzers.tiny import fit_to_square
from rewards.analyzers.tiny_networks import IMAGE_SIZE
from rewards.weights import load_weights, restore

WEIGHTS = Path(__file__).parent / "weights"


class PoseInverter(ABC):
    """Reads skeletons off pictures."""

    @abstractmethod
    def invert(self, images: Float[Tensor, "b 3 h w"]) -> list[Poses]:
        """The people drawn in each image, RGB in [0, 1]: at most seven, from left to right."""


class TinyPoseInverter(PoseInverter):
    """The shipped inverter: skeletons over scenes of the tiny world, one to seven people, seen at 128 x 128 pixels.

    A plain object that holds a frozen network: it never joins another module's parameters. Which joints are hidden
    cannot be seen in a layout image; v = 1 or 2 is what such joints usually are. Limbs are followed best in poses as
    the tiny world has them; an arm turned far from these is read too near to them.

    Args:
        weights: folder with the ``pose_inverter`` files; the shipped ones if None.
        score_threshold: least confidence of a person, in (0, 1).
    """

    def __init__(self, weights: Path | None = None, score_threshold: float = 0.4) -> None:
        if not 0 < score_threshold < 1:
            raise ValueError(f"score_threshold: {score_threshold} is not in (0, 1); 0.4 is what counts best")
        self.weights = WEIGHTS if weights is None else Path(weights)
        self.score_threshold = score_threshold
        self._network: SkeletonReader | None = None

    @property
    def network(self) -> SkeletonReader:
        """The frozen network, read at its first use."""
        if self._network is None:
            state, card = load_weights(self.weights, NAME)
            self._network = restore(SkeletonReader(**card.architecture), state)
        return self._network

    @torch.no_grad()
    def invert(self, images: Float[Tensor, "b 3 h w"]) -> list[Poses]:
        """The people drawn in each image, fitted into a square of 128 pixels first."""
        squares, extent = fit_to_square(images.float(), IMAGE_SIZE)
        found = self.network.to(images.device).read(squares, self.score_threshold)
        return [_unpadded(poses, extent) for poses in found]


def _unpadded(poses: Poses, extent: Float[Tensor, " 2"]) -> Poses:
    """From [0, 1] of the square to [0, 1] of the picture at its upper left; joints in the padding are not there."""
    places = poses.keypoints[..., :2] / extent
    known = (poses.keypoints[..., 2] > 0) & (places <= 1).all(dim=-1)
    keypoints = torch.cat([places, poses.keypoints[..., 2:]], dim=-1).where(known[..., None], 0.0)
    somebody = known.any(dim=1)
    return Poses(keypoints[somebody], poses.confidence.where(known, 0.0)[somebody])
