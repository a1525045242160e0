"""The command: files go in and come out, an edited pose is drawn and rendered, wrong options are named."""

import json

import pytest
import torch
from small_module import reason_render
from torchvision.io import read_image
from torchvision.utils import save_image

from callbacks.lora_export import LoRAExport
from datamodules.geometry.draw import draw_skeleton
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.backbone.adapters import LoRASet
from lightning_modules.pretraining.model_card import write_weights_card
from lightning_modules.skeleguide import insert as command
from lightning_modules.skeleguide.condition_branch import ConditionBranch
from lightning_modules.skeleguide.pose_inverter import PoseInverter
from lightning_modules.skeleguide.pose_text import Poses, read_pose, write_pose

SIDE = 64


class Standing(PoseInverter):
    """Sees one person wherever it looks, and notes where it looked."""

    def __init__(self):
        self.seen = []

    def invert(self, images):
        self.seen.append(images)
        return [standing() for _ in images]


def standing(x=0.5):
    keypoints = torch.stack(
        [torch.full((17,), x), torch.linspace(0.2, 0.9, 17), torch.full((17,), 2.0)], dim=1
    )
    return Poses.of(keypoints[None])


@pytest.fixture
def scene_file(tmp_path):
    """A place of the tiny world, wider than high."""
    background = draw_scene(3, "val").background
    save_image(torch.cat([background, background[..., :32]], dim=2), tmp_path / "scene.png")
    return tmp_path / "scene.png"


@pytest.fixture
def run(tmp_path, scene_file, monkeypatch):
    """The command on a small module; its inverter is handed back."""
    inverter = Standing()
    monkeypatch.setattr(command, "configured_module", lambda *_: reason_render(steps=2))
    monkeypatch.setattr(command, "TinyPoseInverter", lambda: inverter)
    weights = tmp_path / "weights"
    for name in ("skeletal", "appearance"):
        LoRAExport(str(weights / f"{name}.safetensors"), name)._write(reason_render(), write=True)

    def call(*more):
        out = tmp_path / "out"
        places = ["--scene", str(scene_file), "--weights", str(weights), "--out", str(out)]
        command.main([*places, "--prompt", "one person", "--size", str(SIDE), *map(str, more)])
        return out, inverter

    return call


def test_a_scene_becomes_image_layout_and_pose(run):
    out, inverter = run()
    assert {p.name for p in out.iterdir()} == {"image.png", "layout.png", "pose.json", "scene.png"}
    module = reason_render(steps=2)
    scene = read_image(out / "scene.png").float() / 255
    drawn = module.compose(scene[None], ["one person"], seed=0)
    for name, expected in (("image", drawn.image), ("layout", drawn.layout_image)):
        torch.testing.assert_close(read_image(out / f"{name}.png") / 255, expected[0], atol=2e-2, rtol=0)
    assert inverter.seen[0].shape == (1, 3, SIDE, SIDE)
    torch.testing.assert_close(
        read_pose(out / "pose.json").keypoints, standing().keypoints, atol=1e-4, rtol=0
    )


def test_an_edited_pose_is_drawn_over_the_scene_and_rendered(run, tmp_path):
    write_pose(tmp_path / "edited.json", standing(x=0.25))
    out, inverter = run("--pose", tmp_path / "edited.json")
    scene = read_image(out / "scene.png").float() / 255
    layout = draw_skeleton(standing(x=0.25).keypoints, (SIDE, SIDE), over=scene)
    torch.testing.assert_close(read_image(out / "layout.png") / 255, layout, atol=2 / 255, rtol=0)
    expected = reason_render(steps=2).render(layout[None], ["one person"], seed=0).image[0]
    torch.testing.assert_close(read_image(out / "image.png") / 255, expected, atol=2e-2, rtol=0)
    assert not inverter.seen, "what was given is not read off a picture"
    assert json.loads((out / "pose.json").read_text())["people"][0]["nose"][:2] == [0.25, 0.2]


def test_everybody_in_the_pose_is_rendered_and_counted(run, tmp_path, capsys):
    pair = torch.cat([standing(x).keypoints for x in (0.3, 0.7)])
    write_pose(tmp_path / "pair.json", Poses.of(pair))
    out, _ = run("--pose", tmp_path / "pair.json")
    scene = read_image(out / "scene.png").float() / 255
    layout = draw_skeleton(pair, (SIDE, SIDE), over=scene)
    torch.testing.assert_close(read_image(out / "layout.png") / 255, layout, atol=2 / 255, rtol=0)
    assert len(read_pose(out / "pose.json")) == 2
    assert capsys.readouterr().out.startswith("2 people in ")


READERS = """
import torch
from lightning_modules.skeleguide.pose_inverter import PoseInverter
from lightning_modules.skeleguide.pose_text import Poses

class Crowd(PoseInverter):
    def __init__(self, people: int = 2, x: float = 0.5):
        self.people, self.x = people, x

    def invert(self, images):
        return [Poses.of(torch.tensor([self.x, 0.5, 2.0]).expand(self.people, 17, 3)) for _ in images]
"""


