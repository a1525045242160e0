"""Edits of a pose as a person would make them, to see whether a picture follows."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from datamodules.schema.layout import Layout

_LEFT_SHOULDER, _LEFT_ARM = 5, (7, 9)


def turn_left_arm(layout: Layout) -> Layout:
    """Everybody's left elbow and wrist, turned over at the height of the shoulder: an arm that hangs is raised.

    A joint that would leave the picture is taken out; who shows no left shoulder stays as planned.
    """
    keypoints = layout.keypoints.clone()
    shoulder = keypoints[..., _LEFT_SHOULDER, :]
    for joint in _LEFT_ARM:
        turned = keypoints[..., joint, :].clone()
        turned[..., 1] = 2 * shoulder[..., 1] - turned[..., 1]
        there = (turned[..., 2] > 0) & (shoulder[..., 2] > 0)
        inside = (turned[..., 1] >= 0) & (turned[..., 1] <= 1)
        turned = torch.where(inside[..., None], turned, 0.0)
        keypoints[..., joint, :] = torch.where(there[..., None], turned, keypoints[..., joint, :])
    return replace(layout, keypoints=keypoints)


def moved_joints(
    before: Float[Tensor, "*b k 3"], after: Float[Tensor, "*b k 3"], least: float = 0.05
) -> Bool[Tensor, "*b k"]:
    """Joints that an edit has moved by ``least`` of the picture or more, and that are still in it."""
    far = (before[..., :2] - after[..., :2]).norm(dim=-1) >= least
    moved: Bool[Tensor, "*b k"] = far & (before[..., 2] > 0) & (after[..., 2] > 0)
    return moved
