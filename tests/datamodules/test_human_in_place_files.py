"""Samples from a miniature V-COCO: what is in them, what is left out, and how pictures become squares."""

import shutil
from dataclasses import replace

import pytest
import torch
from jsonargparse import ArgumentParser
from lightning import LightningDataModule
from small_vcoco import GOOD, HEIGHT, MARGIN, WIDTH, scene_of

from datamodules.coco_people import read_people
from datamodules.coco_samples import CocoFolder, SampleChoice
from datamodules.human_in_place_files import HumanInPlaceFiles, HumanInPlaceFilesDataModule
from datamodules.human_removal import HumanRemoval, OpenCVInpainting


def files_in(folder):
    return CocoFolder(
        images=(str(folder / "train2014"), str(folder / "val2014")),
        annotations=tuple(str(p) for p in sorted((folder / "annotations").glob("person_keypoints*"))),
        prompts=tuple(str(p) for p in sorted((folder / "annotations").glob("captions*"))),
        backgrounds=str(folder / "backgrounds"),
    )


class Grey(HumanRemoval):
    """A removal model that is easily recognised."""

    def __init__(self):
        self.calls = 0

    def remove(self, images, people):
        self.calls += 1
        return torch.where(people[:, None], 0.5, images)


def test_a_cropped_sample_is_the_scene(vcoco):
    data = HumanInPlaceFiles(files_in(vcoco), SampleChoice(size=128))
    index = [data.image_id(i) for i in range(len(data))].index(3)
    sample, scene = data[index], scene_of(3)
    assert sample.prompts == (scene.prompt,)
    assert sample.names == ("COCO_train2014_000000000003",)
    left = data.samples[index].frame.low[1]
    shift = left - MARGIN
    wide = torch.full((3, HEIGHT, WIDTH), 0.25)
    wide[..., MARGIN : MARGIN + HEIGHT] = scene.image
    torch.testing.assert_close(sample.target[0], wide[..., left : left + 128], atol=0.003, rtol=0)
    joints = scene.persons[0].keypoints.clone()
    joints[10] = 0
    got = sample.layout.keypoints[0, 0]
    assert torch.equal(got[:, 2] > 0, joints[:, 2] > 0)
    moved = joints[:, 0] - shift / 128
    torch.testing.assert_close(got[:, 0], moved.where(joints[:, 2] > 0, 0.0), atol=1e-3, rtol=0)
    outside = ~sample.people_mask[0]
    assert (sample.source[0] - sample.target[0]).abs()[:, outside].mean() < 0.01
    assert (sample.layout_image != sample.source).any()


def test_left_out_says_why(vcoco):
    data = HumanInPlaceFiles(files_in(vcoco), SampleChoice(size=128))
    assert [data.image_id(i) for i in range(len(data))] == sorted(
        set(GOOD) - {6}, key=lambda i: (i % 2 == 0, i)
    )
    assert data.left_out[6] == "has no background, and no removal model is given"
    assert data.left_out[7] == "no person is annotated"
    assert data.left_out[8] == "has a crowd region"
    assert data.left_out[9] == "somebody has fewer than 5 labelled joints"
    assert data.left_out[10] == "has no prompt"
    assert data.left_out[11] == "its photograph is in none of the folders"
    assert sum(data.reasons().values()) == 6
    choice = SampleChoice(size=128, people=(1, 2))
    assert HumanInPlaceFiles(files_in(vcoco), choice, ids=[5, 99]).left_out == {
        5: "3 people with 5 labelled joints or more",
        99: "is in no annotation file",
    }
    tiny = SampleChoice(size=512, enlarge=1.0)
    assert "enlarged by 4.00" in HumanInPlaceFiles(files_in(vcoco), tiny, ids=[3]).left_out[3]


def test_crowds_are_in_the_mask_and_have_no_skeleton(vcoco):
    (sample,) = HumanInPlaceFiles(files_in(vcoco), SampleChoice(size=160, fit="pad", crowds=True), ids=[8])
    people = sum(not p.crowd for p in read_people(files_in(vcoco).annotations)[8].people)
    assert sample.layout.counts().tolist() == [people]
    assert bool(sample.people_mask[0, 16 : 16 + 30, :50].all())


def test_a_padded_sample_shows_everything_on_grey(vcoco):
    (sample,) = HumanInPlaceFiles(files_in(vcoco), SampleChoice(size=320, fit="pad"), ids=[2])
    assert sample.size == (320, 320)
    band = (320 - 2 * HEIGHT) // 2
    for picture in (sample.source, sample.target):
        assert bool((picture[..., :band, :] == 0.5).all())
        assert bool((picture[..., -band:, :] == 0.5).all())
    assert not sample.people_mask[0, :band].any()
    person = scene_of(2).persons[0].keypoints
    got = sample.layout.keypoints[0, 0]
    known = got[:, 2] > 0
    torch.testing.assert_close(
        got[known, 1], ((person[:, 1] * HEIGHT * 2 + band) / 320)[known], atol=1e-3, rtol=0
    )


