"""From a prompt and face images to pictures, plan and scores, by the command a user types."""

import json

import pytest
import torch
from torchvision.io import read_image
from torchvision.utils import save_image

from datamodules.collate import collate
from datamodules.plan_files import write_plan
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.ar2can.generate import CONFIG, artist, main
from lightning_modules.policy.grpo_module import ADAPTER


@pytest.fixture(scope="module")
def scene():
    return draw_scene(7, "test", count=2)


@pytest.fixture
def faces(scene, tmp_path):
    paths = [tmp_path / f"face{i}.png" for i in range(2)]
    for path, person in zip(paths, scene.persons, strict=True):
        save_image(person.reference, path)
    return [str(path) for path in paths]


def run(faces, tmp_path, *options, prompt="Two friends standing on a beach."):
    main(["--prompt", prompt, "--faces", *faces, "--out", str(tmp_path / "out"), *options])
    return json.loads((tmp_path / "out" / "scores.json").read_text())["scores"]


def test_faces_appear_where_the_plan_says(scene, faces, tmp_path, capsys):
    """Whoever stands first in the plan resembles the first face, in either order."""
    write_plan(tmp_path / "plan.json", collate([scene]).layout)
    scores = run(
        faces, tmp_path, "--layout", str(tmp_path / "plan.json"), "--images", "2", prompt=scene.prompt
    )
    assert [row["seed"] for row in scores] == [0, 1]
    assert sum(row["face"] for row in scores) > 0.5
    assert scores[0]["judge"] != scores[1]["judge"]
    swapped = run(
        faces[::-1], tmp_path, "--layout", str(tmp_path / "plan.json"), "--images", "2", prompt=scene.prompt
    )
    assert sum(row["face"] for row in swapped) > 0.5
    assert {f.name for f in (tmp_path / "out").iterdir()} == {
        "image-0.png",
        "image-1.png",
        "overview.png",
        "layout.json",
        "scores.json",
    }
    assert read_image(tmp_path / "out" / "image-0.png").shape == (3, 128, 128)
    assert "face" in capsys.readouterr().out


def test_a_trained_set_is_used(scene, faces, tmp_path):
    lora = artist(CONFIG, None).backbone.adapters[ADAPTER]
    with torch.no_grad():
        for parameter in lora.parameters():
            parameter.normal_(std=0.05)
    lora.save(tmp_path / "set.safetensors")
    plain = run(faces, tmp_path)
    changed = run(faces, tmp_path, "--lora", str(tmp_path / "set.safetensors"))
    assert plain != changed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layout", "one.json"], "plans 1 people for 2 faces"),
        (["--layout", "nowhere.json"], "nowhere.json"),
        (["--size", "100"], "multiple of 16"),
        (["--images", "0"], "at least 1"),
        (["--lora", "nowhere.safetensors"], "--lora"),
        (["--prompt", "  "], "--prompt: is empty"),
        (["--faces", "noise.png"], "no face is seen in noise.png"),
        (["--faces", "one.json"], "cannot be read as an image"),
        (["--faces", *["noise.png"] * 8], "at most 7"),
    ],
)
def test_what_makes_no_sense_is_refused(faces, tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.json").write_text('{"people": [{"box": [0.1, 0.2, 0.3, 0.4]}]}')
    save_image(torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0)), tmp_path / "noise.png")
    with pytest.raises(SystemExit) as stopped:
        run(faces, tmp_path, *options)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
