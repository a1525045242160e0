"""An edit of a pose as a person would make it, to see whether a picture follows."""

import math
from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from datamodules.schema.layout import Layout

_LEFT, _RIGHT, _ELBOW, _WRIST = 5, 6, 7, 9
RAISED_DEG = 60.0
"""A raised arm points this much above the horizontal."""


def raised_arm(joints: Float[Tensor, "*b 4 2"]) -> Float[Tensor, "*b 2 2"]:
    """An arm stretched outwards and up from its shoulder, by ``RAISED_DEG``; both bones keep their lengths.

    Args:
        joints: the arm's shoulder, the other shoulder, elbow and wrist, in pixels, y down.

    Returns:
        Elbow and wrist.
    """
    shoulder, other, elbow, wrist = joints.unbind(dim=-2)
    angle = math.radians(RAISED_DEG)
    outwards = torch.where(shoulder[..., 0] < other[..., 0], -1.0, 1.0)
    direction = torch.stack([outwards * math.cos(angle), torch.full_like(outwards, -math.sin(angle))], dim=-1)
    upper = (elbow - shoulder).norm(dim=-1, keepdim=True)
    lower = (wrist - elbow).norm(dim=-1, keepdim=True)
    return torch.stack([shoulder + upper * direction, shoulder + (upper + lower) * direction], dim=-2)


def raise_left_arm(layout: Layout, size: tuple[int, int]) -> Layout:
    """Everybody's left arm stretched outwards and up (``raised_arm``).

    A joint that would leave the picture is taken out. Who shows no left shoulder or elbow stays as planned; without a
    right shoulder, outwards is to the right of the picture.

    Args:
        layout: keypoints as shares of the picture.
        size: (height, width) of the picture.
    """
    pixels = layout.keypoints.new_tensor([size[1], size[0]])
    points, seen = layout.keypoints[..., :2] * pixels, layout.keypoints[..., 2] > 0
    other = torch.where(seen[..., [_RIGHT]], points[..., _RIGHT, :], points[..., _LEFT, :])
    arm = torch.stack([points[..., _LEFT, :], other, points[..., _ELBOW, :], points[..., _WRIST, :]], dim=-2)
    raised = raised_arm(arm) / pixels
    keypoints = layout.keypoints.clone()
    there = seen[..., _LEFT] & seen[..., _ELBOW]
    for joint, place in zip((_ELBOW, _WRIST), raised.unbind(dim=-2), strict=True):
        inside = ((place >= 0) & (place <= 1)).all(dim=-1)
        moved = torch.cat([place, keypoints[..., joint, 2:]], dim=-1)
        moved = torch.where(inside[..., None], moved, 0.0)
        keypoints[..., joint, :] = torch.where(
            (there & seen[..., joint])[..., None], moved, keypoints[..., joint, :]
        )
    return replace(layout, keypoints=keypoints)


def moved_joints(
    before: Float[Tensor, "*b k 3"], after: Float[Tensor, "*b k 3"], least: float = 0.05
) -> Bool[Tensor, "*b k"]:
    """Joints that an edit has moved by ``least`` of the picture or more, and that are still in it."""
    far = (before[..., :2] - after[..., :2]).norm(dim=-1) >= least
    moved: Bool[Tensor, "*b k"] = far & (before[..., 2] > 0) & (after[..., 2] > 0)
    return moved
