"""The converted face pack on real photographs of people who are in several of them."""

import json
import shutil

import pytest

from datamodules.photographs.builder import CanvasBuilder
from datamodules.photographs.scenes import FolderScenes
from datamodules.photographs.settings import BuildSettings
from datamodules.references import ReferenceSources
from rewards.analyzers.insightface import InsightFaceAnalyzer
from rewards.real_parts.fetch import find_part


@pytest.mark.realparts
def test_the_same_person_is_found_in_other_photographs(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("obama", "obama2", "obama3", "biden", "sample3"):
        shutil.copy(find_part("photos") / f"{name}.jpg", photos)
        (photos / f"{name}.txt").write_text("people facing the camera")
    settings = BuildSettings(
        size=(256, 256),
        reference_size=128,
        faces=(1, 7),
        enlarge=2.0,
        sources=ReferenceSources(1.0, 0.0, 0.0),
    )
    report = CanvasBuilder(photos, tmp_path / "out", InsightFaceAnalyzer(), settings).run()
    assert (report.scenes, report.skipped) == (5, {})
    lines = {
        x["id"]: x["persons"]
        for x in map(json.loads, (tmp_path / "out/scenes.jsonl").read_text().splitlines())
    }
    for name in ("obama", "obama2", "obama3"):
        assert lines[name][0]["source"] == "multi_view"
        assert lines[name][0]["origin"].startswith("obama")
        assert lines[name][0]["origin"] != f"{name}#0"
        assert lines[name][0]["identity"] == "obama#0"
    strangers = [p["source"] for name in ("biden", "sample3") for p in lines[name]]
    assert strangers == ["single_view instead of multi_view"] * 4
    assert all(scene.frontal for scene in FolderScenes(tmp_path / "out"))
