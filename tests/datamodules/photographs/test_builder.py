"""The folder that is built says what was drawn, and comes out the same however often the build is interrupted."""

import json
import shutil
from collections import Counter
from dataclasses import replace

import pytest
import torch
from drawn_photos import PARTIES, SETTINGS, add_hopeless, tree, write_album
from torchvision.ops import box_iou

from datamodules.photographs import builder as builder_module
from datamodules.photographs.builder import CanvasBuilder
from datamodules.photographs.files import encode
from datamodules.photographs.scenes import FolderScenes
from datamodules.references import ReferenceSources
from datamodules.schema.detections import Detections
from rewards.analyzers.tiny import TinyAnalyzer

ANALYZER = TinyAnalyzer()


def build(photos, out, analyzer=ANALYZER, **changes):
    return CanvasBuilder(photos, out, analyzer, replace(SETTINGS, **changes)).run()


def truth_of(album, face):
    """The drawn identity of a face that is called ``photo#index``."""
    photo, index = face.rsplit("#", 1)
    return album[photo].persons[int(index)].identity


def test_scenes_say_what_was_drawn(album, built):
    scenes = FolderScenes(built)
    assert [s.scene_id for s in scenes] == sorted(n for n in album if "party" in n)
    ious, off = [], []
    for scene in scenes:
        drawn = album[scene.scene_id]
        assert (scene.prompt, scene.frontal, len(scene)) == (drawn.prompt, drawn.frontal, len(drawn))
        assert (scene.image - drawn.image).abs().max() < 1e-6
        for found, true in zip(scene.persons, drawn.persons, strict=True):
            ious.append(float(box_iou(found.box[None], true.box[None])))
            off.append(float((found.landmarks - true.landmarks).norm(dim=1).mean()) * 128)
            seen = (true.keypoints[:, 2] == 2) & (found.keypoints[:, 2] == 2)
            off.append(float((found.keypoints - true.keypoints)[seen, :2].norm(dim=1).median()) * 128)
    assert min(ious) > 0.6
    assert sum(ious) / len(ious) > 0.85
    assert sum(off) / len(off) < 2  # pixels


def test_people_are_told_apart_and_recognised(album, built):
    names = [
        (p.identity, t.identity)
        for s in FolderScenes(built)
        for p, t in zip(s.persons, album[s.scene_id].persons, strict=True)
    ]
    assert all(len({t for n, t in names if n == name}) == 1 for name, _ in names)
    found = [len({n for n, t in names if t == true}) for true in {t for _, t in names}]
    assert sum(found) / len(found) < 1.5  # hardly anybody goes by two names


def test_second_views_are_the_same_person_in_another_photograph(album, built):
    """By the drawn identities, and pixel by pixel by the embedder."""
    lines = [json.loads(line) for line in (built / "scenes.jsonl").read_text().splitlines()]
    seconds = [
        (line["id"], k, p["origin"], scene.persons[k])
        for line, scene in zip(lines, FolderScenes(built), strict=True)
        for k, p in enumerate(line["persons"])
        if p["source"] == "multi_view"
    ]
    assert len(seconds) > 20
    for scene, k, origin, _ in seconds:
        assert origin.split("#")[0] != scene
        assert truth_of(album, origin) == album[scene].persons[k].identity
    assert any("portrait" in origin for _, _, origin, _ in seconds), "skipped photographs lend their faces"
    views = ANALYZER.embed_faces(
        torch.stack([p.reference for *_, p in seconds]),
        torch.stack([p.reference_landmarks for *_, p in seconds]),
    )
    faces = torch.stack([album[s].image for s, *_ in seconds])
    marks = torch.stack([album[s].persons[k].landmarks for s, k, *_ in seconds])
    assert (views * ANALYZER.embed_faces(faces, marks)).sum(dim=1).mean() > 0.7


def test_sources_are_recorded_with_what_they_stand_for(album, built):
    kinds = Counter(p.reference_source for s in FolderScenes(built) for p in s.persons)
    assert set(kinds) == {
        "multi_view", "single_view", "single_view instead of multi_view", "single_view instead of synthetic",
    }  # fmt: skip
    assert kinds["multi_view"] > 4 * kinds["single_view instead of multi_view"]


def test_generated_views_are_used_where_they_show_the_person(album, photos, built, tmp_path, caplog):
    generated = tmp_path / "generated"
    for name, (k, who) in {"family0/party0": (1, 1), "family1/party1": (0, 1)}.items():
        (generated / name).mkdir(parents=True)
        person = album[name].persons[who]  # in the second case somebody else
        (generated / name / f"{k}_pulid.png").write_bytes(encode(as_photo(person.reference)))
    (generated / "family0/party0/0.png").write_bytes(b"broken")
    only = ReferenceSources(multi_view=0, single_view=0, synthetic=1)
    shutil.copytree(built, tmp_path / "out")
    build(photos, tmp_path / "out", sources=only, synthetic=generated)
    lines = {
        x["id"]: x["persons"]
        for x in map(json.loads, (tmp_path / "out/scenes.jsonl").read_text().splitlines())
    }
    assert lines["family0/party0"][1]["source"] == "synthetic"
    assert lines["family0/party0"][1]["origin"] == "family0/party0/1_pulid.png"
    others = [p["source"] for name, ps in lines.items() for p in ps if p is not lines["family0/party0"][1]]
    assert set(others) == {"single_view instead of synthetic"}
    assert "somebody else" in caplog.text
    assert "unreadable" in caplog.text


