"""From a prompt and face images to pictures, plan and scores, by the command a user types."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.nn import functional as F
from torchvision.io import read_image
from torchvision.ops import box_iou
from torchvision.utils import save_image

from datamodules.collate import collate
from datamodules.geometry.canvas import draw_canvases
from datamodules.photographs.files import decode
from datamodules.plan_files import row_of_faces, write_plan
from datamodules.text.minilm import MiniLMPromptEncoder
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.ar2can.generate import CONFIG, artist, asked_for, find_face, main, read_face
from lightning_modules.policy.module import ADAPTER
from rewards.analyzers.insightface import InsightFaceAnalyzer
from rewards.analyzers.tiny import TinyAnalyzer
from rewards.real_parts.fetch import find_part

UPRIGHT, TURNED = 1, 6  # EXIF orientations
ORIENTATION = 0x0112


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


def test_prompt_canvases_and_references_are_looked_at_once(faces, tmp_path, monkeypatch):
    """However many seeds; what is drawn from a seed is what it alone gives."""
    counts = Counter()

    def counted(owner, name, weigh):
        method = getattr(owner, name)

        def counting(self, *arguments):
            counts[name] += weigh(arguments[0])
            return method(self, *arguments)

        monkeypatch.setattr(owner, name, counting)

    counted(MiniLMPromptEncoder, "encode", len)
    counted(TinyAnalyzer, "embed_faces", len)
    counted(TinyAnalyzer, "analyze", len)
    three = run(faces, tmp_path, "--images", "3")
    assert counts == {"encode": 1, "embed_faces": 2, "analyze": 3}
    drawn = read_image(tmp_path / "out" / "image-1.png")
    (alone,) = run(faces, tmp_path, "--seed", "1")
    assert alone == three[1]
    assert torch.equal(read_image(tmp_path / "out" / "image-1.png"), drawn)


def test_a_photograph_is_turned_as_its_camera_was_held(scene, tmp_path):
    pixels = (scene.persons[0].reference * 255).byte().permute(1, 2, 0).numpy()
    upright = Image.fromarray(pixels).resize((96, 128))
    seen = {}
    for name, picture, orientation in (
        ("upright", upright, UPRIGHT),
        ("turned", upright.transpose(Image.Transpose.ROTATE_90), TURNED),
    ):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        picture.save(tmp_path / f"{name}.jpg", quality=95, exif=exif)
        seen[name] = read_face(tmp_path / f"{name}.jpg")
    assert seen["turned"].shape == (3, 128, 96)
    assert (seen["turned"] - seen["upright"]).abs().mean() < 0.02


class Generous(TinyAnalyzer):
    """Draws boxes half as large again around the same landmarks, as one detector does beside another."""

    def reference_faces(self, views):
        found = super().reference_faces(views)
        low, high = found.boxes[:, :2], found.boxes[:, 2:]
        more = (high - low) / 4
        return found._replace(boxes=torch.cat([low - more, high + more], dim=1))


def shown(faces, analyzer, size, side=0.2):
    """What each canvas shows on grey, with the planned boxes of ``side`` and the scene."""
    views = [find_face(path, size // 2, analyzer) for path in faces]
    scenes = asked_for("People.", views, faces, row_of_faces(len(faces), size=side), size)
    boxes, references = scenes.layout.boxes[0], scenes.references[0]
    landmarks, inside = scenes.reference_landmarks[0], scenes.reference_boxes[0]
    canvases = draw_canvases(references, landmarks, boxes, scenes.size, fill=0.5, reference_boxes=inside)
    return canvases.images, boxes, scenes


@pytest.mark.parametrize(("analyzer", "share"), [(TinyAnalyzer, 1.0), (Generous, 1.5)])
def test_a_face_fills_its_box_as_the_analyzer_draws_boxes(faces, analyzer, share):
    canvases, boxes, _ = shown([Path(face) for face in faces], analyzer(), 128, side=0.2 * share)
    for seen, box in zip(TinyAnalyzer().analyze(canvases), boxes, strict=True):
        assert len(seen) == 1
        sides = (seen.boxes[0, 2:] - seen.boxes[0, :2]) / (box[2:] - box[:2])
        assert float(sides.max()) * share == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize("margin", [(0, 0, 0, 0), (0, 0, 0, 24), (10, 10, 0, 0)])
def test_a_portrait_may_show_more_than_the_face(scene, tmp_path, margin):
    """Wherever the face lies in the picture, the view is of the face, and of the same person."""
    reference = scene.persons[0].reference
    save_image(F.pad(reference, margin, value=0.5), tmp_path / "face.png")
    view = find_face(tmp_path / "face.png", 64, TinyAnalyzer())
    assert view.image.shape == (3, 64, 64)
    assert (view.box[2:] - view.box[:2]).max() == pytest.approx(1 / 1.6)
    embedded = TinyAnalyzer().embed_faces(torch.stack([view.image, reference]))
    assert float(embedded[0] @ embedded[1]) > 0.85


@pytest.mark.realparts
def test_faces_of_real_portraits_fill_their_boxes():
    """Tall photographs in which the face is small and high up; in one it lies above the middle square."""
    analyzer, faces = InsightFaceAnalyzer(), [find_part("photos") / f"{n}.jpg" for n in ("obama", "biden")]
    canvases, boxes, scenes = shown(faces, analyzer, 256)
    references = analyzer.embed_faces(scenes.references[0], scenes.reference_landmarks[0])
    for path, seen, box, reference in zip(faces, analyzer.analyze(canvases), boxes, references, strict=True):
        assert float(box_iou(seen.boxes[:1], box[None])) > 0.8  # by landmarks alone it is below 0.5
        (photograph,) = analyzer.analyze(decode(path.read_bytes())[None])
        assert float(reference @ photograph.embeddings[0]) > 0.95


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layout", "one.json"], "plans 1 people for 2 faces"),
        (["--layout", "nowhere.json"], "nowhere.json"),
        (["--size", "100"], "multiple of 16"),
        (["--images", "0"], "at least 1"),
        (["--lora", "nowhere.safetensors"], "--lora"),
        (["--prompt", "  "], "--prompt: is empty"),
        (["--prompt", "word " * 2000], "10000 characters; at most 2000"),
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
