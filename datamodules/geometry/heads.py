"""Where a head is, guessed from a body's keypoints: what stands in for a face box where no face detector looked."""

import torch
from jaxtyping import Float
from torch import Tensor

HEAD = slice(0, 5)
"""Nose, eyes and ears in COCO-17."""
_PER_SPAN = 1.1
_PER_BODY = 0.15


def head_boxes(keypoints: Float[Tensor, "o k 3"], size: Float[Tensor, " 2"]) -> Float[Tensor, "o 4"]:
    """Squares around heads, from nose, eyes and ears.

    The side is 1.1 times the largest distance between two known ones (ear to ear in a frontal face, nose to ear in a
    profile), the centre their mean; about what a face detector draws. With fewer than two, it is 0.15 of the diagonal
    around all known joints, at the known one or at the highest joint of the body.

    Args:
        keypoints: (x, y, v) in [0, 1] of the image; v = 0 is unknown.
        size: of the image in pixels (width, height), so that a square is square on the screen.

    Returns:
        Boxes xyxy, cut to [0, 1]; zeros for a body without any known joint.
    """
    pixels, known = keypoints[..., :2] * size, keypoints[..., 2] > 0
    seen = known[:, HEAD]
    pairs = seen[:, :, None] & seen[:, None]
    span = torch.where(pairs, torch.cdist(pixels[:, HEAD], pixels[:, HEAD]), 0.0).amax(dim=(1, 2))
    centre = torch.where(seen[..., None], pixels[:, HEAD], 0.0).sum(1) / seen.sum(1, keepdim=True).clamp(
        min=1
    )
    far = torch.finfo(pixels.dtype).max
    low = torch.where(known[..., None], pixels, far).amin(1)
    high = torch.where(known[..., None], pixels, -far).amax(1)
    highest = torch.where(known, pixels[..., 1], far).argmin(1)
    top = pixels[torch.arange(len(pixels), device=pixels.device), highest]
    side = torch.where(seen.sum(1) > 1, _PER_SPAN * span, _PER_BODY * (high - low).norm(dim=1))
    centre = torch.where(seen.any(1, keepdim=True), centre, top)
    half = side[:, None] / 2
    boxes = torch.cat([(centre - half) / size, (centre + half) / size], dim=1).clamp(0, 1)
    return torch.where(known.any(1, keepdim=True), boxes, 0.0)
