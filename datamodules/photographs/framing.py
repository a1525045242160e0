"""A photograph cut to the size that is trained on, with everything seen in it."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from datamodules.geometry.views import VIEW_MARGIN
from datamodules.photographs.files import UnfitError
from datamodules.schema.scene import Scene

_TOLERANCE = 0.5  # pixels


@dataclass(frozen=True)
class Frame:
    """A window of the scaled photograph.

    Attributes:
        scaled: (height, width) of the photograph after scaling, in pixels.
        low: (top, left) of the window, in pixels of the scaled photograph; negative where it reaches beyond.
        size: (height, width) of the window.
    """

    scaled: tuple[int, int]
    low: tuple[int, int]
    size: tuple[int, int]

    def cut(self, image: Float[Tensor, "c h w"], beyond: float = 0.5) -> Float[Tensor, "c hh ww"]:
        """The window's pixels, ``beyond`` (grey) where it reaches beyond the photograph."""
        if tuple(image.shape[-2:]) != self.scaled:
            image = F.interpolate(
                image[None], size=self.scaled, mode="bilinear", antialias=True, align_corners=False
            )[0]
        (top, left), (height, width) = self.low, self.size
        over = (-left, left + width - self.scaled[1], -top, top + height - self.scaled[0])
        if max(over) > 0:
            image = F.pad(image, [max(0, side) for side in over], value=beyond)
            top, left = max(0, top), max(0, left)
        return image[:, top : top + height, left : left + width].clamp(0, 1).contiguous()

    def points(self, points: Float[Tensor, "*p 2"]) -> Float[Tensor, "*p 2"]:
        """(x, y) in [0, 1] of the photograph to [0, 1] of the window, or beyond where they lie outside."""
        scaled, low, size = (points.new_tensor(pair[::-1]) for pair in (self.scaled, self.low, self.size))
        return (points * scaled - low) / size

    def scene(self, scene: Scene) -> Scene:
        """The window of a photograph's scene; its references are left as they are."""
        persons = tuple(
            replace(
                person,
                box=self.boxes(person.box[None])[0],
                landmarks=self.points(person.landmarks),
                keypoints=self.keypoints(person.keypoints),
            )
            for person in scene.persons
        )
        return replace(scene, persons=persons, image=self.cut(scene.image))

    def boxes(self, boxes: Float[Tensor, "o 4"]) -> Float[Tensor, "o 4"]:
        """xyxy, cut to the window."""
        return self.points(boxes.view(-1, 2, 2)).flatten(1).clamp(0, 1)

    def keypoints(self, keypoints: Float[Tensor, "o k 3"]) -> Float[Tensor, "o k 3"]:
        """(x, y, v); zeros where the window leaves them out."""
        places = self.points(keypoints[..., :2])
        inside = ((places >= 0) & (places <= 1)).all(dim=-1, keepdim=True)
        return torch.cat([places, keypoints[..., 2:]], dim=-1).where(inside, 0.0)


def frame_faces(
    boxes: Float[Tensor, "o 4"], photo: tuple[int, int], size: tuple[int, int], enlarge: float
) -> Frame:
    """The middle of the photograph, scaled to fill ``size``; moved as little as needed to show all heads whole.

    A head is the square that becomes a view: detectors' boxes leave out forehead and hair. Where not all heads fit, the
    faces must.

    Args:
        boxes: face boxes, xyxy in [0, 1] of the photograph.
        photo: its (height, width) in pixels.
        size: (height, width) of the window in pixels.
        enlarge: greatest scale that is allowed.

    Raises:
        UnfitError: if the window cannot show all faces, or the photograph is too small.
    """
    scale = max(size[0] / photo[0], size[1] / photo[1])
    if scale > enlarge + 1e-6:
        raise UnfitError(
            f"{photo[1]} x {photo[0]} pixels would have to be enlarged by {scale:.2f} to fill {size[1]} x {size[0]} "
            f"(enlarge is {enlarge:g})"
        )
    scaled = max(size[0], round(photo[0] * scale)), max(size[1], round(photo[1] * scale))
    pixels = boxes * boxes.new_tensor([scaled[1], scaled[0]] * 2)
    heads = _heads(pixels, scaled)
    low = []
    for axis in (0, 1):  # rows, columns
        edges = (scaled[axis], size[axis])
        first, last = 1 - axis, 3 - axis
        start = _start(heads[:, first], heads[:, last], *edges)
        start = _start(pixels[:, first], pixels[:, last], *edges) if start is None else start
        if start is None:
            raise UnfitError(
                f"a face falls outside when cut to {size[1]} x {size[0]} (of {scaled[1]} x {scaled[0]})"
            )
        low.append(start)
    return Frame(scaled, (low[0], low[1]), size)


def _heads(boxes: Float[Tensor, "o 4"], size: tuple[int, int]) -> Float[Tensor, "o 4"]:
    """Squares around the boxes as ``face_view`` cuts them, as far as they lie in the picture; in pixels."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = VIEW_MARGIN / 2 * (boxes[:, 2:] - boxes[:, :2]).amax(dim=1, keepdim=True)
    grown = torch.cat([centre - half, centre + half], dim=1).clamp(min=0)
    return grown.minimum(boxes.new_tensor([size[1], size[0]] * 2))


def _start(first: Float[Tensor, " o"], last: Float[Tensor, " o"], length: int, window: int) -> int | None:
    """Where a window of a line starts that holds all stretches, nearest to its middle; None where none does."""
    least = max(0, math.ceil(float(last.max()) - window - _TOLERANCE))
    most = min(length - window, math.floor(float(first.min()) + _TOLERANCE))
    return None if least > most else min(max((length - window) // 2, least), most)
