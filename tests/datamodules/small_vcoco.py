"""A miniature V-COCO in COCO's own file formats: tiny-world scenes as photographs of 160 x 128 pixels.

Ids 1 to 6 are good images of 1 to 3 people; 7 shows nobody, 8 has a crowd, 9 somebody with two labelled joints, 10 no
caption, 11 no photograph. Odd ids are in train2014, even ones in val2014.
"""

import json
from pathlib import Path

import cv2
import numpy as np
import torch
from pycocotools import mask as rle
from torchvision.utils import save_image

from datamodules.tiny_world.scenes import draw_scene

WIDTH, HEIGHT, MARGIN = 160, 128, 16
GOOD = (1, 2, 3, 4, 5, 6)
SPLITS = {"train": (1, 3, 7, 9), "val": (5, 11), "test": (2, 4, 6, 8, 10)}


def scene_of(image_id):
    return draw_scene(image_id, "test", count=1 + image_id % 3)


def framed(image):
    """A scene as the middle of a wider picture."""
    wide = torch.full((*image.shape[:-1], WIDTH), 0.25)
    wide[..., MARGIN : MARGIN + HEIGHT] = image
    return wide


def person_mask(person):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, MARGIN : MARGIN + HEIGHT] = person.mask.numpy()
    return mask


def annotations_of(image_id, scene):
    rows = []
    for number, person in enumerate(scene.persons):
        joints = person.keypoints.clone()
        joints[:, 0] = joints[:, 0] * HEIGHT + MARGIN
        joints[:, 1] = joints[:, 1] * HEIGHT
        joints[joints[:, 2] == 0] = 0
        joints[10] = 0  # nobody's right wrist is labelled
        if image_id == 9 and number == 0:
            joints[2:] = 0
        mask = person_mask(person)
        x, y, w, h = cv2.boundingRect(mask)
        rows.append(
            {
                "id": 100 * image_id + number,
                "image_id": image_id,
                "category_id": 1,
                "iscrowd": 0,
                "keypoints": joints.round(decimals=2).flatten().tolist(),
                "num_keypoints": int((joints[:, 2] > 0).sum()),
                "bbox": [x, y, w, h],
                "area": float(mask.sum()),
                "segmentation": polygons(mask) if number % 2 else runs(mask),
            }
        )
    if image_id == 8:
        crowd = np.zeros((HEIGHT, WIDTH), np.uint8)
        crowd[:30, :50] = 1
        rows.append(
            {
                **{"id": 899, "image_id": 8, "category_id": 1, "iscrowd": 1, "num_keypoints": 0},
                **{"keypoints": [0] * 51, "bbox": [0, 0, 50, 30], "area": 1500.0},
                "segmentation": {"size": [HEIGHT, WIDTH], "counts": plain_counts(crowd)},
            }
        )
    return rows


def polygons(mask):
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [c.reshape(-1).astype(float).tolist() for c in contours if len(c) >= 3]


def runs(mask):
    found = rle.encode(np.asfortranarray(mask))
    return {"size": found["size"], "counts": found["counts"].decode()}


def plain_counts(mask):
    """Uncompressed run lengths, column by column, as crowds have them."""
    flat = mask.flatten(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff(np.concatenate([[0], edges, [len(flat)]])).tolist()
    return [0, *lengths] if flat[0] else lengths


def write_vcoco(folder: Path) -> None:
    for name in ("train2014", "val2014", "backgrounds", "annotations", "splits"):
        (folder / name).mkdir(parents=True)
    for part, remainder in (("train2014", 1), ("val2014", 0)):
        images, people, captions = [], [], []
        for image_id in range(1, 12):
            if image_id % 2 != remainder:
                continue
            scene = scene_of(image_id)
            name = f"COCO_{part}_{image_id:012d}.png"
            images.append({"id": image_id, "file_name": name, "height": HEIGHT, "width": WIDTH})
            empty = image_id == 7
            if not empty:
                people += annotations_of(image_id, scene)
            if image_id != 10:
                captions.append({"id": image_id, "image_id": image_id, "caption": f" {scene.prompt}\n"})
                captions.append({"id": image_id + 50, "image_id": image_id, "caption": "another caption"})
            if image_id != 11:
                save_image(framed(scene.background if empty else scene.image), folder / part / name)
            if image_id != 6:
                save_image(framed(scene.background), folder / "backgrounds" / name)
        categories = [{"id": 1, "name": "person", "skeleton": []}]
        keypoints = {"images": images, "annotations": people, "categories": categories}
        captioned = {"images": images, "annotations": captions}
        (folder / "annotations" / f"person_keypoints_{part}.json").write_text(json.dumps(keypoints))
        (folder / "annotations" / f"captions_{part}.json").write_text(json.dumps(captioned))
    for split, ids in SPLITS.items():
        (folder / "splits" / f"vcoco_{split}.ids").write_text("".join(f"{i}\n" for i in ids))
