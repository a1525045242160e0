"""Architect-B: guided drafts, a whole training, and plans by the commands a user types."""

import json
import time
from dataclasses import replace

import pytest
import torch
from quiet_trainer import quiet_trainer
from torchvision.utils import save_image

from datamodules.collate import collate
from datamodules.groups import CountCurriculum, WholeGroups
from datamodules.multi_human import MultiHumanDataModule
from datamodules.plan_files import read_plan
from datamodules.schema.detections import Detections
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.ar2can import generate, plan, planning
from lightning_modules.ar2can.architect_flow import ArchitectFlowModule
from lightning_modules.ar2can.planning import DEFAULTS, MAX_CHARACTERS, flow_architect
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.generator import FluxGenerator
from rewards.analyzers.tiny import TinyAnalyzer

CONFIG = DEFAULTS["flow"]


@pytest.fixture(scope="module")
def architect():
    return flow_architect(CONFIG, "none")


@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_an_untrained_draft_is_the_bases_image(architect, guidance, monkeypatch):
    scenes = collate([draw_scene(seed, "val", count=2) for seed in (1, 2)])
    sampling = replace(architect.policy.sampling, free_guidance=guidance)
    monkeypatch.setattr(architect.policy, "sampling", sampling)
    generator = FluxGenerator("flux_tiny")
    generator.backbone = FluxBackbone("flux_tiny", dtype="bfloat16", fused=["guidance"])
    theirs = generator.generate(scenes, seed=3, steps=4, guidance=guidance)
    torch.testing.assert_close(architect.draw(scenes, 3), theirs, atol=1e-3, rtol=0)
    torch.testing.assert_close(architect.draft(scenes.prompts, 3), theirs.clamp(0, 1), atol=1e-3, rtol=0)
    other = generator.generate(scenes, seed=3, steps=4, guidance=5.0 - guidance)
    assert (other - theirs).abs().mean() > 0.02


@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_two_epochs_move_the_adapter_in_half_a_minute(guidance, tmp_path):
    """Rollout, rewards, divergence and two trained steps; every ratio starts at exactly 1."""
    module = flow_architect(CONFIG, "none").train()
    module.policy.sampling = replace(module.policy.sampling, free_guidance=guidance)
    data = MultiHumanDataModule(
        WholeGroups(1, 4), CountCurriculum(then=(1,), switch=-1), val_size=2, val_counts=(2,)
    )
    trainer = quiet_trainer(max_epochs=2, default_root_dir=tmp_path)
    before = [p.detach().clone() for p in module.backbone.adapters.parameters()]
    began = time.process_time()
    trainer.fit(module, data)
    assert time.process_time() - began < 30
    seen = trainer.callback_metrics
    assert seen["policy/on_policy_max_deviation"] == 0
    assert seen["policy/gradient_norm"] > 0
    assert seen["policy/divergence"] > 0
    assert 0 <= seen["val/count"] <= 1
    assert {"val/judge", "val/detected", "val/image_text", "val/quality"} <= set(seen)
    moved = [
        not torch.equal(a, b) for a, b in zip(before, module.backbone.adapters.parameters(), strict=True)
    ]
    assert all(moved)


def test_sampling_and_size_are_checked(architect):
    with pytest.raises(ValueError, match="free_guidance: 0"):
        type(architect.policy.sampling)(free_guidance=0.0)
    with pytest.raises(ValueError, match="draft_size: 100"):
        ArchitectFlowModule(architect.backbone, architect.rewards, draft_size=100)
    with pytest.raises(ValueError, match="wanted, redraws: 1 numbers for 2 prompts"):
        architect.plan(["a", "b"], [1])


@pytest.fixture
def seen_on_drafts(monkeypatch):
    """So many faces are seen on the drafts that are drawn one after the other; the faces are real ones' places."""
    looked = []

    def script(*numbers):
        left = list(numbers)

        def analyze(self, images):
            looked.append(images)
            return [faces(left.pop(0)) for _ in images]

        monkeypatch.setattr(TinyAnalyzer, "analyze", analyze)
        return looked

    return script


def faces(count):
    boxes = torch.tensor([[0.05 + 0.12 * k, 0.3, 0.15 + 0.12 * k, 0.42] for k in range(count)]).reshape(-1, 4)
    keypoints = torch.full((count, 17, 3), 0.5)
    return Detections(boxes, torch.ones(count), torch.zeros(count, 5, 2), keypoints, torch.zeros(count, 128))


def test_only_what_cannot_be_used_is_drawn_again(architect, seen_on_drafts):
    looked = seen_on_drafts(2, 0, 1, 3, 3)
    first, second, third = architect.plan(["x", "y", "z"], [2, None, 3], seed=10, redraws=2)
    assert [len(images) for images in looked] == [3, 2]
    assert (first.answer.refusal, first.counts, first.seed) == (None, (2,), 10)
    assert (second.answer.refusal, second.counts, second.seed) == (None, (0, 3), 11)
    assert (third.answer.refusal, third.counts, third.seed) == (None, (1, 3), 11)
    torch.testing.assert_close(second.image, architect.draft(["y", "z"], 11)[0])
    seen_on_drafts(1, 4)
    (wrong,) = architect.plan(["x"], [2], redraws=1)
    assert wrong.answer.refusal == "count"
    assert "with 4 people where 2 are asked for; on 2 drafts [1, 4] were seen" in wrong.answer.told


