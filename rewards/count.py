"""Is the number of people right (Ar2Can, section 3.4)."""

import torch
from jaxtyping import Float
from torch import Tensor

from rewards.base import Reward
from rewards.functional.counts import exact_count
from rewards.observation import Observation


class CountReward(Reward):
    """1 where as many faces are seen as the prompt asks for, else 0; NaN where the number is unknown."""

    def score(self, seen: Observation) -> Float[Tensor, " b"]:
        """Exact agreement of faces seen and people asked for."""
        pred = torch.tensor([len(faces) for faces in seen.seen()])
        unknown = torch.tensor([n is None for n in seen.people])
        gt = torch.tensor([0 if n is None else n for n in seen.people])
        return exact_count(pred, gt).masked_fill(unknown, torch.nan)
