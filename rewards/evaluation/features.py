"""Features of images for distances between sets of images; the distances carry the features' name.

An FID is a Fréchet distance of Inception's features, a KID a kernel distance of them. With any other features the same
formulas give other numbers, so a result is named after both: ``frechet_inception``, ``kernel_tiny``.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

from rewards.analyzers.tiny import TinyAnalyzer
from rewards.evaluation.inception import PUBLISHED, InceptionNetwork
from rewards.functional.frechet import feature_distance
from rewards.functional.kernel import kernel_distance


class FeatureExtractor(ABC):
    """Turns images into vectors.

    Attributes:
        name: what distances of these features are called after.
    """

    name: str

    @abstractmethod
    def features(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """One vector per image, RGB in [0, 1]."""


class TinyFeatures(FeatureExtractor):
    """Pooled trunk of the tiny world's analyzer: tells its renders apart and knows nothing of photographs."""

    name = "tiny"

    def __init__(self) -> None:
        self._analyzer = TinyAnalyzer()

    def features(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """``TinyAnalyzer.features``."""
        return self._analyzer.features(images)


class InceptionFeatures(FeatureExtractor):
    """The features of FID and KID, from a local file.

    Their name is ``inception`` for the published weights alone, and carries the file's digest otherwise. Not checked,
    for want of that file: what it answers; structure and preparation are those of ``pytorch_fid``.

    Args:
        weights: ``pt_inception-2015-12-05-6726825d.pth``.
        batch_size: images per network call.
        device: where it runs.

    Raises:
        ValueError: if there is no such file, or it is for another network.
    """

    def __init__(self, weights: str, batch_size: int = 16, device: str = "cpu") -> None:
        self._network = InceptionNetwork(weights).to(device)
        self.batch_size, self.device = batch_size, device
        published = self._network.digest == PUBLISHED
        self.name = "inception" if published else f"inception_{self._network.digest}"

    @torch.no_grad()
    def features(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """The 2048 pooled features."""
        parts = [self._network(chunk.to(self.device)).cpu() for chunk in images.split(self.batch_size)]
        return torch.cat(parts) if parts else torch.zeros(0, 2048)


def set_distances(
    name: str, images: Float[Tensor, "n d"], reference: Float[Tensor, "m d"], seed: int = 0
) -> dict[str, float]:
    """``frechet_<name>`` and ``kernel_<name>`` of two sets of features, NaN where a set has fewer than two.

    Args:
        name: of the features.
        images: features of what is judged.
        reference: of real images.
        seed: of the kernel distance's subsets.
    """
    if min(len(images), len(reference)) < 2:
        return {f"frechet_{name}": float("nan"), f"kernel_{name}": float("nan")}
    return {
        f"frechet_{name}": float(feature_distance(images, reference)),
        f"kernel_{name}": kernel_distance(images, reference, seed=seed).mean,
    }
