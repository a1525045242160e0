"""The faces of each photograph, analysed once and kept beside what is built.

One safetensors file per photograph. It is used again as long as the photograph and the analyzer are the same, so that
an interrupted or extended build looks at no photograph twice.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from datamodules.geometry.ordering import reading_order
from datamodules.photographs.files import Photo, decode
from datamodules.schema.interfaces import Analyzer
from datamodules.whole_files import write_whole


@dataclass(frozen=True)
class Faces:
    """What an analyzer saw in one photograph; faces in reading order.

    Attributes:
        boxes: xyxy in [0, 1] of the photograph.
        landmarks: image order, in [0, 1].
        keypoints: (x, y, v), COCO-17; v = 0 where the analyzer sees no bodies.
        embeddings: unit-norm identity embeddings.
        size: (height, width) of the photograph in pixels.
        digest: SHA-256 of the photograph's file.
    """

    boxes: Float[Tensor, "o 4"]
    landmarks: Float[Tensor, "o 5 2"]
    keypoints: Float[Tensor, "o 17 3"]
    embeddings: Float[Tensor, "o d"]
    size: tuple[int, int]
    digest: str

    def __len__(self) -> int:
        return len(self.boxes)

    def sides(self) -> Float[Tensor, " o"]:
        """The longer side of each box, in pixels of the photograph."""
        extent = torch.tensor([self.size[1], self.size[0]])
        return ((self.boxes[:, 2:] - self.boxes[:, :2]) * extent).amax(dim=1)

    def save(self, path: Path, analyzer: str) -> None:
        """Write the file, whole or not at all."""
        names = ("boxes", "landmarks", "keypoints", "embeddings")
        about = {"size": self.size, "digest": self.digest, "analyzer": analyzer}
        # One entry: several would be written in an order that changes from process to process.
        metadata = {"about": json.dumps(about)}
        write_whole(path, save({n: getattr(self, n).float().contiguous() for n in names}, metadata))

    @classmethod
    def load(cls, path: Path, digest: str, analyzer: str) -> Self | None:
        """Read the file; None if there is none, or it is of another photograph or analyzer."""
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                about = json.loads((file.metadata() or {}).get("about", "{}"))
                if (about.get("digest"), about.get("analyzer")) != (digest, analyzer):
                    return None
                height, width = about["size"]
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError:
            return None
        return cls(**tensors, size=(height, width), digest=digest)


def find_faces(photo: Photo, path: Path, analyzer: Analyzer, name: str) -> Faces:
    """The faces of a photograph, read from ``path`` or analysed and kept there.

    Args:
        photo: the photograph.
        path: where its analysis lies, or shall lie.
        analyzer: looks at it.
        name: of the analyzer and its settings.

    Raises:
        UnfitError: if the photograph cannot be read.
        ValueError: if the analyzer reports no landmarks or no embeddings.
    """
    content = photo.path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    known = Faces.load(path, digest, name)
    if known is not None:
        return known
    faces = _analyse(decode(content), digest, analyzer)
    faces.save(path, name)
    return faces


def _analyse(image: Float[Tensor, "3 h w"], digest: str, analyzer: Analyzer) -> Faces:
    (seen,) = analyzer.analyze(image[None])
    if seen.landmarks is None or seen.embeddings is None:
        raise ValueError(
            f"analyzer: {type(analyzer).__name__} reports no face landmarks or no identity embeddings; "
            "name one that does, for example rewards.analyzers.combined.photo_analyzer"
        )
    keypoints = torch.zeros(len(seen), 17, 3) if seen.keypoints is None else seen.keypoints
    order = reading_order(seen.boxes)
    boxes = seen.boxes[order]
    kept = order[(boxes[:, 2:] > boxes[:, :2]).all(dim=1)]  # a box cut to the picture may be empty
    return Faces(
        seen.boxes[kept],
        seen.landmarks[kept],
        keypoints[kept],
        seen.embeddings[kept],
        (image.shape[-2], image.shape[-1]),
        digest,
    )
