"""Is the right face in the right place (Ar2Can Algorithm 4), and its naive variant without matching."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from datamodules.schema.interfaces import Analyzer
from rewards.base import Reward
from rewards.functional.faces import pairwise_cosine, placed_identity_similarity
from rewards.observation import Observation


class FaceMatchReward(Reward):
    """Mean cosine of each reference with the face matched to its planned place; unmatched people count 0."""

    def score(self, seen: Observation) -> Float[Tensor, " b"]:
        """Ar2Can Algorithm 4 per image."""
        scores = []
        for index in range(len(seen)):
            references, embeddings = seen.identities(index)
            planned, found = seen.planned(index)[0], seen.found(index)[0]
            scores.append(placed_identity_similarity(references, planned, embeddings, found).mean().cpu())
        return torch.stack(scores).float()


class SimpleFaceMatchReward(Reward):
    """The ablation "simple matching" (Ar2Can, Table 3): whatever lies in the planned box is taken for the face.

    No face is detected in the scene and nothing is matched: each planned box is cut out with a margin, and the
    analyzer embeds the cutting as if it were a portrait. People whose box shows no face count 0.

    Args:
        analyzer: embeds the cuttings.
        margin: side of the square cutting over the longer side of the box.
        scale: see :class:`Reward`.
        shift: see :class:`Reward`.
    """

    CUTTING = 96

    def __init__(
        self, analyzer: Analyzer, margin: float = 1.6, scale: float = 1.0, shift: float = 0.0
    ) -> None:
        super().__init__(scale, shift)
        if margin <= 0:
            raise ValueError(f"margin: {margin} must be positive; 1.6 shows the whole head")
        self.analyzer, self.margin = analyzer, margin

    def score(self, seen: Observation) -> Float[Tensor, " b"]:
        """Mean cosine of each reference with its own planned box."""
        counts = seen.truth().layout.counts().tolist()
        cuttings = torch.cat([self._cut(image, seen.planned(i)[0]) for i, image in enumerate(seen.images)])
        embedded = self.analyzer.embed_faces(cuttings).split(counts)
        scores = []
        for index, own in enumerate(embedded):
            references, _ = seen.identities(index)
            scores.append(pairwise_cosine(references, own).diagonal().mean().cpu())
        return torch.stack(scores).float()

    def _cut(self, image: Float[Tensor, "3 h w"], boxes: Float[Tensor, "n 4"]) -> Float[Tensor, "n 3 r r"]:
        """Squares around the boxes (in pixels), resized; what lies outside of the image repeats its edge."""
        height, width = image.shape[-2:]
        side = self.margin * (boxes[:, 2:] - boxes[:, :2]).amax(dim=1).nan_to_num(0.0).clamp(min=1.0)
        centre = ((boxes[:, :2] + boxes[:, 2:]) / 2).nan_to_num(-2.0 * max(height, width))
        steps = (torch.arange(self.CUTTING, device=image.device) + 0.5) / self.CUTTING - 0.5
        x = centre[:, :1] + side[:, None] * steps
        y = centre[:, 1:] + side[:, None] * steps
        grid = torch.stack(
            [
                (2 * x / width - 1)[:, None, :].expand(-1, self.CUTTING, -1),
                (2 * y / height - 1)[:, :, None].expand(-1, -1, self.CUTTING),
            ],
            dim=-1,
        )
        pictures = image.expand(len(boxes), -1, -1, -1)
        return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
