"""People as COCO annotates them: ``person_keypoints_*.json``, captions, and the official V-COCO splits.

The files are read as published (cocodataset.org, "Data format"); V-COCO (Gupta and Malik 2015) is a choice of COCO's
2014 images, so its test images are in ``val2014`` and its training and validation images in ``train2014``.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from pycocotools import mask as rle
from torch import Tensor

from datamodules.geometry.skeleton import KEYPOINT_NAMES
from datamodules.jsonl import json_lines

PERSON = "person"
SPLIT_FILES = {"train": "vcoco_train.ids", "val": "vcoco_val.ids", "test": "vcoco_test.ids"}
"""Names in the official repository's ``data/splits``."""


@dataclass(frozen=True)
class CocoPerson:
    """One annotation.

    Attributes:
        keypoints: COCO-17 (x, y, v), x and y in [0, 1] of the image; zeros where v = 0 (not labelled).
        box: whole person, xyxy in [0, 1] of the image.
        area: of the person's pixels, in pixels.
        crowd: a region with many people who are not told apart; it has no keypoints.
        segmentation: polygons, or run lengths, as in the file; None where there is none.
    """

    keypoints: Float[Tensor, "k 3"]
    box: Float[Tensor, " 4"]
    area: float
    crowd: bool
    segmentation: Any = None

    @property
    def labelled(self) -> int:
        """How many joints are labelled, hidden ones (v = 1) included."""
        return int((self.keypoints[:, 2] > 0).sum())


@dataclass(frozen=True)
class CocoImage:
    """One image and the people in it.

    Attributes:
        image_id: COCO's number.
        file_name: as in the file.
        size: (height, width) in pixels.
        people: in the order of the file.
    """

    image_id: int
    file_name: str
    size: tuple[int, int]
    people: tuple[CocoPerson, ...]

    def mask(self) -> Bool[Tensor, "h w"]:
        """Every pixel of a person or a crowd; a person without segmentation is their whole box."""
        height, width = self.size
        shown = np.zeros((height, width), bool)
        for person in self.people:
            if person.segmentation:
                shown |= _pixels(person.segmentation, height, width)
            else:
                x0, y0, x1, y1 = (person.box * torch.tensor([width, height] * 2)).tolist()
                shown[int(np.floor(y0)) : int(np.ceil(y1)), int(np.floor(x0)) : int(np.ceil(x1))] = True
        return torch.from_numpy(shown)


def read_people(paths: Iterable[str | Path]) -> dict[int, CocoImage]:
    """The images of several annotation files by id, those without any person included.

    Raises:
        ValueError: naming the file and what is wrong with it, or an image that two files have.
    """
    images: dict[int, CocoImage] = {}
    for path in paths:
        content = _read(path, ("images", "annotations"))
        humans = {c["id"] for c in content.get("categories", []) if c.get("name") == PERSON} or {1}
        for image in content["images"]:
            _needs(image, ("id", "file_name", "height", "width"), f"{path}: image {image.get('id')}")
        sizes = {image["id"]: (int(image["height"]), int(image["width"])) for image in content["images"]}
        people: dict[int, list[CocoPerson]] = defaultdict(list)
        for annotation in content["annotations"]:
            if annotation.get("category_id", 1) not in humans:
                continue
            where = f"{path}: annotation {annotation.get('id')}"
            _needs(annotation, ("image_id", "bbox"), where)
            owner = annotation["image_id"]
            if owner not in sizes:
                raise ValueError(f"{where} belongs to image {owner}, which is not listed")
            people[owner].append(_person(annotation, sizes[owner], where))
        for image in content["images"]:
            key = int(image["id"])
            if key in images:
                raise ValueError(f"{path}: image {key} is in another file too; give each image once")
            images[key] = CocoImage(key, image["file_name"], sizes[image["id"]], tuple(people[image["id"]]))
    return images


