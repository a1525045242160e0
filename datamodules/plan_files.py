"""Plans as JSON files: what a user writes by hand, an Architect writes by itself, and the Artist reads.

    {"people": [{"box": [0.2, 0.3, 0.32, 0.47], "depth": 0, "keypoints": [[0.26, 0.4, 2], ...]}, ...]}

A box is a face box, xyxy in [0, 1]. ``depth`` (0 nearest) and ``keypoints`` (COCO-17: x, y in [0, 1], v) may be left
out. People stand in the order of their reference faces. ``prompt`` and ``scene`` beside ``people`` are remarks.
"""

import json
import math
from pathlib import Path
from typing import Any

import torch
from torchvision.ops import box_iou

from datamodules.geometry.skeleton import KEYPOINT_NAMES
from datamodules.schema.layout import Layout

MAX_PEOPLE = 7
MIN_SIDE = 0.02
MAX_OVERLAP = 0.9
_KEYS = {"box", "depth", "keypoints"}
_REMARKS = ("prompt", "scene")  # what a plan was made for
_LARGEST = 1_000_000


class PlanError(ValueError):
    """A plan that cannot be drawn; the message names the file, the person and what to change."""


def read_plan(path: str | Path) -> Layout:
    """A plan file as a layout of one scene; ``prompt`` and ``scene``, which it may hold, are not looked at.

    Raises:
        PlanError: if the file is no such plan: unreadable, nobody or more than seven people in it, a box that is not
            four finite numbers in [0, 1] with a size, or two people in the same place.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, RecursionError, ValueError) as error:
        raise PlanError(f"{path}: cannot be read as JSON: {error}") from error
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list) or set(content) - {"people", *_REMARKS}:
        raise PlanError(
            f'{path}: expected {{"people": [{{"box": [x0, y0, x1, y1]}}, ...]}} and nothing else but {_REMARKS}'
        )
    if not 1 <= len(people) <= MAX_PEOPLE:
        raise PlanError(f"{path}: {len(people)} people; a plan holds 1 to {MAX_PEOPLE}")
    boxes, bodies, depths = [], [], []
    for index, person in enumerate(people):
        where = f"{path}: people[{index}]"
        if not isinstance(person, dict) or (unknown := set(person) - _KEYS) or "box" not in person:
            extra = f"; unknown: {sorted(unknown)}" if isinstance(person, dict) and unknown else ""
            raise PlanError(f"{where}: expected an object with box, and depth or keypoints if known{extra}")
        boxes.append(_box(person["box"], where))
        bodies.append(_body(person.get("keypoints"), where))
        depths.append(_depth(person.get("depth", 0), where))
    stacked = torch.tensor(boxes)
    overlap = box_iou(stacked, stacked).triu(diagonal=1)
    if float(overlap.max()) > MAX_OVERLAP:
        first, second = divmod(int(overlap.argmax()), len(boxes))
        raise PlanError(
            f"{path}: people[{first}] and people[{second}] are in the same place "
            f"(overlap {float(overlap.max()):.2f}, at most {MAX_OVERLAP}); move one of them"
        )
    return Layout(
        boxes=stacked[None],
        keypoints=torch.tensor(bodies)[None],
        valid=torch.ones(1, len(boxes), dtype=torch.bool),
        depths=torch.tensor(depths)[None],
    )


def write_plan(path: str | Path, layout: Layout, index: int = 0) -> None:
    """Write one scene's plan; :func:`read_plan` reads it back."""
    content = {"people": plan_people(layout, index)}
    Path(path).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def plan_people(layout: Layout, index: int = 0) -> list[dict[str, Any]]:
    """What stands under ``people`` in the plan of one scene."""
    people = []
    for slot in layout.valid[index].nonzero()[:, 0].tolist():
        person: dict[str, Any] = {"box": [round(v, 5) for v in layout.boxes[index, slot].tolist()]}
        if layout.depths is not None:
            person["depth"] = int(layout.depths[index, slot])
        if bool((layout.keypoints[index, slot, :, 2] > 0).any()):
            person["keypoints"] = [[round(v, 5) for v in k] for k in layout.keypoints[index, slot].tolist()]
        people.append(person)
    return people


def row_of_faces(count: int, size: float = 0.17, height: float = 0.4) -> Layout:
    """People side by side, as a photographer would line them up: a plan where nobody planned.

    Args:
        count: 1 to 7 people.
        size: side of a face box in [0, 1], less where many people stand.
        height: of the faces' centres below the upper edge, in [0, 1].

    Raises:
        PlanError: if nobody or too many people are asked for.
    """
    if not 1 <= count <= MAX_PEOPLE:
        raise PlanError(f"count: {count} people; a plan holds 1 to {MAX_PEOPLE}")
    side = min(size, 0.85 / count)
    x = (torch.arange(count) + 0.5) / count
    boxes = torch.stack(
        [
            x - side / 2,
            torch.full((count,), height - side / 2),
            x + side / 2,
            torch.full((count,), height + side / 2),
        ],
        dim=1,
    )
    return Layout(
        boxes=boxes[None],
        keypoints=torch.zeros(1, count, len(KEYPOINT_NAMES), 3),
        valid=torch.ones(1, count, dtype=torch.bool),
    )


def _finite(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) <= _LARGEST


def _box(value: Any, where: str) -> list[float]:
    if not isinstance(value, list) or len(value) != 4 or not all(_finite(v) for v in value):
        raise PlanError(f"{where}.box: {value} must be four finite numbers [x0, y0, x1, y1] in [0, 1]")
    if not all(0 <= v <= 1 for v in value):
        raise PlanError(f"{where}.box: {value} leaves the image; x and y go from 0 to 1")
    if value[2] - value[0] < MIN_SIDE or value[3] - value[1] < MIN_SIDE:
        raise PlanError(f"{where}.box: {value} must have x0 < x1 and y0 < y1, at least {MIN_SIDE} apart")
    return [float(v) for v in value]


def _body(value: Any, where: str) -> list[list[float]]:
    if value is None:
        return [[0.0, 0.0, 0.0]] * len(KEYPOINT_NAMES)
    good = isinstance(value, list) and len(value) == len(KEYPOINT_NAMES)
    if not good or not all(isinstance(k, list) and len(k) == 3 and all(map(_finite, k)) for k in value):
        raise PlanError(f"{where}.keypoints: expected {len(KEYPOINT_NAMES)} times [x, y, v], COCO's order")
    for index, (x, y, v) in enumerate(value):
        if not (-1 <= x <= 2 and -1 <= y <= 2 and 0 <= v <= 2):
            raise PlanError(
                f"{where}.keypoints[{index}]: {[x, y, v]}; x and y are shares of the image (0 to 1 inside), v is 0 to 2"
            )
    return [[float(v) for v in keypoint] for keypoint in value]


def _depth(value: Any, where: str) -> int:
    if not _finite(value) or value != int(value) or value < 0:
        raise PlanError(f"{where}.depth: {value!r} must be a whole number, 0 for the nearest")
    return int(value)
