"""rtmlib's tools made of CenterNet and MoveNet: a person detector and a pose estimator for several people.

rtmlib's ``YOLOX`` accepts a graph with its own suppression: one image (BGR 0..255, letterboxed to the upper left
corner) in, ``[1, n, 5]`` out, boxes in input pixels and scores, of which it keeps those above 0.3. Its ``RTMO`` takes
the same kind of image and gives such boxes together with ``[1, n, 17, 3]`` keypoints (x, y, score).
"""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rewards.real_parts.tfjs import TfjsGraph

PERSON_SIZE = 512
POSE_SIZE = 256


class CenterNetAsYOLOX(nn.Module):
    """CenterNet with MobileNetV3 (COCO's 80 classes, 2.0 M parameters) that reports persons only.

    CenterNet often finds one person twice, whole and from the waist up; of two boxes of which one lies inside the other
    by more than ``CONTAINED`` of its area, only the better one is reported.
    """

    CONTAINED = 0.85

    def __init__(self, model_json: Path) -> None:
        super().__init__()
        self.graph = TfjsGraph(model_json)

    def forward(self, x: Float[Tensor, "1 3 512 512"]) -> Float[Tensor, "1 100 5"]:
        """Boxes xyxy in input pixels and scores, best first; what is not a person, or one again, has score 0."""
        found = self.graph(x.flip(1).permute(0, 2, 3, 1))["tower_0/detections"].reshape(-1, 6)
        boxes = found[:, :4]
        scores = found[:, 4] * (found[:, 5] == 0).to(found.dtype)
        scores = scores * (1 - contained_in_better(boxes, scores, self.CONTAINED))
        return torch.cat([boxes, scores[:, None]], dim=1)[None]


def contained_in_better(
    boxes: Float[Tensor, "n 4"], scores: Float[Tensor, " n"], limit: float
) -> Float[Tensor, " n"]:
    """1 where a box shares more than ``limit`` of the smaller area with a box of higher score, else 0."""
    low = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    intersection = (high - low).clamp(min=0).prod(dim=-1)
    area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=-1)
    shared = intersection / torch.minimum(area[:, None], area[None, :]).clamp(min=1e-6)
    better = scores[None, :] > scores[:, None]
    return ((shared > limit) & better).to(scores.dtype).amax(dim=1)


class MoveNetAsRTMO(nn.Module):
    """MoveNet MultiPose (up to six people, COCO-17, 4.7 M parameters) with RTMO's two outputs."""

    def __init__(self, model_json: Path) -> None:
        super().__init__()
        self.graph = TfjsGraph(model_json)

    def forward(
        self, x: Float[Tensor, "1 3 256 256"]
    ) -> tuple[Float[Tensor, "1 6 5"], Float[Tensor, "1 6 17 3"]]:
        """Boxes (x0, y0, x1, y1, score) and keypoints (x, y, score), both in input pixels."""
        raw = self.graph(x.flip(1).permute(0, 2, 3, 1).to(torch.int32))["output_0"].reshape(1, 6, 56)
        y, column, score = raw[..., :51].reshape(1, 6, 17, 3).unbind(-1)
        keypoints = torch.stack([column * POSE_SIZE, y * POSE_SIZE, score], dim=-1)
        top, left, bottom, right, person = raw[..., 51:].unbind(-1)
        size = float(POSE_SIZE)
        return torch.stack([left * size, top * size, right * size, bottom * size, person], dim=-1), keypoints
