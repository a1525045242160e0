"""The tiny world's scorers: does the image fit its prompt, and is it well made.

``TinyQualityScorer`` may serve as a reward. ``TinyQualityJudge`` was trained apart from it (other seed, other
renders, other faults, other width) and only ever judges: never put it, or anything trained against it, into a
reward. Images of any size are seen at 128 x 128 pixels.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.schema.interfaces import PromptEncoder, Scorer
from datamodules.text.memory import RememberingPromptEncoder
from datamodules.text.minilm import MiniLMPromptEncoder
from rewards.analyzers.tiny import fit_to_square
from rewards.analyzers.tiny_networks import IMAGE_SIZE
from rewards.scorers.tiny_networks import ImageTextNetwork, QualityNetwork
from rewards.weights import load_weights, restore

WEIGHTS = Path(__file__).parent / "weights"


class TinyImageTextScorer(Scorer):
    """Cosine of image and prompt in a space learned from renders and their captions, in [-1, 1]."""

    def __init__(
        self, weights: Path | None = None, reader: PromptEncoder | None = None, batch_size: int = 64
    ) -> None:
        """Nothing is read before the first image.

        Args:
            weights: folder with the ``image_text`` files; the shipped ones if None.
            reader: gives MiniLM token states; the packaged one if None.
            batch_size: images looked at together; bounds memory, changes no result.
        """
        self.weights = WEIGHTS if weights is None else Path(weights)
        self.reader = (
            RememberingPromptEncoder(MiniLMPromptEncoder(max_tokens=64)) if reader is None else reader
        )
        self.batch_size = batch_size
        self._network: ImageTextNetwork | None = None

    @property
    def network(self) -> ImageTextNetwork:
        """The frozen network."""
        if self._network is None:
            state, card = load_weights(self.weights, "image_text")
            self._network = restore(ImageTextNetwork(**card.architecture), state)
        return self._network

    def score(self, images: Float[Tensor, "b 3 h w"], prompts: Sequence[str]) -> Float[Tensor, " b"]:
        """Cosine of each image with its own prompt."""
        _check(images, prompts)
        if not len(images):
            return images.new_zeros(0)
        return (self.embed_images(images) * self.embed_prompts(prompts).to(images.device)).sum(-1)

    @torch.no_grad()
    def embed_images(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Unit-norm embeddings of images in [0, 1]."""
        side = self.network.to(images.device).image
        return torch.cat([side(chunk) for chunk in _analysis_chunks(images, self.batch_size)])

    @torch.no_grad()
    def embed_prompts(self, prompts: Sequence[str]) -> Float[Tensor, "b d"]:
        """Unit-norm embeddings of prompts, where the network is."""
        device = self.network.log_scale.device
        read = self.reader.encode(prompts)
        return self.network.text(read.tokens.to(device), read.valid.to(device))


class TinyQualityScorer(Scorer):
    """Is the image well made, in [0, 1]: 1 for a clean render, falling with the severity of its faults.

    Prompts are ignored. Where exactly a score lies means little; that it is higher does.
    """

    name = "quality_scorer"

    def __init__(self, weights: Path | None = None, batch_size: int = 64) -> None:
        """Nothing is read before the first image.

        Args:
            weights: folder with this scorer's files; the shipped ones if None.
            batch_size: images looked at together; bounds memory, changes no result.
        """
        self.weights = WEIGHTS if weights is None else Path(weights)
        self.batch_size = batch_size
        self._network: QualityNetwork | None = None

    @property
    def network(self) -> QualityNetwork:
        """The frozen network."""
        if self._network is None:
            state, card = load_weights(self.weights, self.name)
            self._network = restore(QualityNetwork(**card.architecture), state)
        return self._network

    def score(self, images: Float[Tensor, "b 3 h w"], prompts: Sequence[str] = ()) -> Float[Tensor, " b"]:
        """Quality in [0, 1] of images in [0, 1]."""
        return self.logits(images).sigmoid()

    @torch.no_grad()
    def logits(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, " b"]:
        """The same judgement on an unbounded scale, which tells very good images apart."""
        _check(images, None)
        if not len(images):
            return images.new_zeros(0)
        network = self.network.to(images.device)
        return torch.cat([network(chunk).logits for chunk in _analysis_chunks(images, self.batch_size)])

    @torch.no_grad()
    def damage(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 16 16"]:
        """Where images in [0, 1] look wrong, in [0, 1] per cell of the square they are fitted into."""
        _check(images, None)
        network = self.network.to(images.device)
        maps = [network(chunk).damage for chunk in _analysis_chunks(images, self.batch_size)]
        return torch.cat([images.new_zeros(0, 16, 16), *maps])


class TinyQualityJudge(TinyQualityScorer):
    """The same question put to an independent network, which must never be part of a reward."""

    name = "quality_judge"


def _analysis_chunks(images: Tensor, size: int) -> list[Tensor]:
    return [
        fit_to_square(images[start : start + size].float(), IMAGE_SIZE)[0]
        for start in range(0, len(images), size)
    ]


def _check(images: Tensor, prompts: Sequence[str] | None) -> None:
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images: shape {tuple(images.shape)}, but (b, 3, h, w) RGB in [0, 1] is expected")
    if prompts is not None and (isinstance(prompts, str) or len(prompts) != len(images)):
        raise ValueError(f"prompts: one per image is expected, got {prompts!r} for {len(images)} images")
