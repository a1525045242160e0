"""Blob analysis: connected regions of a map that are large, round and full enough to be what is counted.

Ar2Can counts the faces of Architect-B's few-step drafts in this way and says no more about it. Which map is looked at
is the caller's matter (``rewards/analyzers/face_maps.py``).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy import ndimage
from torch import Tensor

SKIN_CB, SKIN_CR = (77.0, 127.0), (133.0, 173.0)
_NEIGHBOURS = ndimage.generate_binary_structure(2, 2)  # eight, corners included


@dataclass(frozen=True)
class BlobShape:
    """Which regions count.

    Attributes:
        threshold: a pixel belongs to a region if the map is above this.
        opening: times the regions are worn down and grown again, which cuts thin bridges and removes specks.
        min_area: smallest region, as share of the map's area.
        max_area: largest region, likewise.
        max_aspect: longer over shorter side of the region's box, at most.
        min_fill: least share of its box that a region fills; an ellipse fills 0.785.
    """

    threshold: float = 0.4
    opening: int = 0
    min_area: float = 0.0
    max_area: float = 1.0
    max_aspect: float = 100.0
    min_fill: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1:
            raise ValueError(f"threshold: {self.threshold} is not in [0, 1); 0.4 is usual for probabilities")
        if not 0 <= self.min_area < self.max_area <= 1:
            raise ValueError(
                f"min_area, max_area: {self.min_area} and {self.max_area} must be shares of the map, the first smaller"
            )
        if self.opening < 0 or self.max_aspect < 1 or not 0 <= self.min_fill <= 1:
            raise ValueError(
                f"opening {self.opening} must be 0 or more, max_aspect {self.max_aspect} at least 1, "
                f"min_fill {self.min_fill} in [0, 1]"
            )


def blobs(values: Float[Tensor, "h w"], shape: BlobShape | None = None) -> Float[Tensor, "o 4"]:
    """Boxes of the regions of a map that count, xyxy in [0, 1], from top to bottom.

    Pixels are neighbours across sides and corners. NaN belongs to no region.

    Args:
        values: likelihoods in [0, 1].
        shape: which regions count.
    """
    shape = shape or BlobShape()
    inside = np.asarray(values.detach().cpu().numpy() > shape.threshold)
    if shape.opening:
        inside = ndimage.binary_opening(inside, _NEIGHBOURS, iterations=shape.opening)
    labels, _ = ndimage.label(inside, _NEIGHBOURS)
    height, width = inside.shape
    found = []
    for index, place in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = place
        area = int((labels[place] == index).sum())
        tall, wide = rows.stop - rows.start, columns.stop - columns.start
        if (
            shape.min_area <= area / (height * width) <= shape.max_area
            and max(tall, wide) <= shape.max_aspect * min(tall, wide)
            and area >= shape.min_fill * tall * wide
        ):
            found.append(
                [columns.start / width, rows.start / height, columns.stop / width, rows.stop / height]
            )
    return torch.tensor(found, dtype=torch.float32).reshape(-1, 4)


def skin_map(images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b h w"]:
    """1 where the colour is that of skin, else 0: Cb in 77 ... 127 and Cr in 133 ... 173 (Chai and Ngan, 1999).

    Args:
        images: RGB in [0, 1]; chrominance is JPEG's, of values 0 ... 255.
    """
    red, green, blue = (255 * images.float()).unbind(dim=1)
    cb = 128 - 0.168736 * red - 0.331264 * green + 0.5 * blue
    cr = 128 + 0.5 * red - 0.418688 * green - 0.081312 * blue
    chosen = (cb >= SKIN_CB[0]) & (cb <= SKIN_CB[1]) & (cr >= SKIN_CR[0]) & (cr <= SKIN_CR[1])
    return chosen.float()