def as_photo(portrait):
    """A portrait as small in its picture as faces of the tiny world are."""
    picture = torch.full((3, 128, 128), 0.6)
    picture[:, 40:80, 40:80] = torch.nn.functional.interpolate(portrait[None], (40, 40), mode="area")[0]
    return picture


def test_hopeless_photographs_are_skipped_and_listed(album, built, tmp_path):
    write_album(tmp_path / "photos", album)
    expected = add_hopeless(tmp_path / "photos", album)
    shutil.copytree(built, tmp_path / "out")
    report = build(tmp_path / "photos", tmp_path / "out", faces=(1, 3))
    crowds = {f"{name}.png": "faces seen: 4 (faces is 1 to 3)" for name, s in album.items() if len(s) == 4}
    assert set(report.skipped) == {*expected, *crowds}
    for file, reason in {**expected, **crowds}.items():
        assert report.skipped[file].startswith(reason), file
    assert report.scenes == len(album) - len(crowds)
    listed = [json.loads(line) for line in (tmp_path / "out/skipped.jsonl").read_text().splitlines()]
    assert {x["photo"]: x["reason"] for x in listed} == report.skipped


def families(album, *numbers):
    return {name: scene for name, scene in album.items() if int(name[len("family")]) in numbers}


class Tiring(TinyAnalyzer):
    """Is interrupted at the n-th photograph."""

    def __init__(self, patience=10**9):
        super().__init__()
        self.patience, self.seen = patience, 0

    def analyze(self, images):
        self.seen += 1
        if self.seen > self.patience:
            raise KeyboardInterrupt
        return super().analyze(images)


class Writing:
    """``write_scene`` that is interrupted after a scene's pictures and before its line, leaving half a file behind."""

    def __init__(self, write):
        self.write, self.left, self.written = write, -1, []

    def __call__(self, folder, scene, *rest):
        line = self.write(folder, scene, *rest)
        self.left -= 1
        if self.left == 0:
            (folder / "images" / ".half.png.part").write_bytes(b"half")
            raise KeyboardInterrupt
        self.written.append(scene.scene_id)
        return line


def test_an_interrupted_build_ends_as_if_it_had_not_been(album, tmp_path, monkeypatch):
    photos, whole, out = tmp_path / "photos", tmp_path / "whole", tmp_path / "out"
    write_album(photos, families(album, 1, 2))
    build(photos, whole, Tiring())
    for patience in (0, 7):
        with pytest.raises(KeyboardInterrupt):
            build(photos, out, Tiring(patience))
        assert not (out / "scenes.jsonl").exists()
    writing = Writing(builder_module.write_scene)
    monkeypatch.setattr(builder_module, "write_scene", writing)
    for writing.left in (1, 5):
        with pytest.raises(KeyboardInterrupt):
            build(photos, out, Tiring())
        assert not (out / "scenes.jsonl").exists()
    late = Tiring()
    build(photos, out, late)
    assert late.seen == 0, "no photograph is looked at twice"
    assert sorted(writing.written) == sorted(n for n in families(album, 1, 2) if "party" in n), "each once"
    assert tree(out) == tree(whole)


def test_a_finished_build_is_left_alone_and_a_changed_one_brought_up_to_date(album, tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    write_album(photos, families(album, 0, 1))
    build(photos, out, Tiring())
    before, idle = tree(out), Tiring()
    times = {p: p.stat().st_mtime_ns for p in out.rglob("*.png")}
    build(photos, out, idle)
    assert (idle.seen, tree(out)) == (0, before)
    assert times == {p: p.stat().st_mtime_ns for p in out.rglob("*.png")}
    write_album(photos, families(album, 1, 2))
    shutil.rmtree(photos / "family0")
    more = Tiring()
    report = build(photos, out, more)
    assert more.seen == len(families(album, 2))
    assert report.scenes == 2 * PARTIES
    assert not any("family0" in path for path in tree(out))
    fresh = tmp_path / "fresh"
    build(photos, fresh, Tiring())
    assert tree(out) == tree(fresh)


def test_the_seed_decides_and_the_settings_are_taken_back_without_a_trace(photos, built, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(built, out)
    build(photos, out, seed=1)
    assert (out / "scenes.jsonl").read_bytes() != (built / "scenes.jsonl").read_bytes()
    build(photos, out)
    assert tree(out) == tree(built)


class Landmarkless(TinyAnalyzer):
    def analyze(self, images):
        return [Detections(torch.rand(1, 4), torch.ones(1)) for _ in images]


def test_what_cannot_be_built_is_refused(photos, tmp_path):
    with pytest.raises(ValueError, match="analyzer: Landmarkless"):
        build(photos, tmp_path / "out", Landmarkless())
    with pytest.raises(ValueError, match="out"):
        build(photos, photos / "canvases")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("")
    with pytest.raises(ValueError, match="something else"):
        build(photos, tmp_path / "mine")
    with pytest.raises(ValueError, match="photos"):
        build(tmp_path / "nowhere", tmp_path / "out2")
    for wrong in ({"size": (100, 128)}, {"faces": (3, 2)}, {"enlarge": 0.0}, {"reference_size": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            replace(SETTINGS, **wrong)
