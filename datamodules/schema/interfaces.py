"""The doors behind which tiny and real models stand alike.

Abstract classes rather than protocols: configuration files check a class by its ancestors, and the shape annotations
of a protocol's methods never compare equal.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from datamodules.schema.detections import Detections


class Analyzer(ABC):
    """Finds people in images: faces with landmarks and identity, body keypoints, person mask."""

    @abstractmethod
    def analyze(self, images: Float[Tensor, "b 3 h w"]) -> list[Detections]:
        """Everything seen, one ``Detections`` per image; ``images`` are RGB in [0, 1]."""

    @abstractmethod
    def embed_faces(
        self, faces: Float[Tensor, "b 3 r r"], landmarks: Float[Tensor, "b 5 2"] | None = None
    ) -> Float[Tensor, "b d"]:
        """Unit-norm identity embeddings of reference views (one face each); zeros where no face is found."""

    def reference_landmarks(self, faces: Float[Tensor, "b 3 r r"]) -> Float[Tensor, "b 5 2"]:
        """Five landmarks of the surest face in each reference view, in [0, 1] of it; NaN where no face is found."""
        rows = []
        for seen in self.analyze(faces):
            found = seen.landmarks if len(seen) else None
            rows.append(faces.new_full((5, 2), torch.nan) if found is None else found[seen.scores.argmax()])
        return torch.stack(rows) if rows else faces.new_zeros(0, 5, 2)


class Scorer(ABC):
    """Judges an image, alone or against its prompt."""

    @abstractmethod
    def score(self, images: Float[Tensor, "b 3 h w"], prompts: Sequence[str]) -> Float[Tensor, " b"]:
        """One score per image, higher is better."""


@dataclass(frozen=True)
class PromptEmbedding:
    """A batch of encoded prompts.

    Attributes:
        tokens: token states (FLUX: T5), zeros where not valid.
        pooled: one vector per prompt (FLUX: CLIP).
        valid: which token slots hold a token.
        offsets: character range of each token in its prompt; (0, 0) for special and padding tokens.
    """

    tokens: Float[Tensor, "b s c"]
    pooled: Float[Tensor, "b p"]
    valid: Bool[Tensor, "b s"]
    offsets: Int[Tensor, "b s 2"]

    def __len__(self) -> int:
        return self.tokens.shape[0]

    def to(self, device: torch.device | str) -> Self:
        """The same embeddings on another device."""
        return replace(self, **{f.name: getattr(self, f.name).to(device) for f in fields(self)})


class PromptEncoder(ABC):
    """Turns prompts into token states and a pooled vector."""

    @abstractmethod
    def encode(self, prompts: Sequence[str]) -> PromptEmbedding:
        """Encode a batch; the result is padded to the longest prompt, or to the encoder's fixed length."""