def test_another_inverter_is_named_by_class_path_or_file(run, tmp_path, monkeypatch):
    (tmp_path / "readers.py").write_text(READERS)
    monkeypatch.syspath_prepend(tmp_path)
    out, tiny = run("--inverter", "readers.Crowd")
    assert len(read_pose(out / "pose.json")) == 2
    assert not tiny.seen
    (tmp_path / "reader.yaml").write_text("class_path: readers.Crowd\ninit_args: {people: 3, x: 0.25}\n")
    out, _ = run("--inverter", tmp_path / "reader.yaml")
    found = read_pose(out / "pose.json")
    assert len(found) == 3
    assert float(found.keypoints[0, 0, 0]) == pytest.approx(0.25)


@pytest.mark.parametrize(("people", "said"), [(0, "try another --seed"), (8, "a text holds at most 7")])
def test_nobody_and_too_many_are_said(run, tmp_path, monkeypatch, capsys, people, said):
    (tmp_path / "readers.py").write_text(READERS)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "reader.yaml").write_text(f"class_path: readers.Crowd\ninit_args: {{people: {people}}}\n")
    if people:
        with pytest.raises(SystemExit):
            run("--inverter", tmp_path / "reader.yaml")
    else:
        run("--inverter", tmp_path / "reader.yaml")
    captured = capsys.readouterr()
    assert said in captured.out + captured.err


def test_the_papers_inverter_can_be_named(tmp_path):
    (tmp_path / "config.json").touch()
    made = {"source": str(tmp_path), "rank": 8}
    kind = "lightning_modules.skeleguide.pose_inverter_vlm.QwenPoseInverter"
    (tmp_path / "qwen.yaml").write_text(json.dumps({"class_path": kind, "init_args": made}))
    inverter = command.chosen_inverter(str(tmp_path / "qwen.yaml"))
    assert (type(inverter).__name__, inverter.source, inverter.rank) == ("QwenPoseInverter", str(tmp_path), 8)
    (tmp_path / "config.json").unlink()
    with pytest.raises(ValueError, match=r"(?s)--inverter: .*holds no config\.json"):
        command.chosen_inverter(str(tmp_path / "qwen.yaml"))
    with pytest.raises(ValueError, match="source"):
        command.chosen_inverter(kind)
    (tmp_path / "qwen.yaml").write_text("[1, 2]")
    with pytest.raises(ValueError, match="holds no class_path"):
        command.chosen_inverter(str(tmp_path / "qwen.yaml"))


def test_the_scene_is_the_middle_square(scene_file):
    whole = read_image(scene_file).float() / 255
    torch.testing.assert_close(command.read_scene(scene_file, 128), whole[..., 16:144], atol=1e-6, rtol=0)
    assert command.read_scene(scene_file, SIDE).shape == (3, SIDE, SIDE)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--size", "100"], "--size: 100 must be a multiple of 16"),
        (["--prompt", " "], "--prompt: is empty"),
        (["--scene", "nowhere.png"], "--scene: nowhere.png cannot be read"),
        (["--pose", "nowhere.json"], "nowhere.json: cannot be read"),
        (["--seed", "-1"], "--seed: -1 must be at least 0"),
        (["--device", "cuda:99"], "--device: cuda:99: "),
        (["--device", "abacus"], "--device: abacus: "),
        (["--out", __file__], "test_insert.py is a file; name a folder"),
        (["--inverter", "nowhere.yaml"], "--inverter: nowhere.yaml cannot be read"),
        (["--inverter", "no.such.Reader"], "--inverter: no.such.Reader: "),
        (["--inverter", "torch.nn.Linear"], "--inverter: torch.nn.Linear: "),
        (["--weights", "nowhere"], "--weights: folder: nowhere holds no skeletal.safetensors"),
    ],
)
def test_wrong_options_are_named(run, capsys, options, said):
    with pytest.raises(SystemExit) as stopped:
        run(*options)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_a_set_that_is_not_what_its_card_says_is_refused(tmp_path):
    module = reason_render()
    for name in ("skeletal", "appearance"):
        path = tmp_path / f"{name}.safetensors"
        LoRAExport(str(path), name)._write(module, write=True)
        write_weights_card(path, "python -m train", "scenes", 3, {"val/reason": 0.5})
    module.load_adapters(tmp_path)
    payload = bytearray(path.read_bytes())
    payload[-1] ^= 1
    path.write_bytes(bytes(payload))
    with pytest.raises(ValueError, match="weights 'appearance': sha256"):
        module.load_adapters(tmp_path)


def test_sets_know_what_they_were_trained_for(tmp_path):
    module = reason_render(branch=ConditionBranch(plane=1))
    for name in ("skeletal", "appearance"):
        LoRAExport(str(tmp_path / f"{name}.safetensors"), name)._write(module, write=True)
    lora, scope = LoRASet.load(tmp_path / "skeletal.safetensors")
    assert lora.spec.branch == "condition"
    assert scope == {
        "adapter": "skeletal",
        "groups": "condition",
        "visibility": "causal",
        "sigma": 0.0,
        "guidance": 1.0,
        "plane": 1,
    }
    other = reason_render(branch=ConditionBranch(plane=1), zero=True)
    other.load_adapters(tmp_path)
    for key, parameter in module.backbone.adapters.named_parameters():
        assert torch.equal(dict(other.backbone.adapters.named_parameters())[key], parameter)
    with pytest.raises(ValueError, match="was trained as"):
        reason_render().load_adapters(tmp_path)
