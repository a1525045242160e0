"""Does everybody stand as planned (Ar2Can Eq. (8), (9) and Appendix C.3)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from rewards.base import Reward
from rewards.functional.keypoints import extent_areas, mean_oks, oks
from rewards.observation import Observation


class BodyPoseReward(Reward):
    """Mean OKS of matched people, the person's area taken from the extent of the planned keypoints.

    Args:
        denominator: ``matched`` as printed (a missing person costs nothing), or ``references``.
        scale: see :class:`Reward`.
        shift: see :class:`Reward`.
    """

    def __init__(
        self,
        denominator: Literal["matched", "references"] = "matched",
        scale: float = 1.0,
        shift: float = 0.0,
    ) -> None:
        super().__init__(scale, shift)
        if denominator not in ("matched", "references"):
            raise ValueError(f"denominator: {denominator!r}; choose matched or references")
        self.denominator = denominator

    def score(self, seen: Observation) -> Float[Tensor, " b"]:
        """OKS per image; 0 where nobody is matched."""
        scores = []
        for index in range(len(seen)):
            (_, gt), (_, pred) = seen.planned(index), seen.found(index)
            if pred is None:
                raise ValueError("Detections.keypoints: body pose needs an analyzer that finds bodies")
            if not len(gt) or not len(pred):
                scores.append(torch.zeros(()))
                continue
            scores.append(mean_oks(oks(gt, pred, extent_areas(gt)), self.denominator).cpu().float())
        return torch.stack(scores)
