"""An InsightFace pack made of BlazeFace and dlib's face network: the two graphs ``insightface.FaceAnalysis`` needs.

InsightFace tells its models apart by shape. A detector is an SCRFD graph: nine outputs, scores, boxes and landmarks at
strides 8, 16 and 32, two anchors per cell, everything in units of the stride from the cell's upper left corner; input
``(rgb - 127.5) / 128``. A recogniser is an ArcFace graph: one 112 x 112 crop aligned by five landmarks, input
``(rgb - 127.5) / 127.5``, one vector out. Here both signatures are put around networks trained by others.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from rewards.real_parts.tfjs import TfjsGraph, read_weights

DETECTOR_SIZE = 256
EMBEDDING_DIM = 128
MOUTH_WIDTH = 0.83  # mouth width over eye distance in the template that ArcFace aligns faces to


class BlazeFaceAsSCRFD(nn.Module):
    """BlazeFace (256 px, 896 anchors) with SCRFD's nine outputs.

    BlazeFace predicts pixels from the cell's centre: 2 anchors in each of 16 x 16 cells (stride 16) and 6 in each of
    8 x 8 (stride 32), of which the two with the highest scores are kept. Stride 8 is left empty. Of its six
    landmarks (eyes, nose, mouth centre, two ears) the mouth centre becomes two corners: half ``MOUTH_WIDTH`` of the
    eye distance to either side, parallel to the eyes. The corners therefore say nothing that the eyes do not say.
    """

    def __init__(self, model_json: Path) -> None:
        super().__init__()
        self.graph = TfjsGraph(model_json)

    def forward(self, x: Float[Tensor, "1 3 256 256"]) -> tuple[Tensor, ...]:
        """Scores, boxes and landmarks, each at strides 8, 16 and 32; shapes [n, 1], [n, 4], [n, 10]."""
        raw = self.graph((x * (128 / 127.5)).permute(0, 2, 3, 1))
        levels = [
            self._empty(raw["Identity:0"]),
            scrfd_level(raw["Identity:0"], raw["Identity_2:0"], stride=16),
            scrfd_level(raw["Identity_1:0"], raw["Identity_3:0"], stride=32),
        ]
        return tuple(level[kind] for kind in range(3) for level in levels)

    def _empty(self, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Stride 8: anchors that never fire, made from the input so that no output is a bare constant."""
        zero = like.reshape(-1, 1)[:1] * 0
        n = 2 * (DETECTOR_SIZE // 8) ** 2
        return zero.expand(n, 1) + 0, zero.expand(n, 4) + 0, zero.expand(n, 10) + 0


def scrfd_level(
    logits: Float[Tensor, "..."], regression: Float[Tensor, "..."], stride: int
) -> tuple[Float[Tensor, "m 1"], Float[Tensor, "m 4"], Float[Tensor, "m 10"]]:
    """Scores, distances to the box's sides and landmark offsets of one stride; two anchors per cell, row by row.

    Args:
        logits: BlazeFace's confidences, the anchors of a cell next to each other.
        regression: 16 numbers per anchor, pixels from the cell's centre: box centre, box size, six landmarks.
        stride: cell size in pixels.
    """
    cells = (DETECTOR_SIZE // stride) ** 2
    logits, regression = logits.reshape(cells, -1), regression.reshape(cells, -1, 16)
    if logits.shape[1] > 2:
        logits, best = logits.topk(2, dim=1)
        regression = regression.gather(1, best[..., None].expand(-1, -1, 16))
    scores = logits.reshape(-1, 1).clamp(-80, 80).sigmoid()
    r = regression.reshape(-1, 16)
    center, half = r[:, :2] + stride / 2, r[:, 2:4] / 2
    boxes = torch.cat([half - center, half + center], dim=1) / stride
    points = (r[:, 4:].reshape(-1, 6, 2) + stride / 2) / stride
    left_eye, right_eye, nose, mouth = points[:, :4].unbind(1)
    corner = (right_eye - left_eye) * (MOUTH_WIDTH / 2)
    landmarks = torch.cat([left_eye, right_eye, nose, mouth - corner, mouth + corner], dim=1)
    return scores, boxes, landmarks


class DlibFaceNet(nn.Module):
    """dlib's 29-layer face network (5.6 M parameters) from the 8-bit copy of its weights in face-api.

    Vectors of one person lie within a Euclidean distance of about 0.6. They all share a large common part, so the
    cosine between strangers is 0.8 to 0.9; ``DlibAsArcFace`` subtracts that part.

    Args:
        manifest: content of ``face_recognition_model-weights_manifest.json``.
        folder: where its shards are.
    """

    MEAN_RGB = (122.782, 117.001, 104.298)
    BLOCKS = (
        ("conv32_1", "conv32_2", "conv32_3"),
        ("conv64_down", "conv64_1", "conv64_2", "conv64_3"),
        ("conv128_down", "conv128_1", "conv128_2"),
        ("conv256_down", "conv256_1", "conv256_2", "conv256_down_out"),
    )

    def __init__(self, manifest: list[dict[str, object]], folder: Path) -> None:
        super().__init__()
        self.weights = read_weights(manifest, folder)

    def forward(self, x: Float[Tensor, "b 3 150 150"]) -> Float[Tensor, "b 128"]:
        """Embeddings of aligned faces, RGB 0..255."""
        x = (x - torch.tensor(self.MEAN_RGB)[None, :, None, None]) / 256
        x = F.max_pool2d(self._convolve(x, "conv32_down", 2, 0).relu(), 3, 2)
        for name in (name for stage in self.BLOCKS for name in stage):
            x = self._shrink(x, name) if "down" in name else self._residual(x, name)
        return x.mean((2, 3)) @ self.weights["fc"]

    def _convolve(self, x: Tensor, name: str, stride: int, padding: int) -> Tensor:
        kernel = self.weights[f"{name}/conv/filters"].permute(3, 2, 0, 1)
        x = F.conv2d(x, kernel, self.weights[f"{name}/conv/bias"], stride, padding)
        scale, shift = self.weights[f"{name}/scale/weights"], self.weights[f"{name}/scale/biases"]
        return x * scale[None, :, None, None] + shift[None, :, None, None]

    def _residual(self, x: Tensor, name: str) -> Tensor:
        y = self._convolve(x, f"{name}/conv1", 1, 1).relu()
        return (self._convolve(y, f"{name}/conv2", 1, 1) + x).relu()

    def _shrink(self, x: Tensor, name: str) -> Tensor:
        """Half the size, more channels: the shortcut is average-pooled and padded with zeros, as dlib does."""
        y = self._convolve(x, f"{name}/conv1", 2, 0).relu()
        y = self._convolve(y, f"{name}/conv2", 1, 1)
        shortcut = F.avg_pool2d(x, 2, 2)
        y = F.pad(y, [0, shortcut.shape[3] - y.shape[3], 0, shortcut.shape[2] - y.shape[2]])
        return (y + F.pad(shortcut, [0, 0, 0, 0, 0, y.shape[1] - shortcut.shape[1]])).relu()


class DlibAsArcFace(nn.Module):
    """``DlibFaceNet`` behind ArcFace's signature.

    The 112 px crop, aligned to ArcFace's template, is resampled so that eyes and mouth fall where dlib wants them
    (150 px; eyes at (47.8, 37.4) and (102.2, 37.4)); outside the crop its edge is repeated. ``mean`` is subtracted
    from the vectors, which leaves distances as they are and makes the cosine between strangers about zero.
    """

    SCALE = 1.52
    ARCFACE_EYES, DLIB_EYES = (
        (56.0, 51.6),
        (75.0, 37.4),
    )  # midpoint between the eyes, (x, y), in either template

    def __init__(self, network: DlibFaceNet, mean: Float[Tensor, " 128"]) -> None:
        super().__init__()
        self.network = network
        y, x = torch.meshgrid(torch.arange(150.0), torch.arange(150.0), indexing="ij")
        x = (x - self.DLIB_EYES[0]) / self.SCALE + self.ARCFACE_EYES[0]
        y = (y - self.DLIB_EYES[1]) / self.SCALE + self.ARCFACE_EYES[1]
        self.register_buffer(
            "grid", torch.stack([2 * (x + 0.5) / 112 - 1, 2 * (y + 0.5) / 112 - 1], dim=-1)[None]
        )
        self.register_buffer("mean", mean)

    def forward(self, x: Float[Tensor, "b 3 112 112"]) -> Float[Tensor, "b 128"]:
        """Centred embeddings of crops aligned to ArcFace's template, RGB in [-1, 1]."""
        grid = self.get_buffer("grid").expand(x.shape[0], -1, -1, -1)
        crops = F.grid_sample(
            x * 127.5 + 127.5, grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        return self.network(crops) - self.get_buffer("mean")
