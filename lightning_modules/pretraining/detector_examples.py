"""Two kinds of examples that plain renders lack, made from them: pasted reference views and ruined faces.

The first lets the detector read canvases and lone reference views; the second teaches it that a smudge on a neck is
not a face, which is what half-formed generated people look like.
"""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from lightning_modules.pretraining.rendered import RenderedBatch
from rewards.analyzers.alignment import fit_similarity


def with_canvases(batch: RenderedBatch, share: float) -> tuple[RenderedBatch, Bool[Tensor, " b"]]:
    """Replace a ``share`` of the images by plain canvases with reference views pasted over the face boxes.

    Returns:
        The batch, and which images are still renders (their masks and bodies are known).
    """
    images, valid, landmarks = batch.images.clone(), batch.valid.clone(), batch.landmarks.clone()
    render = torch.rand(len(batch), device=images.device) >= share
    for i in (~render).nonzero()[:, 0].tolist():
        grey = torch.rand(()) < 0.6
        colour = torch.full((3,), 0.5) if grey else torch.rand(3)
        images[i] = colour.to(images)[:, None, None]
        taken: list[Tensor] = []
        for j in valid[i].nonzero()[:, 0].tolist():
            place = _reference_place(batch, i, j)
            if any(_overlap(place, other) for other in taken) or place.min() < 0 or place.max() > 1:
                valid[i, j] = False
                continue
            taken.append(place)
            placed = _paste(images[i], batch.references[i, j], place)
            landmarks[i, j] = placed[:2] + batch.reference_landmarks[i, j] * (placed[2:] - placed[:2])
    return replace(batch, images=images, valid=valid, landmarks=landmarks), render


def with_ruined_faces(batch: RenderedBatch, share: float) -> RenderedBatch:
    """In a ``share`` of the images one face is made unrecognisable and is no longer a face to be found."""
    images, valid = batch.images.clone(), batch.valid.clone()
    h, w = images.shape[-2:]
    for i in (torch.rand(len(batch)) < share).nonzero()[:, 0].tolist():
        present = valid[i].nonzero()[:, 0]
        if not len(present):
            continue
        j = present[torch.randint(len(present), ())]
        x1, y1, x2, y2 = (batch.boxes[i, j] * batch.boxes.new_tensor([w, h, w, h])).round().long().tolist()
        x1, y1, x2, y2 = max(0, x1), max(0, y1), min(w, x2), min(h, y2)
        if x2 - x1 < 4 or y2 - y1 < 4:
            continue
        images[i, :, y1:y2, x1:x2] = _ruin(images[i, :, y1:y2, x1:x2])
        valid[i, j] = False
    return replace(batch, images=images, valid=valid)


def _ruin(face: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h w"]:
    kind = int(torch.randint(3, ()))
    if kind == 0:
        cells = functional.adaptive_avg_pool2d(face, 2)[None]
        return functional.interpolate(cells, size=face.shape[-2:], mode="bilinear")[0]
    if kind == 1:
        return face.mean((1, 2), keepdim=True) + 0.03 * torch.randn_like(face)
    order = torch.randperm(face[0].numel(), device=face.device)
    shuffled = face.flatten(1)[:, order].view_as(face)
    return functional.avg_pool2d(shuffled[None], 3, 1, 1, count_include_pad=False)[0]


def _reference_place(batch: RenderedBatch, i: int, j: int) -> Float[Tensor, " 4"]:
    """Where (xyxy in [0, 1]) the reference must lie for its face to cover the face box, upright."""
    a, _ = fit_similarity(batch.reference_landmarks[i, j][None], batch.landmarks[i, j][None])
    side = a.abs()[0]
    low = batch.landmarks[i, j].mean(0) - side * batch.reference_landmarks[i, j].mean(0)
    return torch.cat([low, low + side])


def _paste(
    image: Float[Tensor, "3 h w"], reference: Float[Tensor, "3 r r"], place: Float[Tensor, " 4"]
) -> Float[Tensor, " 4"]:
    """Paste in place; returns where it came to lie, on whole pixels."""
    h, w = image.shape[-2:]
    x1, y1, x2, y2 = (place * place.new_tensor([w, h, w, h])).round().long().tolist()
    size = (max(1, y2 - y1), max(1, x2 - x1))
    small = functional.interpolate(reference[None], size=size, mode="bilinear", antialias=True)[0]
    image[:, y1 : y1 + size[0], x1 : x1 + size[1]] = small
    return place.new_tensor([x1 / w, y1 / h, (x1 + size[1]) / w, (y1 + size[0]) / h])


def _overlap(one: Float[Tensor, " 4"], other: Float[Tensor, " 4"]) -> bool:
    return bool((one[:2] < other[2:]).all() and (other[:2] < one[2:]).all())
