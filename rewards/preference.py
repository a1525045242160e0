"""Do people like the image, as a scorer predicts it: image-text agreement, quality, HPS, a judge."""

import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.schema.interfaces import Scorer
from rewards.base import Reward
from rewards.observation import Observation


class PreferenceReward(Reward):
    """Any :class:`Scorer` as a reward; an image without a prompt is scored against the empty one.

    Args:
        scorer: gives one number per image.
        scale: see :class:`Reward`.
        shift: see :class:`Reward`.
    """

    def __init__(self, scorer: Scorer, scale: float = 1.0, shift: float = 0.0) -> None:
        super().__init__(scale, shift)
        self.scorer = scorer

    def score(self, seen: Observation) -> Float[Tensor, " b"]:
        """The scorer's own numbers."""
        with torch.no_grad():
            return self.scorer.score(seen.images, [prompt or "" for prompt in seen.prompts]).float().cpu()
