"""The reader against pycocotools, and the official lists of ids."""

import contextlib
import io
import json

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from small_vcoco import GOOD, HEIGHT, SPLITS, WIDTH, scene_of

from datamodules.coco_people import read_people, read_prompts, read_split, read_splits


def keypoint_files(folder):
    return sorted((folder / "annotations").glob("person_keypoints_*.json"))


@pytest.fixture(scope="module")
def images(vcoco):
    return read_people(keypoint_files(vcoco))


def test_people_and_masks_are_pycocotools(vcoco, images):
    seen = 0
    for path in keypoint_files(vcoco):
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(str(path))
        for image_id in coco.getImgIds():
            theirs = coco.loadAnns(coco.getAnnIds(image_id))
            ours = images[image_id]
            assert ours.size == (HEIGHT, WIDTH)
            assert len(ours.people) == len(theirs)
            mask = np.zeros((HEIGHT, WIDTH), bool)
            for person, annotation in zip(ours.people, theirs, strict=True):
                mask |= coco.annToMask(annotation).astype(bool)
                assert person.labelled == annotation["num_keypoints"]
                assert person.crowd == bool(annotation["iscrowd"])
                joints = person.keypoints * torch.tensor([WIDTH, HEIGHT, 1.0])
                torch.testing.assert_close(joints.flatten(), torch.tensor(annotation["keypoints"]).float())
                seen += 1
            np.testing.assert_array_equal(ours.mask().numpy(), mask)
    assert seen > 15


def test_visibility_stays_as_annotated(images):
    kinds = {int(v) for i in GOOD for p in images[i].people for v in p.keypoints[:, 2]}
    assert kinds == {0, 1, 2}
    for person in images[1].people:
        unlabelled = person.keypoints[person.keypoints[:, 2] == 0]
        assert unlabelled.abs().sum() == 0
        assert person.keypoints[10].tolist() == [0, 0, 0]


def test_a_person_without_segmentation_is_their_box(tmp_path):
    row = {"id": 5, "image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [2.5, 1, 3, 4], "area": 12}
    other = {**row, "category_id": 18, "bbox": [0, 0, 9, 9]}
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 8, "width": 10}],
        "annotations": [row, other],
        "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
    }
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(content))
    (image,) = read_people([path]).values()
    assert len(image.people) == 1, "a dog is nobody"
    mask = image.mask()
    assert int(mask.sum()) == 4 * 4
    assert bool(mask[1:5, 2:6].all())


def test_the_first_caption_is_the_prompt(vcoco, tmp_path):
    prompts = read_prompts(sorted((vcoco / "annotations").glob("captions_*.json")))
    assert prompts[3] == scene_of(3).prompt
    assert 10 not in prompts
    lines = tmp_path / "prompts.jsonl"
    lines.write_text('{"image_id": 3, "prompt": "somebody else "}\n')
    assert read_prompts([lines]) == {3: "somebody else"}
    lines.write_text('{"image_id": "3", "prompt": ""}\n')
    with pytest.raises(ValueError, match="line 1: expected image_id"):
        read_prompts([lines])


def test_official_splits_are_read_and_disjoint(vcoco, tmp_path):
    assert read_splits(vcoco / "splits") == SPLITS
    verbs = [{"action_name": "hold", "image_id": [7, 5, 5]}, {"action_name": "sit", "image_id": [2]}]
    (tmp_path / "vcoco_val.json").write_text(json.dumps(verbs))
    assert read_split(tmp_path / "vcoco_val.json") == (2, 5, 7)
    for name, ids in (("train", "1\n2\n"), ("val", "3\n"), ("test", "2\n")):
        (tmp_path / f"vcoco_{name}.ids").write_text(ids)
    with pytest.raises(ValueError, match="image 2 is in train and in test"):
        read_splits(tmp_path)
    (tmp_path / "vcoco_test.ids").write_text("2x\n")
    with pytest.raises(ValueError, match="line 1: '2x' is no image id"):
        read_splits(tmp_path)
    with pytest.raises(ValueError, match="is no file"):
        read_split(tmp_path / "vcoco_all.ids")


def test_broken_files_are_named(vcoco, tmp_path):
    path = tmp_path / "broken.json"
    path.write_text("{")
    with pytest.raises(ValueError, match=r"broken\.json cannot be read"):
        read_people([path])
    path.write_text('{"images": []}')
    with pytest.raises(ValueError, match="no list annotations"):
        read_people([path])
    file = keypoint_files(vcoco)[0]
    with pytest.raises(ValueError, match="is in another file too"):
        read_people([file, file])
    content = json.loads(file.read_text())
    content["annotations"][0]["keypoints"] = [1, 2, 3]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="3 numbers as keypoints"):
        read_people([path])


@pytest.mark.parametrize(
    ("where", "key", "said"),
    [("annotations", "bbox", "annotation 7 has no bbox"), ("images", "height", "image 1 has no height")],
)
def test_a_record_without_a_field_is_named(tmp_path, where, key, said):
    content = {
        "images": [{"id": 1, "file_name": "1.jpg", "height": 10, "width": 10}],
        "annotations": [{"id": 7, "image_id": 1, "bbox": [0, 0, 5, 5]}],
    }
    file = tmp_path / "people.json"
    file.write_text(json.dumps(content))
    assert len(read_people([file])[1].people) == 1
    del content[where][0][key]
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=said):
        read_people([file])