@pytest.fixture(autouse=True)
def built_once(monkeypatch, architect):
    """The commands build the untrained Architect-B of the tiny configuration only once."""
    made = planning.architect

    def known(request):
        return architect if (request.file, request.weights) == (CONFIG, "none") else made(request)

    monkeypatch.setattr(plan, "architect", known)
    monkeypatch.setattr(generate, "architect", known)


def run(tmp_path, prompt, *options):
    out = tmp_path / "new" / "layout.json"
    plan.main([prompt, "--out", str(out), "--architect", "flow", "--weights", "none", *options])
    return out


def test_a_plan_is_read_off_and_written(seen_on_drafts, tmp_path, capsys):
    seen_on_drafts(2, 3)
    out = run(tmp_path, "three friends on a beach", "--redraws", "1", "--draft", str(tmp_path / "draft.png"))
    layout = read_plan(out)
    torch.testing.assert_close(layout.boxes[0], faces(3).boxes, atol=1e-4, rtol=0)
    assert set(json.loads(out.read_text())["people"][0]) == {"box", "keypoints"}
    assert (tmp_path / "draft.png").is_file()
    said = " ".join(capsys.readouterr().out.split())
    assert "3 people" in said
    assert "drawn 2 times, faces seen: [2, 3]; seed 1" in said


@pytest.mark.parametrize(
    ("prompt", "options", "warned"),
    [("a quiet beach", (), True), ("two friends", (), False), ("a quiet beach", ("--people", "2"), False)],
)
def test_a_prompt_without_a_number_is_planned_as_drawn_and_that_is_said(
    seen_on_drafts, tmp_path, capsys, prompt, options, warned
):
    seen_on_drafts(2)
    assert run(tmp_path, prompt, *options).is_file()
    assert ("names no number" in " ".join(capsys.readouterr().out.split())) == warned


@pytest.mark.parametrize(
    ("prompt", "options", "count", "message"),
    [
        ("", (), 1, "is empty"),
        ("word " * 2000, (), 1, f"10000 characters; at most {MAX_CHARACTERS}"),
        ("fifty soldiers march", (), 5, "asks for more people than a plan holds"),
        ("an empty beach with 0 people", (), 0, "names nobody"),
        ("a quiet empty beach", (), 0, "no face that can be seen; draw more drafts"),
        ("three friends", (), 2, "with 2 people where 3 are asked for; draw more drafts (--redraws)"),
        ("a group of friends", ("--people", "4"), 2, "with 2 people where 4 are asked for"),
        ("three friends", ("--people", "0"), 2, "--people: 0; a plan holds 1 to 7"),
        ("three friends", ("--people", "50"), 2, "--people: 50; a plan holds 1 to 7"),
        ("three friends", ("--redraws", "-1"), 2, "--redraws: -1 must be 0 or more"),
        ("three friends", ("--weights", "nowhere.safetensors"), 2, "there is no file nowhere.safetensors"),
        ("three friends", ("--config", str(generate.CONFIG)), 2, "trains a GRPOArtistModule"),
    ],
)
def test_what_gives_no_plan_is_said(seen_on_drafts, tmp_path, capsys, prompt, options, count, message):
    seen_on_drafts(count)
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path, prompt, *options)
    assert stopped.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("plan: ")
    assert message in said
    assert not (tmp_path / "new").exists()


def test_sums_are_the_users_to_say(seen_on_drafts, tmp_path):
    """The first number word is not always the number of people; --people overrides it."""
    seen_on_drafts(5)
    prompt = "three nurses and two patients"
    assert read_plan(run(tmp_path, prompt, "--people", "5")).counts().tolist() == [5]


def test_the_artist_draws_where_the_draft_has_its_people(tmp_path, monkeypatch, architect):
    """The same Layout as from a file: generate with --architect flow, then with the plan it wrote."""
    persons = draw_scene(7, "test", count=2).persons
    paths = [tmp_path / f"{i}.png" for i in range(2)]
    for path, person in zip(paths, persons, strict=True):
        save_image(person.reference, path)
    prompt = "Two friends standing on a beach."
    seed = next(s for s in range(20) if architect.plan([prompt], [2], s)[0].answer.refusal is None)
    common = ["--prompt", prompt, "--faces", *map(str, paths), "--seed", str(seed)]
    flow = ["--architect", "flow", "--architect-weights", "none"]
    generate.main([*common, *flow, "--out", str(tmp_path / "a")])
    generate.main([*common, "--layout", str(tmp_path / "a" / "layout.json"), "--out", str(tmp_path / "b")])
    scores = [json.loads((tmp_path / name / "scores.json").read_text())["scores"] for name in "ab"]
    assert scores[0][0]["face"] == pytest.approx(scores[1][0]["face"], abs=0.02)
    planned = architect.plan([prompt], [2], seed)[0].answer
    written = read_plan(tmp_path / "a" / "layout.json")
    torch.testing.assert_close(written.boxes[0], planned.boxes, atol=1e-4, rtol=0)
    with pytest.raises(SystemExit):
        generate.main([*common, *flow, "--layout", str(tmp_path / "a" / "layout.json")])
