"""Pictures of skeletons, for pose canvases and overlays.

Limbs in sixteen hues that never change (OpenPose's manner), left and right told apart, joints as dots.
"""

import colorsys

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.geometry.skeleton import EDGES
from datamodules.schema.layout import Layout


def _hue(share: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(share, 1.0, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


EDGE_COLORS: tuple[tuple[int, int, int], ...] = tuple(_hue(i / len(EDGES)) for i in range(len(EDGES)))
"""RGB colour of each edge of ``EDGES``."""

JOINT_COLOR = (255, 255, 255)
_SHIFT = 4
_FACE_JOINTS = 5


def draw_skeleton(
    keypoints: Float[Tensor, "n k 3"],
    size: tuple[int, int],
    over: Float[Tensor, "3 h w"] | None = None,
    thickness: float = 0.018,
) -> Float[Tensor, "3 h w"]:
    """Draw COCO-17 skeletons; a joint is drawn if v > 0, a limb if both its joints are.

    Args:
        keypoints: (x, y, v) with x, y in [0, 1]; later people are drawn over earlier ones.
        size: (height, width) in pixels.
        over: image to draw on, RGB in [0, 1]; black where None.
        thickness: limb width as a fraction of the shorter image side (at least one pixel).

    Returns:
        RGB in [0, 1].

    Raises:
        ValueError: if ``over`` is not of that size.
    """
    height, width = size
    if over is None:
        pixels = np.zeros((height, width, 3), np.uint8)
    elif tuple(over.shape) == (3, height, width):
        scaled = over.detach().float().clamp(0, 1).mul(255).round().to(torch.uint8)
        pixels = np.ascontiguousarray(scaled.permute(1, 2, 0).cpu().numpy())
    else:
        raise ValueError(f"over: shape {tuple(over.shape)}; expected (3, {height}, {width}) as size says")
    line_width = max(1, round(thickness * min(height, width)))
    for person in keypoints.detach().float().cpu().numpy():
        _draw_person(pixels, person, line_width)
    return torch.from_numpy(pixels).permute(2, 0, 1).float().div(255).contiguous()


def draw_layouts(
    layout: Layout, size: tuple[int, int], over: Float[Tensor, "b 3 h w"] | None = None
) -> Float[Tensor, "b 3 h w"]:
    """The skeletons of each plan on one picture (SkeleGuide: I_M, over the scene; a pose image: over black).

    Args:
        layout: one plan per picture; its people are drawn in order.
        size: (height, width) in pixels.
        over: pictures to draw on, RGB in [0, 1]; black where None.

    Raises:
        ValueError: if there is not one picture per plan, or they are not of that size.
    """
    if over is not None and len(over) != len(layout):
        raise ValueError(f"over: {len(over)} pictures for {len(layout)} plans; give one per plan")
    drawn = [
        draw_skeleton(layout.keypoints[i][layout.valid[i]], size, None if over is None else over[i])
        for i in range(len(layout))
    ]
    return torch.stack(drawn) if drawn else torch.zeros(0, 3, *size)


def _draw_person(pixels: np.ndarray, person: np.ndarray, line_width: int) -> None:
    height, width = pixels.shape[:2]
    # Pixel i covers [i, i + 1): its centre lies at i + 0.5.
    scale = 1 << _SHIFT
    points = np.round((person[:, :2] * (width, height) - 0.5) * scale).astype(int)
    visible = person[:, 2] > 0
    thin = max(1, line_width // 2)
    for (a, b), color in zip(EDGES, EDGE_COLORS, strict=True):
        if visible[a] and visible[b]:
            width_here = thin if max(a, b) < _FACE_JOINTS else line_width
            cv2.line(pixels, _xy(points[a]), _xy(points[b]), color, width_here, cv2.LINE_AA, _SHIFT)
    for joint in np.flatnonzero(visible):
        radius = 0.55 * (thin if joint < _FACE_JOINTS else line_width)
        cv2.circle(pixels, _xy(points[joint]), round(radius * scale), JOINT_COLOR, -1, cv2.LINE_AA, _SHIFT)


def _xy(point: np.ndarray) -> tuple[int, int]:
    return int(point[0]), int(point[1])
