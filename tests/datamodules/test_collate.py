"""Scenes survive the round trip through a batch."""

from dataclasses import replace

import pytest
import torch

from datamodules.collate import collate
from datamodules.tiny_world.scenes import draw_scene


@pytest.fixture(scope="module")
def scenes():
    return [draw_scene(seed, "train", count=count) for seed, count in ((0, 3), (1, 1), (2, 5))]


def test_every_value_comes_back(scenes):
    batch = collate(scenes)
    assert len(batch) == 3
    assert batch.layout.counts().tolist() == [3, 1, 5]
    for b, scene in enumerate(scenes):
        assert torch.equal(batch.images[b], scene.image)
        assert torch.equal(batch.backgrounds[b], scene.background)
        assert bool(batch.frontal[b]) == scene.frontal
        assert (batch.prompts[b], batch.scene_ids[b]) == (scene.prompt, scene.scene_id)
        for n, person in enumerate(scene.persons):
            assert torch.equal(batch.layout.boxes[b, n], person.box)
            assert torch.equal(batch.layout.keypoints[b, n], person.keypoints)
            assert int(batch.layout.depths[b, n]) == person.depth
            assert torch.equal(batch.landmarks[b, n], person.landmarks)
            assert torch.equal(batch.references[b, n], person.reference)
            assert torch.equal(batch.reference_landmarks[b, n], person.reference_landmarks)
            assert torch.equal(batch.masks[b, n], person.mask)
            assert batch.spans[b][n] == person.span
            assert batch.identities[b][n] == person.identity


def test_padding_is_zero_and_not_valid(scenes):
    batch = collate(scenes)
    empty = ~batch.layout.valid
    assert empty.sum() == 3 * 5 - 9
    padded = (
        batch.layout.boxes,
        batch.layout.keypoints,
        batch.landmarks,
        batch.references,
        batch.reference_landmarks,
    )
    for values in padded:
        assert values[empty].abs().sum() == 0
    assert not batch.masks[empty].any()


def test_missing_parts_are_named(scenes):
    with pytest.raises(ValueError, match=r"train/0.*no background"):
        collate([replace(scenes[0], background=None), scenes[1]])
    stranger = replace(scenes[0].persons[0], reference=None)
    with pytest.raises(ValueError, match="no reference"):
        collate([replace(scenes[0], persons=(stranger,))])
    with pytest.raises(ValueError, match="scenes is empty"):
        collate([])


def test_no_background_at_all_is_none_and_stays_none(scenes):
    batch = collate([replace(scene, background=None) for scene in scenes])
    assert batch.backgrounds is None
    for changed in (batch.to("cpu"), batch.repeat(2), batch.select(torch.tensor([2, 0]))):
        assert changed.backgrounds is None
    assert torch.equal(batch.select(torch.tensor([2])).images[0], scenes[2].image)


def test_face_boxes_of_references_are_zeros_where_unknown(scenes):
    box = torch.tensor([0.2, 0.2, 0.8, 0.8])
    first = replace(scenes[0].persons[0], reference_box=box)
    batch = collate([replace(scenes[0], persons=(first, *scenes[0].persons[1:])), scenes[1]])
    assert torch.equal(batch.reference_boxes[0, 0], box)
    assert batch.reference_boxes.sum() == box.sum()
