"""Does everybody look at the camera, where the prompt asks for it (Ar2Can Eq. (7))."""

import torch
from jaxtyping import Float
from torch import Tensor

from rewards.base import Reward
from rewards.functional.faces import FRONTALITY_GATE, frontality
from rewards.observation import Observation


class FrontalityReward(Reward):
    """Mean frontality of the faces seen, 0 without any; NaN where the prompt does not ask for it.

    Args:
        gate: frontality below it counts 0 (the paper's 0.9).
        scale: see :class:`Reward`.
        shift: see :class:`Reward`.
    """

    def __init__(self, gate: float = FRONTALITY_GATE, scale: float = 1.0, shift: float = 0.0) -> None:
        super().__init__(scale, shift)
        if not 0 <= gate < 1:
            raise ValueError(f"gate: {gate} must lie in [0, 1); the paper's is {FRONTALITY_GATE}")
        self.gate = gate

    def score(self, seen: Observation) -> Float[Tensor, " b"]:
        """Ar2Can Eq. (7), averaged over faces."""
        height, width = seen.images.shape[-2:]
        scores = []
        for faces, asked in zip(seen.seen(), seen.truth().frontal.tolist(), strict=True):
            if faces.landmarks is None:
                raise ValueError("Detections.landmarks: frontality needs an analyzer that finds landmarks")
            pixels = faces.landmarks * faces.landmarks.new_tensor([width, height])
            mean = frontality(pixels, self.gate).sum() / max(len(pixels), 1)
            scores.append(mean.cpu().float() if asked else torch.tensor(torch.nan))
        return torch.stack(scores)
