"""Is the number of people right (Ar2Can, section 3.4): by the faces a detector sees, or by blob analysis."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from rewards.analyzers.face_maps import FaceMap
from rewards.base import Reward
from rewards.functional.blobs import BlobShape, blobs
from rewards.functional.counts import exact_count
from rewards.observation import Observation


class CountReward(Reward):
    """1 where as many faces are seen as the prompt asks for, else 0; NaN where the number is unknown."""

    def score(self, seen: Observation) -> Float[Tensor, " b"]:
        """Exact agreement of faces seen and people asked for."""
        return _agreement([len(faces) for faces in seen.seen()], seen.people)


class BlobCountReward(Reward):
    """The same with the faces counted by blob analysis (Architect-B, Appendix B.3); looks at the images itself.

    Args:
        face_map: where faces are likely.
        shape: which blobs of the map are faces.
        scale: see :class:`Reward`.
        shift: see :class:`Reward`.
    """

    def __init__(
        self, face_map: FaceMap, shape: BlobShape | None = None, scale: float = 1.0, shift: float = 0.0
    ) -> None:
        super().__init__(scale, shift)
        self.face_map, self.shape = face_map, shape or BlobShape()

    def score(self, seen: Observation) -> Float[Tensor, " b"]:
        """Exact agreement of blobs and people asked for."""
        maps = self.face_map.likelihood(seen.images)
        return _agreement([len(blobs(values, self.shape)) for values in maps], seen.people)


def _agreement(counted: Sequence[int], people: Sequence[int | None]) -> Float[Tensor, " b"]:
    unknown = torch.tensor([n is None for n in people])
    gt = torch.tensor([0 if n is None else n for n in people])
    return exact_count(torch.tensor(counted), gt).masked_fill(unknown, torch.nan)