def test_the_crop_follows_the_people(vcoco):
    image = read_people(files_in(vcoco).annotations)[2]
    choice = SampleChoice(size=64)
    keypoints = choice.skeletons(image)
    keypoints = torch.cat([keypoints[..., :1] * 0 + 0.95, keypoints[..., 1:]], dim=-1)
    assert choice.frame(keypoints, image.size).low == (0, 80 - 64)
    keypoints[..., 0] = 0.05
    assert choice.frame(keypoints, image.size).low == (0, 0)


def test_people_who_fall_outside_the_crop_are_not_planned(vcoco):
    data = HumanInPlaceFiles(files_in(vcoco), SampleChoice(size=128), ids=[5])
    joints = data[0].layout.keypoints
    assert bool(((joints[..., :2] >= 0) & (joints[..., :2] <= 1)).all())
    assert bool((joints[..., 2] > 0).any(dim=-1).all())


def test_a_missing_background_is_made_once(vcoco, tmp_path):
    files = replace(files_in(vcoco), backgrounds=str(tmp_path))
    removal = Grey()
    data = HumanInPlaceFiles(files, SampleChoice(size=128), ids=[2], removal=removal)
    first, second = data[0], data[0]
    assert removal.calls == 1
    assert torch.equal(first.source, second.source)
    assert [p.name for p in tmp_path.iterdir()] == ["COCO_val2014_000000000002.png"]
    inside = first.people_mask[0]
    assert (first.source[0][:, inside] - 0.5).abs().median() < 0.01
    assert torch.equal(first.source[0][:, ~inside], first.target[0][:, ~inside])


def test_splits_are_the_official_ones_or_a_share(vcoco):
    data = HumanInPlaceFilesDataModule(
        files_in(vcoco), SampleChoice(size=128), str(vcoco / "splits"), Grey(), batch_size=2
    )
    ids = {
        s: [d.image_id(i) for i in range(len(d))] for s in ("train", "val", "test") if (d := data.dataset(s))
    }
    assert ids == {"train": [1, 3], "val": [5], "test": [2, 4, 6]}
    (batch,) = data.val_dataloader()
    assert batch.layout.counts().tolist() == [3]
    plain = HumanInPlaceFilesDataModule(files_in(vcoco), SampleChoice(size=128))
    assert len(plain.dataset("train")) == 4
    assert plain.dataset("test").left_out == {}
    assert [plain.dataset("test").image_id(0)] == [1]


def test_pictures_that_are_not_as_annotated_are_named(vcoco, tmp_path):
    shutil.copytree(vcoco / "val2014", tmp_path / "val2014")
    name = "COCO_val2014_000000000002.png"
    shutil.copy(vcoco / "backgrounds" / name, tmp_path / name)
    from torchvision.utils import save_image

    save_image(torch.zeros(3, 8, 8), tmp_path / name)
    files = replace(files_in(vcoco), backgrounds=str(tmp_path))
    with pytest.raises(ValueError, match="8 x 8 pixels, but the annotations say 160 x 128"):
        HumanInPlaceFiles(files, SampleChoice(size=128), ids=[2])[0]
    with pytest.raises(ValueError, match="size: 100"):
        SampleChoice(size=100)
    with pytest.raises(ValueError, match="fit: 'stretch'"):
        SampleChoice(fit="stretch")


def test_the_removal_model_is_named_by_class_path(vcoco, tmp_path):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(LightningDataModule, "data")
    files = {**vars(files_in(vcoco)), "backgrounds": str(tmp_path)}
    removal = {"class_path": "datamodules.human_removal.OpenCVInpainting", "init_args": {"radius": 2.5}}
    init = {"files": files, "choice": {"size": 128}, "removal": removal, "splits": str(vcoco / "splits")}
    kind = "datamodules.human_in_place_files.HumanInPlaceFilesDataModule"
    given = {"data": {"class_path": kind, "init_args": init}}
    data = parser.instantiate_classes(parser.parse_object(given)).data
    assert (type(data.removal), data.removal.radius) == (OpenCVInpainting, 2.5)
    (batch,) = data.val_dataloader()
    outside = ~batch.people_mask[0]
    assert (batch.source - batch.target)[0].abs()[:, outside].mean() < 0.02
    assert [p.name for p in tmp_path.iterdir()] == ["COCO_train2014_000000000005.png"]


def test_opencv_inpainting_changes_only_the_grown_mask():
    torch.manual_seed(0)
    images = torch.rand(2, 3, 40, 50) * 0.1 + torch.tensor([0.2, 0.5, 0.8])[:, None, None]
    people = torch.zeros(2, 40, 50, dtype=torch.bool)
    people[0, 10:20, 10:20] = True
    painted = images.clone()
    painted[0, :, 10:20, 10:20] = 0
    filled = OpenCVInpainting(margin=0.025).remove(painted, people)
    grown = torch.zeros_like(people)
    grown[0, 9:21, 9:21] = True
    assert torch.equal(filled.permute(1, 0, 2, 3)[:, ~grown], painted.permute(1, 0, 2, 3)[:, ~grown])
    inside = filled[0, :, 10:20, 10:20]
    assert (inside.mean((1, 2)) - torch.tensor([0.25, 0.55, 0.85])).abs().max() < 0.05
    with pytest.raises(ValueError, match="method: 'lama'"):
        OpenCVInpainting(method="lama")
    with pytest.raises(ValueError, match="radius"):
        OpenCVInpainting(radius=0)
