"""A contact sheet of built scenes: the photograph, what was found in it, and one canvas per person with its source."""

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.geometry.canvas import draw_canvases
from datamodules.geometry.draw import draw_skeleton
from datamodules.photographs.files import encode
from datamodules.schema.scene import Scene

_TILE, _GAP, _LABEL, _PAPER = 192, 6, 16, 250
_BOX_COLOR = (255, 220, 0)


def contact_sheet(scenes: list[Scene]) -> bytes:
    """One row per scene as a PNG file; rows are as wide as the one with most people."""
    rows = [_row(scene) for scene in scenes]
    width = max((row.shape[1] for row in rows), default=_TILE)
    padded = [np.pad(r, ((0, _GAP), (0, width - r.shape[1]), (0, 0)), constant_values=_PAPER) for r in rows]
    sheet = np.concatenate(padded) if padded else np.full((_TILE, width, 3), _PAPER, np.uint8)
    return encode(torch.from_numpy(sheet).permute(2, 0, 1).float() / 255)


def _row(scene: Scene) -> np.ndarray:
    found = torch.stack([p.box for p in scene.persons])
    height, width = scene.image.shape[-2:]
    references = torch.stack([p.reference for p in scene.persons if p.reference is not None])
    landmarks = torch.stack(
        [p.reference_landmarks for p in scene.persons if p.reference_landmarks is not None]
    )
    inside = [torch.zeros(4) if p.reference_box is None else p.reference_box for p in scene.persons]
    canvases = draw_canvases(
        references, landmarks, found, (height, width), fill=0.85, reference_boxes=torch.stack(inside)
    ).images
    overlay = draw_skeleton(
        torch.stack([p.keypoints for p in scene.persons]), (height, width), over=scene.image * 0.6
    )
    tiles = [_tile(scene.image, scene.scene_id), _tile(overlay, f"{len(scene)} people", found)]
    tiles += [
        _tile(canvas, person.reference_source, person.box[None])
        for canvas, person in zip(canvases, scene.persons, strict=True)
    ]
    return np.concatenate(tiles, axis=1)


def _tile(image: Float[Tensor, "3 h w"], label: str, boxes: Float[Tensor, "n 4"] | None = None) -> np.ndarray:
    height, width = image.shape[-2:]
    scale = _TILE / height
    pixels = np.ascontiguousarray((image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    pixels = np.asarray(cv2.resize(pixels, (round(width * scale), _TILE), interpolation=method))
    for box in [] if boxes is None else boxes:
        x0, y0, x1, y1 = (box * torch.tensor([pixels.shape[1], _TILE] * 2)).round().int().tolist()
        cv2.rectangle(pixels, (x0, y0), (x1, y1), _BOX_COLOR, 1)
    tile = np.pad(pixels, ((_LABEL, 0), (_GAP, 0), (0, 0)), constant_values=_PAPER)
    cv2.putText(
        tile, label, (_GAP + 2, _LABEL - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (40, 40, 40), 1, cv2.LINE_AA
    )
    return tile
