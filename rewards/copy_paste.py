"""Is a face the reference view itself rather than the person (WithAnyone's copy-paste measure)."""

import torch
from jaxtyping import Float
from torch import Tensor

from rewards.base import Reward
from rewards.functional.faces import copy_paste, match_by_place
from rewards.observation import Observation


class CopyPasteReward(Reward):
    """Mean copy-paste measure of the faces matched to their places; NaN where nobody is matched.

    Above 0, they resemble the reference view more than the person's true face. To be watched (weight 0) or punished.
    """

    higher_is_better = False
    needs_targets = True

    def score(self, seen: Observation) -> Float[Tensor, " b"]:
        """The measure per image, over matched faces whose true face is known."""
        if seen.targets is None:
            raise ValueError("Observation.targets: copy-paste needs the true faces' embeddings")
        scores = []
        for index in range(len(seen)):
            references, embeddings = seen.identities(index)
            targets = seen.targets[index][seen.truth().layout.valid[index]]
            rows, columns = match_by_place(seen.planned(index)[0], seen.found(index)[0])
            measured = copy_paste(embeddings[columns], targets[rows], references[rows])
            scores.append(measured.nanmean().cpu().float())
        return torch.stack(scores) if scores else torch.zeros(0)
