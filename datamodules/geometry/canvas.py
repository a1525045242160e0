"""Canvases: reference faces pasted where they shall appear (Ar2Can Algorithm 1, lines 9-12; Appendix C.1).

One blank canvas per person. The reference is scaled so that its face fills the planned box, centred on it, and pasted
with a margin that keeps the hair. A skeleton may be drawn on top, fainter over the face. Tokens (16 x 16 px) touched by
the pasted square or the skeleton are kept, the others are dropped.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from datamodules.geometry.draw import draw_skeleton
from datamodules.schema.canvas import Canvases
from datamodules.schema.scene import SceneBatch

TOKEN_PIXELS = 16
# Height of a face box over the root-mean-square distance of the five landmarks from their centroid, and how far (in
# those distances) the box's centre lies above the centroid. Median over the tiny world's faces.
BOX_PER_SPREAD = 5.6
CENTRE_ABOVE_LANDMARKS = 0.65
POSE_OVER_FACE = 0.35
"""Opacity of a skeleton over the pasted face; it is opaque elsewhere."""


def draw_canvases(
    references: Float[Tensor, "n 3 r r"],
    landmarks: Float[Tensor, "n 5 2"],
    boxes: Float[Tensor, "n 4"],
    size: tuple[int, int],
    margin: float = 1.4,
    fill: float = 0.0,
    keypoints: Float[Tensor, "n k 3"] | None = None,
    reference_boxes: Float[Tensor, "n 4"] | None = None,
) -> Canvases:
    """One canvas per person, and which of its tokens to feed.

    Args:
        references: square views of the faces, RGB in [0, 1].
        landmarks: their five landmarks in [0, 1] of the view.
        boxes: planned face boxes, xyxy in [0, 1].
        size: (height, width) of the canvas in pixels, multiples of 16.
        margin: side of the pasted square over the longer side of the box.
        fill: grey level of the blank canvas.
        keypoints: COCO-17 bodies (x, y, v) to draw on the canvases; faces alone where None.
        reference_boxes: face boxes in [0, 1] of the views, by the detector that made ``boxes``; where they are zeros or
            None, the face is placed by its landmarks, as the tiny world's boxes lie around them.

    Raises:
        ValueError: if the size is not a multiple of 16 or the numbers of people disagree.
    """
    n, height, width = len(boxes), *size
    if height % TOKEN_PIXELS or width % TOKEN_PIXELS:
        raise ValueError(f"size: height and width must be multiples of {TOKEN_PIXELS}, got {size}")
    if not n == len(references) == len(landmarks):
        raise ValueError(
            f"references, landmarks, boxes: got {len(references)}, {len(landmarks)} and {n} people"
        )
    images = torch.full((n, 3, height, width), fill)
    keep = torch.zeros(n, height // TOKEN_PIXELS, width // TOKEN_PIXELS, dtype=torch.bool)
    scale = torch.tensor([width, height, width, height])
    for i in range(n):
        x0, y0, x1, y1 = (boxes[i] * scale).tolist()
        side = max(1, round(margin * max(x1 - x0, y1 - y0)))
        left, top = round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2)
        rows = slice(max(0, top), min(height, top + side))
        columns = slice(max(0, left), min(width, left + side))
        if rows.start < rows.stop and columns.start < columns.stop:
            known = None if reference_boxes is None or not reference_boxes[i].any() else reference_boxes[i]
            face = _crop_face(references[i], landmarks[i], known, margin, side)
            images[i, :, rows, columns] = face[
                :, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
            ]
            keep[
                i,
                rows.start // TOKEN_PIXELS : -(-rows.stop // TOKEN_PIXELS),
                columns.start // TOKEN_PIXELS : -(-columns.stop // TOKEN_PIXELS),
            ] = True
        if keypoints is not None:
            images[i], touched = _with_skeleton(images[i], keypoints[i], rows, columns)
            keep[i] |= touched
    return Canvases(images, keep)


def scene_canvases(batch: SceneBatch, index: int, pose: bool = False) -> Canvases:
    """The canvases of one scene of a batch, with skeletons where ``pose`` asks for them."""
    own = batch.layout.valid[index]
    return draw_canvases(
        batch.references[index][own],
        batch.reference_landmarks[index][own],
        batch.layout.boxes[index][own],
        batch.size,
        keypoints=batch.layout.keypoints[index][own] if pose else None,
        reference_boxes=batch.reference_boxes[index][own],
    )


def _with_skeleton(
    image: Float[Tensor, "3 h w"], body: Float[Tensor, "k 3"], rows: slice, columns: slice
) -> tuple[Float[Tensor, "3 h w"], Bool[Tensor, "hp wp"]]:
    """The canvas with a skeleton that is fainter inside the pasted square, and the tokens it touches."""
    drawn = draw_skeleton(body[None], (image.shape[-2], image.shape[-1]), over=image)
    painted = (drawn - image).abs().amax(dim=0) > 1 / 255
    opacity = painted.float()
    opacity[rows, columns] *= POSE_OVER_FACE
    touched = F.max_pool2d(painted[None].float(), TOKEN_PIXELS)[0] > 0
    return image + opacity * (drawn - image), touched


def _crop_face(
    reference: Float[Tensor, "3 r r"],
    landmarks: Float[Tensor, "5 2"],
    box: Float[Tensor, " 4"] | None,
    margin: float,
    side: int,
) -> Float[Tensor, "3 side side"]:
    """The face of a reference view with its margin, resized to ``side`` pixels; edges are replicated."""
    r = reference.shape[-1]
    if box is None:
        centroid = landmarks.mean(dim=0)
        spread = float((landmarks - centroid).square().sum(dim=1).mean().sqrt())
        half = max(1.0, margin * BOX_PER_SPREAD * spread * r / 2)
        x, y = float(centroid[0]) * r, float(centroid[1]) * r - CENTRE_ABOVE_LANDMARKS * spread * r
    else:
        half = max(1.0, margin * float((box[2:] - box[:2]).max()) * r / 2)
        x, y = ((box[:2] + box[2:]) * r / 2).tolist()
    left, top, right, bottom = round(x - half), round(y - half), round(x + half), round(y + half)
    pad = max(0, -left, -top, right - r, bottom - r)
    padded = F.pad(reference[None], (pad,) * 4, mode="replicate") if pad else reference[None]
    crop = padded[..., top + pad : bottom + pad, left + pad : right + pad]
    resized = F.interpolate(crop, size=(side, side), mode="bilinear", antialias=True, align_corners=False)
    return resized[0].clamp(0, 1)
