"""The doors behind which tiny and real models stand alike.

Abstract classes rather than protocols: configuration files check a class by its ancestors, and the shape annotations
of a protocol's methods never compare equal.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple, Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from datamodules.schema.detections import Detections


class ReferenceFaces(NamedTuple):
    """The face of each reference view; NaN where none is found.

    Attributes:
        landmarks: five landmarks in [0, 1] of the view, image order.
        boxes: face boxes, xyxy in [0, 1] of the view, drawn as the analyzer draws those of scenes.
    """

    landmarks: Float[Tensor, "b 5 2"]
    boxes: Float[Tensor, "b 4"]


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

    def reference_faces(self, views: Float[Tensor, "b 3 h w"]) -> ReferenceFaces:
        """The surest face in each reference view; ``views`` are RGB in [0, 1]."""
        landmarks = views.new_full((len(views), 5, 2), torch.nan)
        boxes = views.new_full((len(views), 4), torch.nan)
        for i, seen in enumerate(self.analyze(views)):
            if len(seen) and seen.landmarks is not None:
                surest = seen.scores.argmax()
                landmarks[i], boxes[i] = seen.landmarks[surest], seen.boxes[surest]
        return ReferenceFaces(landmarks, boxes)


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

    def after(self, words: Self) -> Self:
        """The same prompts with the tokens of one encoded text before theirs; pooled vectors stay as they are.

        Args:
            words: a single text, whose tokens get the offsets (0, 0).

        Raises:
            ValueError: if ``words`` holds several texts.
        """
        if len(words) != 1:
            raise ValueError(f"words: {len(words)} texts; give one")
        before = words.to(self.tokens.device).tokens[:, words.valid[0]]
        tokens = torch.cat([before.to(self.tokens.dtype).expand(len(self), -1, -1), self.tokens], dim=1)
        added = self.valid.new_ones(len(self), before.shape[1])
        offsets = torch.cat([self.offsets.new_zeros(len(self), before.shape[1], 2), self.offsets], dim=1)
        return replace(self, tokens=tokens, valid=torch.cat([added, self.valid], dim=1), offsets=offsets)

    def replaced(self, chosen: Bool[Tensor, " b"], text: Self) -> Self:
        """The same prompts with one encoded text in the place of the chosen ones.

        Args:
            chosen: which prompts.
            text: a single text.

        Raises:
            ValueError: if ``text`` holds several texts.
        """
        if len(text) != 1:
            raise ValueError(f"text: {len(text)} texts; give one")
        slots = max(self.valid.shape[1], text.valid.shape[1])
        values = {}
        for name, ours in vars(self).items():
            theirs = getattr(text, name).to(ours)
            if name != "pooled":
                ours, theirs = _padded(ours, slots), _padded(theirs, slots)
            which = chosen.to(ours.device).view(-1, *[1] * (ours.ndim - 1))
            values[name] = torch.where(which, theirs, ours)
        return replace(self, **values)


def _padded(values: Tensor, slots: int) -> Tensor:
    """Zeros in the token slots (axis 1) that are missing."""
    return functional.pad(values, (0, 0) * (values.ndim - 2) + (0, slots - values.shape[1]))


class PromptEncoder(ABC):
    """Turns prompts into token states and a pooled vector."""

    @abstractmethod
    def encode(self, prompts: Sequence[str]) -> PromptEmbedding:
        """Encode a batch; the result is padded to the longest prompt, or to the encoder's fixed length."""
