"""Images, what was asked for, and what an analyzer saw: one analysis that all rewards and metrics share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from jaxtyping import Float, Int
from torch import Tensor

from datamodules.schema.detections import Detections
from datamodules.schema.interfaces import Analyzer
from datamodules.schema.scene import SceneBatch
from rewards.functional.faces import match_by_place


@dataclass(frozen=True)
class Observation:
    """A batch of images and all that is known and seen of them.

    Attributes:
        images: RGB in [0, 1].
        prompts: the captions; None where unknown.
        people: how many people each prompt asks for; None where unknown.
        detections: what the analyzer saw, or None without an analyzer.
        scenes: the whole truth, where the images belong to scenes.
        references: identity embeddings of the scenes' reference views.
        targets: identity embeddings of the same people's faces in the scenes' true images.
    """

    images: Float[Tensor, "b 3 h w"]
    prompts: tuple[str | None, ...]
    people: tuple[int | None, ...]
    detections: Sequence[Detections] | None = None
    scenes: SceneBatch | None = None
    references: Float[Tensor, "b n d"] | None = None
    targets: Float[Tensor, "b n d"] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def seen(self) -> Sequence[Detections]:
        """The detections.

        Raises:
            ValueError: if no analyzer looked at the images.
        """
        if self.detections is None:
            raise ValueError("Observation.detections: no analyzer looked at these images; name one")
        return self.detections

    def truth(self) -> SceneBatch:
        """The scenes.

        Raises:
            ValueError: if the images belong to none.
        """
        if self.scenes is None:
            raise ValueError("Observation.scenes: these images belong to no scenes")
        return self.scenes

    def planned(self, index: int) -> tuple[Float[Tensor, "n 4"], Float[Tensor, "n k 3"]]:
        """Face boxes and bodies the scene asks for, in pixels."""
        layout = self.truth().layout
        valid = layout.valid[index]
        return self._pixels(layout.boxes[index][valid]), self._pixels(layout.keypoints[index][valid])

    def found(self, index: int) -> tuple[Float[Tensor, "o 4"], Float[Tensor, "o k 3"] | None]:
        """Face boxes and bodies the analyzer saw, in pixels."""
        seen = self.seen()[index]
        return self._pixels(seen.boxes), None if seen.keypoints is None else self._pixels(seen.keypoints)

    def identities(self, index: int) -> tuple[Float[Tensor, "n d"], Float[Tensor, "o d"]]:
        """Identity embeddings of the references and of the faces seen.

        Raises:
            ValueError: if either is missing.
        """
        embeddings = self.seen()[index].embeddings
        if self.references is None or embeddings is None:
            raise ValueError("Observation.references: identity needs embeddings of references and of faces")
        return self.references[index][self.truth().layout.valid[index]], embeddings

    def _pixels(self, values: Tensor) -> Tensor:
        """From [0, 1] to pixels, so that distances mean the same along both axes; visibility is kept."""
        height, width = self.images.shape[-2:]
        scale = [width, height, 1] if values.shape[-1] == 3 else [width, height, width, height]
        return values * values.new_tensor(scale)


@dataclass(frozen=True)
class KnownFaces:
    """Who the people of some scenes are: looked up once per scene, however many images are drawn of it.

    Attributes:
        references: identity embeddings of the reference views, zeros in padded slots.
        targets: of the faces in the true images, where a reward compares with them.
    """

    references: Float[Tensor, "b n d"]
    targets: Float[Tensor, "b n d"] | None = None

    def select(self, index: Int[Tensor, " m"]) -> Self:
        """The scenes at ``index``, which may repeat."""
        targets = None if self.targets is None else self.targets[index]
        return replace(self, references=self.references[index], targets=targets)


@torch.no_grad()
def reference_embeddings(analyzer: Analyzer, scenes: SceneBatch) -> Float[Tensor, "b n d"]:
    """Identity embeddings of the scenes' reference views, zeros in padded slots."""
    valid = scenes.layout.valid
    found = analyzer.embed_faces(scenes.references[valid], scenes.reference_landmarks[valid])
    out = found.new_zeros(*valid.shape, found.shape[-1])
    out[valid] = found
    return out


@torch.no_grad()
def target_embeddings(analyzer: Analyzer, scenes: SceneBatch) -> Float[Tensor, "b n d"]:
    """Identity embeddings of the faces in the scenes' true images, matched by place; zeros where none is seen."""
    rows = []
    for seen, boxes, valid in zip(
        analyzer.analyze(scenes.images), scenes.layout.boxes, scenes.layout.valid, strict=True
    ):
        if seen.embeddings is None:
            raise ValueError("Detections.embeddings: targets need an analyzer that embeds faces")
        row = seen.embeddings.new_zeros(len(valid), seen.embeddings.shape[-1])
        places = valid.nonzero()[:, 0]
        planned, found = match_by_place(boxes[valid], seen.boxes)
        row[places[planned]] = seen.embeddings[found]
        rows.append(row)
    return torch.stack(rows)
