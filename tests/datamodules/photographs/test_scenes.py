"""A built folder as a source of scenes: nobody is in two splits, and groups come from it as from the tiny world."""

import json
import shutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from datamodules.collate import collate
from datamodules.photographs.files import decode
from datamodules.photographs.scenes import FolderScenes, FolderSource, split_scenes
from datamodules.scene_sources import SceneSeries

CASTS = st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=3), max_size=25)


def test_scenes_are_what_the_folder_says(built):
    scenes = FolderScenes(built)
    line = json.loads((built / "scenes.jsonl").read_text().splitlines()[3])
    scene = scenes[3]
    assert scene.scene_id == line["id"]
    assert torch.equal(scene.image, decode((built / line["image"]).read_bytes()))
    for person, told in zip(scene.persons, line["persons"], strict=True):
        assert torch.equal(person.reference, decode((built / told["reference"]).read_bytes()))
        assert person.reference_source == told["source"]
        assert not person.mask.any()
    assert sorted(p.depth for p in scene.persons) == list(range(len(scene)))
    batch = collate([scenes[i] for i in (0, -1)])
    assert batch.backgrounds is None
    assert tuple(batch.masks.shape[-2:]) == batch.size == (128, 128)
    assert (batch.reference_boxes[batch.layout.valid] > 0).all()
    with pytest.raises(IndexError):
        scenes[len(scenes)]


@given(CASTS, st.floats(0, 0.9))
def test_nobody_is_in_two_splits(casts, share):
    people = {f"scene{i}": [str(p) for p in cast] for i, cast in enumerate(casts)}
    splits = split_scenes(people, share)
    assert set(splits) == set(people)
    train, val = (
        {p for s, ps in people.items() if splits[s] == side for p in ps} for side in ("train", "val")
    )
    assert not train & val
    if people:
        assert "train" in splits.values()
    assert splits == split_scenes(dict(reversed(people.items())), share)


@given(CASTS)
def test_scenes_that_share_nobody_are_split_apart(casts):
    """Nobody but a group's own scenes goes with it: groups by merging casts until nothing overlaps."""
    people = {f"scene{i:02}": {str(p) for p in cast} for i, cast in enumerate(casts)}
    groups = []
    for scene, cast in people.items():
        joined = [group for group in groups if group[1] & cast]
        groups = [group for group in groups if group not in joined]
        groups.append(({scene}.union(*(g[0] for g in joined)), cast.union(*(g[1] for g in joined))))
    splits = split_scenes({scene: sorted(cast) for scene, cast in people.items()}, 0.999999)
    trained = {scene for scene, split in splits.items() if split == "train"}
    largest = max((len(scenes) for scenes, _ in groups), default=0)
    assert trained in [scenes for scenes, _ in groups if len(scenes) == largest] or not groups


def test_shares_are_about_what_is_asked_for_and_stay_as_the_folder_grows():
    people = {f"photo{i}": [f"person{i}"] for i in range(2000)}
    few, many = (split_scenes(dict(list(people.items())[:n]), 0.1) for n in (1000, 2000))
    assert 0.08 < list(many.values()).count("val") / 2000 < 0.12
    assert sum(few[name] != many[name] for name in few) == 0


def test_a_folder_is_a_source(built, album):
    source = FolderSource(built, val_share=0.5)
    seen = {}
    for split in ("train", "val"):
        for count, n in source.counts(split).items():
            drawn = [source.draw(seed, split, count) for seed in range(n)]
            assert len({s.scene_id for s in drawn}) == n
            assert {len(s) for s in drawn} == {count}
            assert source.draw(n, split, count).scene_id == drawn[0].scene_id
            seen.setdefault(split, []).extend(drawn)
    train, val = ({t.identity for s in seen[x] for t in album[s.scene_id].persons} for x in ("train", "val"))
    assert train
    assert val
    assert not train & val, "by the drawn identities"
    assert source.counts("test") == {}


def test_a_series_shows_every_scene_at_most_once(built):
    source = FolderSource(built, val_share=0.5)
    there = source.counts("val")
    counts = tuple(sorted(there))
    whole = SceneSeries(source, "val", 1000, counts)
    names = [whole[i].scene_id for i in range(len(whole))]
    assert len(names) == len(set(names)) == sum(there.values())
    assert [len(whole[i]) for i in range(len(counts))] == list(counts)
    assert len(SceneSeries(source, "val", 2, counts)) == 2
    assert len(SceneSeries(source, "val", 1000, (counts[0],) * 2)) == there[counts[0]]


def test_what_a_folder_does_not_hold_is_said(built, tmp_path):
    source = FolderSource(built, val_share=0.5)
    with pytest.raises(ValueError, match=r"count: .* no train scene of 7 people; there are \d+ of 2, "):
        source.draw(0, "train", 7)
    with pytest.raises(
        ValueError, match=r"val_counts: .*val scene with \[6, 7\] people; there are .* ask for"
    ):
        SceneSeries(source, "val", 3, (2, 6, 7))
    with pytest.raises(ValueError, match=r"no val scene of 2 people; .*val_share"):
        FolderSource(built, val_share=0).draw(0, "val", 2)
    with pytest.raises(ValueError, match="val_share"):
        FolderSource(built, val_share=1)
    with pytest.raises(ValueError, match=r"python -m datamodules\.photographs"):
        FolderScenes(tmp_path)
    shutil.copytree(built, tmp_path / "damaged")
    (tmp_path / "damaged/images/family0/party0.png").unlink()
    with pytest.raises(ValueError, match=r"family0/party0.*build the folder again"):
        FolderScenes(tmp_path / "damaged")[0]
