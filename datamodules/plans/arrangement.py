"""Where the people of a prompt stand: face boxes of the tiny world's own staging."""

import random

import numpy as np

from datamodules.tiny_world.frames import HeadFrame
from datamodules.tiny_world.heads import face_box
from datamodules.tiny_world.identities import sample_identity
from datamodules.tiny_world.outfits import sample_outfit
from datamodules.tiny_world.placement import SIZE
from datamodules.tiny_world.staging import CastMember, stage

MAX_OVERLAP = 0.12
"""People are placed again while two faces overlap by a larger IoU; in rendered scenes 95 % stay below 0.04."""
_ATTEMPTS = 8


def arrange(rng: random.Random, actions: list[str]) -> np.ndarray:
    """Face boxes of people who do these things, from left to right.

    Args:
        rng: source of randomness.
        actions: what each person does, in the tiny world's words; too many who lie down sit instead.

    Returns:
        (n, 4) float32, xyxy in [0, 1], sorted by the x of their centres, equal x by y.
    """
    lying = 2 if len(actions) <= 2 else 1
    fitting = [
        "sitting"
        if action == "lying" and "lying" in actions[:k] and actions[:k].count("lying") >= lying
        else action
        for k, action in enumerate(actions)
    ]
    best, overlap = np.zeros((0, 4)), 2.0
    for _ in range(_ATTEMPTS):
        boxes = _boxes(rng, fitting)
        found = largest_overlap(boxes)
        if found < overlap:
            best, overlap = boxes, found
        if overlap <= MAX_OVERLAP:
            break
    order = np.lexsort((best[:, 1] + best[:, 3], best[:, 0] + best[:, 2]))
    return best[order].astype(np.float32)


def largest_overlap(boxes: np.ndarray) -> float:
    """The largest IoU of two of the boxes; 0 for one alone."""
    if len(boxes) < 2:
        return 0.0
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1)
    iou = shared / (area[:, None] + area[None] - shared)
    np.fill_diagonal(iou, 0)
    return float(iou.max())


def _boxes(rng: random.Random, actions: list[str]) -> np.ndarray:
    members = []
    for action in actions:
        woman = rng.random() < 0.5
        members.append(CastMember(sample_identity(rng, "train", woman), sample_outfit(rng, woman), 0, action))
    staged = stage(rng, members, frontal=rng.random() < 0.3)
    boxes = [
        face_box(m.identity, HeadFrame(s.figure.head, s.slot.radius, s.roll_deg, s.yaw_deg))
        for m, s in zip(members, staged, strict=True)
    ]
    return np.clip(np.array(boxes) / SIZE, 0.0, 1.0)
