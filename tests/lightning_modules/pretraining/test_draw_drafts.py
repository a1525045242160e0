"""Bad examples for the quality scorers: few-step drafts of the shipped base, by the command that makes them."""

import pytest
from PIL import Image

from datamodules.collate import collate
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.backbone.generator import FluxGenerator
from lightning_modules.pretraining import draw_drafts
from lightning_modules.pretraining.quality import QualityPretraining


def test_the_command_writes_what_the_base_draws(tmp_path, monkeypatch):
    monkeypatch.setattr(draw_drafts, "BATCH", 2)
    draw_drafts.main(["--folder", str(tmp_path), "--count", "3", "--steps", "1", "--first-scene", "7"])
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"draft-{seed}.png" for seed in (7, 8, 9)]
    scenes = collate([draw_scene(9, "train")])
    expected = FluxGenerator().generate(scenes, seed=8, context="canvas", steps=1)[0]
    with Image.open(tmp_path / "draft-9.png") as written:
        assert written.getpixel((64, 64)) == tuple(round(v) for v in (expected[:, 64, 64] * 255).tolist())
    judge = QualityPretraining("quality_judge", ["blur"], generated_folder=str(tmp_path))
    judge.setup("fit")
    assert judge.also == f"; 3 generated images of {tmp_path}"


@pytest.mark.parametrize("wrong", [["--count", "0"], ["--steps", "0"]])
def test_numbers_that_make_no_sense(wrong, tmp_path):
    with pytest.raises(SystemExit):
        draw_drafts.main(["--folder", str(tmp_path), *wrong])
