"""How likely each place of an image shows a face, as a map: what blob analysis looks at."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

from rewards.analyzers.tiny import TinyAnalyzer, fit_to_square
from rewards.analyzers.tiny_networks import IMAGE_SIZE
from rewards.functional.blobs import skin_map


class FaceMap(ABC):
    """Maps of faces."""

    @abstractmethod
    def likelihood(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b u v"]:
        """Likelihoods in [0, 1], on a grid of the map's own size; ``images`` are RGB in [0, 1]."""


class SkinMap(FaceMap):
    """Pixels of the colour of skin, for photographs: needs no network.

    It asks for blobs of a face's size and shape (``BlobShape``), since hands are skin as well, and cannot be used on
    the tiny world, whose wood and sand have the same colours.
    """

    def likelihood(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b h w"]:
        """1 or 0 per pixel."""
        return skin_map(images)


class TinyFaceMap(FaceMap):
    """Likelihood that a cell of 4 x 4 pixels holds the centre of a face, by the tiny world's detector.

    The same network as ``TinyAnalyzer``'s, read in another way: regions of the map instead of peaks with boxes, of
    which near-duplicates are left out.

    Args:
        analyzer: whose detector is asked; the shipped one if None.
    """

    def __init__(self, analyzer: TinyAnalyzer | None = None) -> None:
        self.analyzer = analyzer or TinyAnalyzer()

    @torch.no_grad()
    def likelihood(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 32 32"]:
        """On the detector's grid; images that are not square are padded with grey."""
        detector = self.analyzer.detector.to(images.device)
        maps = [
            detector(fit_to_square(part.float(), IMAGE_SIZE)[0]).heatmap.sigmoid()
            for part in images.split(self.analyzer.batch_size)
        ]
        return torch.cat(maps)
