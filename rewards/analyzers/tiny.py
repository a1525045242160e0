"""``TinyAnalyzer``: the tiny world's eyes behind the same interface as the real ones.

Faces with landmarks and identity, a COCO-17 body per face, a person mask, and pooled features for a Frechet
distance, by networks of 2.6 M parameters trained on renders alone (``lightning_modules.pretraining``). Images of
any size are seen at 128 x 128 pixels, padded with grey to a square; results are in [0, 1] of the image given.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional
from torchvision.ops import batched_nms

from datamodules.schema.detections import Detections
from datamodules.schema.interfaces import Analyzer, ReferenceFaces
from rewards.analyzers.alignment import align_faces
from rewards.analyzers.tiny_networks import (
    BOX_UNIT,
    EMBEDDING_DIM,
    FACE_SIZE,
    GRID,
    IMAGE_SIZE,
    DetectorOutput,
    FaceDetector,
    FaceEmbedder,
)
from rewards.weights import load_weights, restore

WEIGHTS = Path(__file__).parent / "weights"
GREY = 0.5
# Share of the 128-pixel analysis image that a lone reference view fills: its face is then as large as in scenes.
REFERENCE_SHARE = 0.3125


@dataclass(frozen=True)
class Faces:
    """Faces of a batch, in image order.

    Attributes:
        image_index: which image each face is in, ascending.
        scores: confidence in [0, 1].
        centres: centre of the winning grid cell, in [0, 1].
        boxes: xyxy in [0, 1].
        landmarks: image order, in [0, 1].
    """

    image_index: Int[Tensor, " p"]
    scores: Float[Tensor, " p"]
    centres: Float[Tensor, "p 2"]
    boxes: Float[Tensor, "p 4"]
    landmarks: Float[Tensor, "p 5 2"]


def decode_faces(output: DetectorOutput, score_threshold: float, iou_threshold: float = 0.5) -> Faces:
    """Local maxima of the heatmap above ``score_threshold``, without near-duplicates."""
    heat = output.heatmap.sigmoid()
    peak = functional.max_pool2d(heat[:, None], 3, 1, 1)[:, 0]
    b, y, x = ((heat == peak) & (heat > score_threshold)).nonzero(as_tuple=True)
    centres = (torch.stack([x, y], dim=-1) + 0.5) / GRID
    reach = output.box[b, :, y, x] * BOX_UNIT
    boxes = torch.cat([centres - reach[:, :2], centres + reach[:, 2:]], dim=-1).clamp(0, 1)
    landmarks = centres[:, None] + output.landmarks[b, :, y, x].unflatten(-1, (5, 2)) * BOX_UNIT
    scores = heat[b, y, x]
    kept = batched_nms(boxes, scores, b, iou_threshold).sort().values
    return Faces(b[kept], scores[kept], centres[kept], boxes[kept], landmarks[kept])


class TinyAnalyzer(Analyzer):
    """An ``Analyzer`` for renders and generated images of the tiny human world.

    A plain object that holds frozen networks: it never joins another module's parameters. It works on whatever
    device the images are on.
    """

    def __init__(
        self, weights: Path | None = None, score_threshold: float = 0.4, batch_size: int = 64
    ) -> None:
        """Nothing is read before the first image.

        Args:
            weights: folder with ``detector`` and ``embedder`` files; the shipped ones if None.
            score_threshold: least confidence of a face, in (0, 1).
            batch_size: images looked at together; bounds memory, changes no result.
        """
        if not 0 < score_threshold < 1:
            raise ValueError(f"score_threshold: {score_threshold} is not in (0, 1); 0.4 is what counts best")
        self.weights = WEIGHTS if weights is None else Path(weights)
        self.score_threshold = score_threshold
        self.batch_size = batch_size
        self._detector: FaceDetector | None = None
        self._embedder: FaceEmbedder | None = None

    @property
    def detector(self) -> FaceDetector:
        """The frozen detector."""
        if self._detector is None:
            state, card = load_weights(self.weights, "detector")
            self._detector = restore(FaceDetector(**card.architecture), state)
        return self._detector

    @property
    def embedder(self) -> FaceEmbedder:
        """The frozen embedder."""
        if self._embedder is None:
            state, card = load_weights(self.weights, "embedder")
            self._embedder = restore(FaceEmbedder(**card.architecture), state)
        return self._embedder

    @torch.no_grad()
    def analyze(self, images: Float[Tensor, "b 3 h w"]) -> list[Detections]:
        """Everything seen, one ``Detections`` per image; ``images`` are RGB in [0, 1]."""
        _check_images(images)
        found: list[Detections] = []
        for start in range(0, len(images), self.batch_size):
            found += self._analyze_chunk(images[start : start + self.batch_size].float())
        return found

    @torch.no_grad()
    def embed_faces(
        self, faces: Float[Tensor, "b 3 r r"], landmarks: Float[Tensor, "b 5 2"] | None = None
    ) -> Float[Tensor, "b d"]:
        """Unit-norm identity embeddings of reference views, one face each.

        Args:
            faces: RGB in [0, 1].
            landmarks: in [0, 1] of the views; found by the detector if None.

        Returns:
            Embeddings; zeros where no face is found.
        """
        _check_images(faces)
        faces = faces.float()
        if landmarks is None:
            landmarks = self.reference_faces(faces).landmarks
        embeddings = faces.new_zeros(len(faces), EMBEDDING_DIM)
        index = landmarks.isfinite().all(dim=(1, 2)).nonzero()[:, 0]
        if len(index):
            embeddings[index] = self._embed(faces, index, landmarks[index])
        return embeddings

    @torch.no_grad()
    def reference_faces(self, views: Float[Tensor, "b 3 h w"]) -> ReferenceFaces:
        """The surest face in each view, looked for at the size faces have in scenes."""
        _check_images(views)
        side = int(IMAGE_SIZE * REFERENCE_SHARE)
        low = (IMAGE_SIZE - side) // 2
        landmarks = views.new_full((len(views), 5, 2), torch.nan, dtype=torch.float32)
        boxes = views.new_full((len(views), 4), torch.nan, dtype=torch.float32)
        if not len(views):
            return ReferenceFaces(landmarks, boxes)
        small, extent = fit_to_square(views.float(), side)
        squares = functional.pad(small, (low, IMAGE_SIZE - side - low) * 2, value=GREY)
        detector = self.detector.to(views.device)
        for start in range(0, len(views), self.batch_size):
            found = decode_faces(detector(squares[start : start + self.batch_size]), self.score_threshold)
            for i in found.image_index.unique():
                best = torch.where(found.image_index == i, found.scores, -1.0).argmax()
                landmarks[int(i) + start] = (found.landmarks[best] * IMAGE_SIZE - low) / side / extent
                box = (found.boxes[best] * IMAGE_SIZE - low) / side / extent.repeat(2)
                boxes[int(i) + start] = box.clamp(0, 1)
        return ReferenceFaces(landmarks, boxes)

    @torch.no_grad()
    def features(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Trunk features averaged over the image, for Frechet distances between sets of images."""
        _check_images(images)
        trunk = self.detector.to(images.device).trunk
        pooled = [images.new_zeros(0, sum(trunk.widths[1:]), dtype=torch.float32)]
        for start in range(0, len(images), self.batch_size):
            seen = trunk(fit_to_square(images[start : start + self.batch_size].float(), IMAGE_SIZE)[0])
            pooled.append(torch.cat([seen.middle.mean((2, 3)), seen.coarse.mean((2, 3))], dim=1))
        return torch.cat(pooled)

    def _analyze_chunk(self, images: Float[Tensor, "b 3 h w"]) -> list[Detections]:
        detector = self.detector.to(images.device)
        squares, extent = fit_to_square(images, IMAGE_SIZE)
        output = detector(squares)
        faces = decode_faces(output, self.score_threshold)
        body = detector.keypoints(output.features, faces.image_index, faces.centres)
        keypoints = torch.cat(
            [body.positions[-1] / extent, body.visibility.argmax(-1, keepdim=True).float()], dim=-1
        )
        embeddings = self._embed(squares, faces.image_index, faces.landmarks)
        masks = _restore_maps(output.mask.sigmoid(), extent, (images.shape[-2], images.shape[-1]))
        found = []
        for i in range(len(images)):
            own = faces.image_index == i
            found.append(
                Detections(
                    boxes=(faces.boxes[own] / extent.repeat(2)).clamp(0, 1),
                    scores=faces.scores[own],
                    landmarks=faces.landmarks[own] / extent,
                    keypoints=keypoints[own],
                    embeddings=embeddings[own],
                    person_mask=masks[i],
                )
            )
        return found

    def _embed(
        self,
        images: Float[Tensor, "b 3 h w"],
        image_index: Int[Tensor, " p"],
        landmarks: Float[Tensor, "p 5 2"],
    ) -> Float[Tensor, "p d"]:
        if not len(image_index):
            return images.new_zeros(0, EMBEDDING_DIM)
        crops = align_faces(images, image_index, landmarks, FACE_SIZE)
        return self.embedder.to(images.device)(crops)


