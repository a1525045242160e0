"""Faces from one analyzer, bodies from another, joined person by person."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from datamodules.schema.detections import Detections
from datamodules.schema.interfaces import Analyzer, ReferenceFaces
from rewards.analyzers.insightface import InsightFaceAnalyzer
from rewards.analyzers.rtmlib import RTMLibAnalyzer

HEAD = slice(0, 5)  # nose, eyes, ears in COCO-17


class CombinedAnalyzer(Analyzer):
    """An ``Analyzer`` that sees what ``faces`` sees and adds to each face the keypoints of its body.

    Faces decide who is there: a body without a face is left out, a face without a body has keypoints of v = 0.

    Args:
        faces: gives boxes, landmarks and embeddings (``InsightFaceAnalyzer``).
        bodies: gives keypoints (``RTMLibAnalyzer``).
        reach: how far a body's head may lie from the centre of its face, in widths of the face.
    """

    def __init__(self, faces: Analyzer, bodies: Analyzer, reach: float = 0.75) -> None:
        if reach <= 0:
            raise ValueError(f"reach must be positive, got {reach}; 0.75 is usual")
        self.faces, self.bodies, self.reach = faces, bodies, reach

    def analyze(self, images: Float[Tensor, "b 3 h w"]) -> list[Detections]:
        """Everything seen, one ``Detections`` per image."""
        size = torch.tensor([images.shape[3], images.shape[2]], dtype=torch.float32)
        pairs = zip(self.faces.analyze(images), self.bodies.analyze(images), strict=True)
        return [join(faces, bodies, size, self.reach) for faces, bodies in pairs]

    def embed_faces(
        self, faces: Float[Tensor, "b 3 r r"], landmarks: Float[Tensor, "b 5 2"] | None = None
    ) -> Float[Tensor, "b d"]:
        """Identity embeddings by the face analyzer."""
        return self.faces.embed_faces(faces, landmarks)

    def reference_faces(self, views: Float[Tensor, "b 3 h w"]) -> ReferenceFaces:
        """Faces by the face analyzer."""
        return self.faces.reference_faces(views)


def photo_analyzer(
    faces: Mapping[str, Any] | None = None, bodies: Mapping[str, Any] | None = None, reach: float = 0.75
) -> CombinedAnalyzer:
    """InsightFace's faces joined to rtmlib's bodies, in one line of a suite.

    Without arguments it takes the parts that ``python -m rewards.real_parts`` makes. InsightFace's own packs, which can
    be named in ``faces``, are for non-commercial research only.

    Args:
        faces: arguments of ``InsightFaceAnalyzer``, for example ``{"pack": "antelopev2", "same_threshold": 0.4}``.
        bodies: arguments of ``RTMLibAnalyzer``.
        reach: as in ``CombinedAnalyzer``.
    """
    return CombinedAnalyzer(InsightFaceAnalyzer(**(faces or {})), RTMLibAnalyzer(**(bodies or {})), reach)


def join(faces: Detections, bodies: Detections, size: Float[Tensor, " 2"], reach: float) -> Detections:
    """The faces, each with the keypoints of the body it belongs to.

    Raises:
        ValueError: when ``bodies`` carries no keypoints.
    """
    if bodies.keypoints is None:
        raise ValueError("CombinedAnalyzer: the analyzer given as `bodies` reports no keypoints")
    partner = match_bodies(faces.boxes, bodies.keypoints, size, reach)
    keypoints = faces.boxes.new_zeros(len(faces), *bodies.keypoints.shape[1:])
    keypoints[partner >= 0] = bodies.keypoints[partner[partner >= 0]]
    return replace(faces, keypoints=keypoints, person_mask=_first(faces.person_mask, bodies.person_mask))


def match_bodies(
    boxes: Float[Tensor, "o 4"], keypoints: Float[Tensor, "m k 3"], size: Float[Tensor, " 2"], reach: float
) -> Int[Tensor, " o"]:
    """For each face the index of its body, -1 where none is near; no body serves two faces.

    Pairs further apart than ``reach`` face widths (in pixels, so that wide images do not distort) are ruled out; of
    the rest, the assignment with most pairs, then with the smallest summed distance, is taken.
    """
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2 * size
    widths = ((boxes[:, 2] - boxes[:, 0]) * size[0]).clamp(min=1)
    heads = keypoints[:, HEAD, :2].mean(dim=1) * size
    distance = torch.cdist(centers, heads) / widths[:, None]
    far = 1e3 * reach * (1 + max(distance.shape, default=0))
    rows, columns = linear_sum_assignment(torch.where(distance <= reach, distance, far).numpy())
    partner = torch.full((len(boxes),), -1, dtype=torch.long)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if distance[row, column] <= reach:
            partner[row] = column
    return partner


def _first(*maps: Tensor | None) -> Tensor | None:
    return next((m for m in maps if m is not None), None)
