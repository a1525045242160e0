"""Views cut out of an image around a face, turned, mirrored and lit anew, with the landmarks carried along.

What Ar2Can Algorithm 1 makes of a face that has no second view: rotation, flip, brightness.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

VIEW_MARGIN = 1.6
"""Side of a view over the longer side of its face box; about what the tiny world's portraits show."""
MIRRORED_LANDMARKS = (1, 0, 2, 4, 3)
"""Image order (left eye, right eye, nose, left and right mouth corner) after a flip."""


@dataclass(frozen=True)
class ViewChange:
    """How a view differs from what the image shows; first turned, then mirrored.

    Attributes:
        rotation_deg: in-plane, positive clockwise as seen.
        flip: mirrored left to right.
        brightness: factor on the colours.
    """

    rotation_deg: float = 0.0
    flip: bool = False
    brightness: float = 1.0


@dataclass(frozen=True)
class ViewSquare:
    """The square of an image that becomes a view, in pixels.

    Attributes:
        x: of its centre.
        y: of its centre.
        side: its side.
        change: how the view differs.
    """

    x: float
    y: float
    side: float
    change: ViewChange

    def to_view(self, points: Float[Tensor, "p 2"]) -> Float[Tensor, "p 2"]:
        """Points of the image in pixels to points of the view in [0, 1]."""
        turned = (points - points.new_tensor([self.x, self.y])) / self.side @ self._rotation(points).T
        return turned * self._mirror(points) + 0.5

    def to_image(self, points: Float[Tensor, "*p 2"]) -> Float[Tensor, "*p 2"]:
        """Points of the view in [0, 1] to points of the image in pixels."""
        turned = (points - 0.5) * self._mirror(points) @ self._rotation(points)
        return turned * self.side + points.new_tensor([self.x, self.y])

    def _rotation(self, like: Tensor) -> Float[Tensor, "2 2"]:
        angle = math.radians(self.change.rotation_deg)
        c, s = math.cos(angle), math.sin(angle)
        return like.new_tensor([[c, -s], [s, c]])  # with y downwards, clockwise as seen

    def _mirror(self, like: Tensor) -> Float[Tensor, " 2"]:
        return like.new_tensor([-1.0 if self.change.flip else 1.0, 1.0])


class FaceView(NamedTuple):
    """A view of one face.

    Attributes:
        image: RGB in [0, 1].
        landmarks: in [0, 1] of it, image order.
        box: the face box in [0, 1] of it: in the middle, as large as before the view was turned.
    """

    image: Float[Tensor, "3 r r"]
    landmarks: Float[Tensor, "5 2"]
    box: Float[Tensor, " 4"]


def face_view(
    image: Float[Tensor, "3 h w"],
    box: Float[Tensor, " 4"],
    landmarks: Float[Tensor, "5 2"],
    size: int,
    change: ViewChange | None = None,
    margin: float = VIEW_MARGIN,
) -> FaceView:
    """A square view of one face (Ar2Can Algorithm 1, single-view augmentation).

    Args:
        image: RGB in [0, 1]; beyond its border the edge is repeated.
        box: face box, xyxy in [0, 1] of the image.
        landmarks: in [0, 1] of the image, image order.
        size: side of the view in pixels.
        change: rotation, flip and brightness; none by default.
        margin: side of the square over the longer side of the box.

    Returns:
        The view; its landmarks are in image order again: a flip swaps left and right.

    Raises:
        ValueError: if ``size`` is below 1 or the box is empty.
    """
    height, width = image.shape[-2:]
    if size < 1:
        raise ValueError(f"size: {size}; a view has at least 1 pixel")
    extent = box.new_tensor([width, height])
    low, high = box[:2] * extent, box[2:] * extent
    side = margin * float((high - low).max())
    if side <= 0:
        raise ValueError(f"box: {box.tolist()} is empty; give xyxy in [0, 1]")
    x, y = ((low + high) / 2).tolist()
    square = ViewSquare(x, y, side, change or ViewChange())
    points = square.to_view(landmarks * extent)
    if square.change.flip:
        points = points[list(MIRRORED_LANDMARKS)]
    half = (high - low) / (2 * side)
    return FaceView(_sample(image, square, size), points, torch.cat([0.5 - half, 0.5 + half]))


def _sample(image: Float[Tensor, "3 h w"], square: ViewSquare, size: int) -> Float[Tensor, "3 r r"]:
    """Bilinear; where the view is smaller than the square, the mean of several samples per pixel."""
    height, width = image.shape[-2:]
    fine = max(1, math.ceil(square.side / size))
    axis = (torch.arange(size * fine, dtype=image.dtype) + 0.5) / (size * fine)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    grid = square.to_image(torch.stack([x, y], dim=-1)) / image.new_tensor([width, height]) * 2 - 1
    view = F.grid_sample(image[None], grid[None], padding_mode="border", align_corners=False)
    return (F.avg_pool2d(view, fine)[0] * square.change.brightness).clamp(0, 1)