def fit_to_square(
    images: Float[Tensor, "b 3 h w"], side: int
) -> tuple[Float[Tensor, "b 3 side side"], Float[Tensor, " 2"]]:
    """Images scaled so that the longer side is ``side``, at the top left of a grey square.

    Returns:
        The squares, and the width and height of the image in [0, 1] of the square.
    """
    h, w = images.shape[-2:]
    scale = side / max(h, w)
    size = (max(1, round(h * scale)), max(1, round(w * scale)))
    if size != (h, w):
        images = functional.interpolate(
            images, size=size, mode="bilinear", antialias=True, align_corners=False
        )
    squares = functional.pad(images, (0, side - size[1], 0, side - size[0]), value=GREY)
    return squares, images.new_tensor([size[1] / side, size[0] / side])


def _restore_maps(
    maps: Float[Tensor, "b side side"], extent: Float[Tensor, " 2"], size: tuple[int, int]
) -> Float[Tensor, "b h w"]:
    side = maps.shape[-1]
    w, h = (round(float(e) * side) for e in extent)
    cut = maps[:, :h, :w]
    if (h, w) == tuple(size):
        return cut
    return functional.interpolate(cut[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]


def _check_images(images: Tensor) -> None:
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images: shape {tuple(images.shape)}, but (b, 3, h, w) RGB in [0, 1] is expected")