def read_prompts(paths: Iterable[str | Path]) -> dict[int, str]:
    """One prompt per image id: the first of COCO's ``captions_*.json``, or lines ``{"image_id", "prompt"}`` of a JSONL.

    Raises:
        ValueError: naming the file or line that cannot be used.
    """
    prompts: dict[int, str] = {}
    for path in map(Path, paths):
        if path.suffix == ".jsonl":
            for number, row in json_lines(path):
                if not isinstance(row.get("image_id"), int) or not isinstance(row.get("prompt"), str):
                    raise ValueError(
                        f"{path}, line {number}: expected image_id (a number) and prompt (a text)"
                    )
                prompts[row["image_id"]] = row["prompt"].strip()
            continue
        for annotation in _read(path, ("annotations",))["annotations"]:
            if "caption" not in annotation:
                raise ValueError(
                    f"{path}: annotation {annotation.get('id')} has no caption; give captions_*.json"
                )
            prompts.setdefault(int(annotation["image_id"]), " ".join(annotation["caption"].split()))
    return prompts


def read_split(path: str | Path) -> tuple[int, ...]:
    """The image ids of an official split: ``vcoco_*.ids`` (one id per line), or ``vcoco_*.json`` (verb annotations).

    Raises:
        ValueError: naming the file or line that is neither.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"split: {path} is no file; take vcoco_*.ids from the V-COCO repository's data/splits"
        )
    if path.suffix == ".json":
        verbs = json.loads(path.read_text(encoding="utf-8"))
        try:
            return tuple(sorted({int(image) for verb in verbs for image in verb["image_id"]}))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"split: {path} holds no verbs with image_id; give vcoco_*.json or .ids"
            ) from error
    ids: list[int] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        if not line.strip().isdigit():
            raise ValueError(f"split: {path}, line {number}: {line.strip()!r} is no image id")
        ids.append(int(line))
    return tuple(dict.fromkeys(ids))


def read_splits(folder: str | Path) -> dict[str, tuple[int, ...]]:
    """The official splits of a folder; no image is in two of them.

    Raises:
        ValueError: if a file is missing or two splits share an image.
    """
    splits = {name: read_split(Path(folder) / file) for name, file in SPLIT_FILES.items()}
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        if shared := sorted(set(splits[one]) & set(splits[other])):
            raise ValueError(
                f"splits: image {shared[0]} is in {one} and in {other} ({len(shared)} such images)"
            )
    return splits


def _read(path: str | Path, keys: Sequence[str]) -> dict[str, Any]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"annotations: {path} cannot be read as JSON: {error}") from error
    missing = [key for key in keys if not isinstance(content, dict) or not isinstance(content.get(key), list)]
    if missing:
        raise ValueError(
            f"annotations: {path} has no list {', '.join(missing)}; give a file in COCO's format"
        )
    return content


def _needs(record: dict[str, Any], keys: Sequence[str], where: str) -> None:
    """Refuse a record without one of the keys."""
    if missing := [key for key in keys if record.get(key) is None]:
        raise ValueError(f"{where} has no {missing[0]}; give a file in COCO's format")


def _person(annotation: dict[str, Any], size: tuple[int, int], where: str) -> CocoPerson:
    values = annotation.get("keypoints", [0] * 3 * len(KEYPOINT_NAMES))
    if len(values) != 3 * len(KEYPOINT_NAMES):
        raise ValueError(f"{where}: {len(values)} numbers as keypoints; COCO has {3 * len(KEYPOINT_NAMES)}")
    height, width = size
    joints = torch.tensor(values, dtype=torch.float32).view(-1, 3)
    places = joints[:, :2] / torch.tensor([width, height])
    keypoints = torch.cat([places, joints[:, 2:]], dim=1).where(joints[:, 2:] > 0, 0.0)
    if bool(((keypoints[:, 2] != 0) & (keypoints[:, 2] != 1) & (keypoints[:, 2] != 2)).any()):
        raise ValueError(f"{where}: a joint's v is neither 0, 1 nor 2")
    x, y, w, h = annotation["bbox"]
    box = torch.tensor([x / width, y / height, (x + w) / width, (y + h) / height], dtype=torch.float32)
    return CocoPerson(
        keypoints,
        box.clamp(0, 1),
        float(annotation.get("area", w * h)),
        bool(annotation.get("iscrowd", 0)),
        annotation.get("segmentation"),
    )


def _pixels(segmentation: Any, height: int, width: int) -> np.ndarray:
    if isinstance(segmentation, list):
        runs = rle.merge(rle.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        runs = rle.frPyObjects(segmentation, height, width)
    else:
        runs = segmentation
    return np.asarray(rle.decode(runs), bool)
