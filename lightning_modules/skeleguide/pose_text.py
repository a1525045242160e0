"""Poses as text: what the PoseInverter writes, a person edits, and the renderer draws (SkeleGuide, section 3.4).

    {"people": [{"nose": [0.412, 0.231, 2, 0.98], "left_eye": [0.42, 0.22, 2, 0.97], ...}, ...]}

A joint is ``[x, y, v]`` or ``[x, y, v, confidence]``: x and y in [0, 1] from the upper left corner, v as COCO has it
(1 hidden, 2 visible), confidence in [0, 1], 1 where left out. Joints that are not there are not in the text. The same
text serves files and language models; reading is strict, so that a slip of the hand is named and not drawn.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.geometry.heads import head_boxes
from datamodules.geometry.skeleton import KEYPOINT_NAMES
from datamodules.plan_files import MAX_PEOPLE
from datamodules.schema.layout import Layout

_PLACES = {name: index for index, name in enumerate(KEYPOINT_NAMES)}
_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n\s*```\s*", re.DOTALL)


class PoseError(ValueError):
    """A text that is no pose; the message names the person, the joint and what to change."""


@dataclass(frozen=True)
class Poses:
    """The people of one image.

    Attributes:
        keypoints: COCO-17 (x, y, v) with x, y in [0, 1]; zeros where a joint is not there.
        confidence: of each joint, in [0, 1]; 0 where it is not there.
    """

    keypoints: Float[Tensor, "n k 3"]
    confidence: Float[Tensor, "n k"]

    def __post_init__(self) -> None:
        if self.keypoints.shape[1:] != (len(KEYPOINT_NAMES), 3):
            raise ValueError(
                f"keypoints: shape {tuple(self.keypoints.shape)}; expected (n, {len(KEYPOINT_NAMES)}, 3)"
            )
        if self.confidence.shape != self.keypoints.shape[:2]:
            raise ValueError(
                f"confidence: shape {tuple(self.confidence.shape)}; one per joint is "
                f"{tuple(self.keypoints.shape[:2])}"
            )

    def __len__(self) -> int:
        return self.keypoints.shape[0]

    @classmethod
    def of(cls, keypoints: Float[Tensor, "n k 3"]) -> "Poses":
        """Known keypoints, as sure as can be."""
        known = keypoints[..., 2:] > 0
        return cls(keypoints.where(known, 0.0), known[..., 0].to(keypoints.dtype))


def to_layout(poses: Sequence[Poses], size: tuple[int, int]) -> Layout:
    """One plan per image, in the order of the people; face boxes are guessed from the joints.

    Args:
        poses: one per image.
        size: (height, width) of the images in pixels.
    """
    slots = max([len(p) for p in poses], default=0)
    keypoints = torch.zeros(len(poses), slots, len(KEYPOINT_NAMES), 3)
    valid = torch.zeros(len(poses), slots, dtype=torch.bool)
    for i, own in enumerate(poses):
        keypoints[i, : len(own)] = own.keypoints.float().cpu()
        valid[i, : len(own)] = True
    boxes = head_boxes(keypoints.flatten(0, 1), torch.tensor([float(size[1]), float(size[0])]))
    return Layout(boxes.view(len(poses), slots, 4), keypoints, valid)


def encode(poses: Poses, digits: int = 4) -> str:
    """The text of an image's people, one person per line.

    Args:
        poses: at most 7 people; joints lie in [0, 1].
        digits: decimals of places; 3 are half a pixel at 512 pixels, and shorter to write for a language model.

    Raises:
        PoseError: for more than 7 people, a person without a joint, or a joint that no text can hold.
    """
    if len(poses) > MAX_PEOPLE:
        raise PoseError(f"people: {len(poses)}; a text holds at most {MAX_PEOPLE}")
    lines = []
    for index, (joints, sure) in enumerate(
        zip(poses.keypoints.tolist(), poses.confidence.tolist(), strict=True)
    ):
        person = {
            name: [round(x, digits), round(y, digits), int(v), round(c, 2)]
            for name, (x, y, v), c in zip(KEYPOINT_NAMES, joints, sure, strict=True)
            if v != 0
        }
        if not person:
            raise PoseError(f"people[{index}]: has no joint; leave the person out")
        for name, joint in person.items():
            _joint(joint, f"people[{index}].{name}")
        lines.append(json.dumps(person, allow_nan=False))
    return '{"people": [\n' + ",\n".join(lines) + "\n]}"


def decode(text: str) -> Poses:
    """The inverse of :func:`encode`.

    Raises:
        PoseError: if the text is anything else: not JSON, unknown keys or joints, a joint named twice, more than 7
            people, a person without a joint, or a joint that is not ``[x, y, v]`` or ``[x, y, v, confidence]``.
    """
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except PoseError:
        raise
    except (ValueError, RecursionError) as error:
        raise PoseError(f"not JSON: {error}") from error
    if not isinstance(content, dict) or set(content) != {"people"} or not isinstance(content["people"], list):
        raise PoseError('expected {"people": [{"nose": [x, y, v], ...}, ...]} and nothing else')
    people = content["people"]
    if len(people) > MAX_PEOPLE:
        raise PoseError(f"people: {len(people)}; a text holds at most {MAX_PEOPLE}")
    values = torch.zeros(len(people), len(KEYPOINT_NAMES), 4)
    for index, person in enumerate(people):
        where = f"people[{index}]"
        if not isinstance(person, dict) or not person:
            raise PoseError(f"{where}: expected an object with at least one joint")
        if unknown := sorted(set(person) - set(_PLACES)):
            raise PoseError(f"{where}: unknown joints {unknown}; COCO's are {', '.join(KEYPOINT_NAMES)}")
        for name, joint in person.items():
            values[index, _PLACES[name]] = torch.tensor(_joint(joint, f"{where}.{name}"))
    return Poses(values[..., :3].contiguous(), values[..., 3].contiguous())


def decode_answer(answer: str) -> Poses:
    """:func:`decode` of a language model's answer, which may stand in a fenced code block.

    Raises:
        PoseError: as :func:`decode`.
    """
    fenced = _FENCE.fullmatch(answer)
    return decode(fenced[1] if fenced else answer)


def read_pose(path: str | Path) -> Poses:
    """A pose file.

    Raises:
        PoseError: naming the file: it cannot be read, is no pose, or has nobody in it.
    """
    try:
        poses = decode(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise PoseError(f"{path}: cannot be read: {error}") from error
    except PoseError as error:
        raise PoseError(f"{path}: {error}") from error
    if not len(poses):
        raise PoseError(f"{path}: nobody in it; give 1 to {MAX_PEOPLE} people")
    return poses


def write_pose(path: str | Path, poses: Poses) -> None:
    """Write an image's people; :func:`read_pose` reads them back.

    Raises:
        PoseError: as :func:`encode`.
    """
    Path(path).write_text(encode(poses) + "\n", encoding="utf-8")


def _joint(value: Any, where: str) -> list[float]:
    good = isinstance(value, list) and len(value) in (3, 4)
    if not good or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in value):
        raise PoseError(f"{where}: {value} must be [x, y, v] or [x, y, v, confidence], numbers")
    if not all(0 <= v <= 1 for v in (*value[:2], *value[3:])):
        raise PoseError(f"{where}: {value} leaves the image; x, y and confidence go from 0 to 1")
    if value[2] not in (1, 2):
        raise PoseError(
            f"{where}: v is {value[2]}; 1 is hidden, 2 visible; leave out a joint that is not there"
        )
    return [float(v) for v in (*value, 1.0)[:4]]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PoseError(f"{', '.join(twice)}: named twice; keep one")
    return dict(pairs)


def _no_number(name: str) -> float:
    raise PoseError(f"{name} is no number that JSON knows; give finite numbers")
