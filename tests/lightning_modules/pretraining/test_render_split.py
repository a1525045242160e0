import json

from lightning_modules.pretraining import render_split as module
from lightning_modules.pretraining.render_split import render_split
from lightning_modules.pretraining.rendered import RenderedDataset


def test_two_processes_draw_the_same_as_one(tmp_path, rendered):
    render_split(tmp_path / "two", "train", 12, first_seed=0, processes=2)
    again = RenderedDataset(tmp_path / "two")
    assert again.prompts == rendered.prompts
    for name, array in rendered.arrays.items():
        assert (array == again.arrays[name]).all(), name


def test_renders_are_kept_until_the_renderer_changes(tmp_path, monkeypatch):
    folder = tmp_path / "val"
    render_split(folder, "val", 2, first_seed=0)
    stamp = (folder / "images.npy").stat().st_mtime_ns
    render_split(folder, "val", 2, first_seed=0)
    assert (folder / "images.npy").stat().st_mtime_ns == stamp
    monkeypatch.setattr(module, "renderer_digest", lambda: "another")
    render_split(folder, "val", 2, first_seed=0)
    assert (folder / "images.npy").stat().st_mtime_ns > stamp
    assert json.loads((folder / "card.json").read_text())["renderer"] == "another"
