"""What an analyzer saw in one image."""

from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Detections:
    """Ragged detections of one image; every per-detection field has length o.

    Attributes:
        boxes: face boxes, xyxy in [0, 1].
        scores: confidence in [0, 1].
        landmarks: five face landmarks, image order.
        keypoints: COCO-17 (x, y, v) of the body the face belongs to.
        embeddings: unit-norm identity embeddings.
        person_mask: probability that a pixel shows a person (one map per image, not per detection).
    """

    boxes: Float[Tensor, "o 4"]
    scores: Float[Tensor, " o"]
    landmarks: Float[Tensor, "o 5 2"] | None = None
    keypoints: Float[Tensor, "o k 3"] | None = None
    embeddings: Float[Tensor, "o d"] | None = None
    person_mask: Float[Tensor, "h w"] | None = None

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name != "person_mask" and value is not None and len(value) != len(self.boxes):
                raise ValueError(
                    f"Detections.{f.name}: length {len(value)}, but there are {len(self.boxes)} boxes"
                )

    def __len__(self) -> int:
        return self.boxes.shape[0]

    def __getitem__(self, index: Int[Tensor, " m"] | Bool[Tensor, " o"] | slice) -> Self:
        """The chosen detections, every field cut alike."""
        picked = {
            f.name: getattr(self, f.name)[index]
            for f in fields(self)
            if f.name != "person_mask" and getattr(self, f.name) is not None
        }
        return replace(self, **picked)

    @classmethod
    def empty(cls, embedding_dim: int | None = None) -> Self:
        """No detection at all: every field present, with length 0."""
        return cls(
            boxes=torch.zeros(0, 4),
            scores=torch.zeros(0),
            landmarks=torch.zeros(0, 5, 2),
            keypoints=torch.zeros(0, 17, 3),
            embeddings=None if embedding_dim is None else torch.zeros(0, embedding_dim),
        )
