"""``predict`` of the tiny Artist on the command line: its files, and that the LoRA set asked for draws them."""

import json

import lightning as L
import pytest
import torch
from lightning.pytorch.trainer.states import TrainerFn
from quiet_trainer import quiet_trainer
from small_flux import SMALL
from torchvision.io import read_image

from callbacks.lora_import import LoRAImport
from callbacks.prediction_writer import PredictionWriter
from datamodules.collate import collate
from datamodules.plan_files import read_plan
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.ar2can.generate import artist
from lightning_modules.backbone.adapters import LoRASpec
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.shipped_lora import lora_file
from lightning_modules.cli import TroupeCLI
from lightning_modules.configured import CONFIGS

CONFIG = CONFIGS / "ar2can" / "artist_tiny.yaml"
WRITER = "callbacks.prediction_writer.PredictionWriter"


def predict(folder, *more):
    files = [part for file in (CONFIGS / "trainer" / "cpu.yaml", CONFIG) for part in ("-c", str(file))]
    short = [
        "data.init_args.val_size=2",
        "data.init_args.batch_size=2",
        "model.init_args.sampling.eval_steps=2",
        "trainer.logger=false",
        f"trainer.default_root_dir={folder}",
        f"trainer.callbacks+={WRITER}",
        f"trainer.callbacks.init_args.folder={folder}",
    ]
    TroupeCLI(["predict", *files, *short, *more])


def test_the_command_leaves_images_prompts_and_layouts(tmp_path):
    predict(tmp_path / "a")
    scenes = [draw_scene(0, "test", count=2), draw_scene(1, "test", count=3)]
    module = artist(CONFIG, None, ["model.init_args.sampling.eval_steps=2"])
    expected = module.draw(collate(scenes), 0)
    names = [scene.scene_id.replace("/", "-") for scene in scenes]
    assert sorted(p.name for p in (tmp_path / "a").glob("*.png")) == [f"{name}.png" for name in names]
    for name, scene, image in zip(names, scenes, expected, strict=True):
        written = read_image(tmp_path / "a" / f"{name}.png").float() / 255
        torch.testing.assert_close(written, image.float().clamp(0, 1), atol=1 / 255, rtol=0)
        plan = read_plan(tmp_path / "a" / f"{name}.json")
        torch.testing.assert_close(
            plan.boxes[0], torch.stack([p.box for p in scene.persons]), atol=1e-4, rtol=0
        )
        assert json.loads((tmp_path / "a" / f"{name}.json").read_text())["prompt"] == scene.prompt
    lines = [json.loads(line) for line in (tmp_path / "a" / "prompts.jsonl").read_text().splitlines()]
    assert lines == [
        {"file": f"{name}.png", "prompt": scene.prompt, "people": len(scene)}
        for name, scene in zip(names, scenes, strict=True)
    ]

    imported = [
        "trainer.callbacks+=callbacks.lora_import.LoRAImport",
        "trainer.callbacks.init_args.lora=artist_tiny",
    ]
    predict(tmp_path / "b", *imported)
    tuned = artist(CONFIG, "artist_tiny", ["model.init_args.sampling.eval_steps=2"]).draw(collate(scenes), 0)
    assert float((tuned - expected).abs().max()) > 0.1
    written = torch.stack([read_image(tmp_path / "b" / f"{name}.png") for name in names]).float() / 255
    torch.testing.assert_close(written, tuned.float().clamp(0, 1), atol=1 / 255, rtol=0)


def test_what_has_no_scenes_or_no_policy_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a batch is a Tensor and no SceneBatch"):
        PredictionWriter(str(tmp_path)).write_on_batch_end(
            None, None, torch.rand(1, 3, 8, 8), [0], torch.rand(1), 0, 0
        )
    with pytest.raises(ValueError, match="neither a file nor one of the shipped sets"):
        LoRAImport("nowhere")
    with pytest.raises(ValueError, match="LightningModule has no backbone"):
        LoRAImport("artist_tiny").on_predict_start(None, L.LightningModule())


def test_a_set_that_was_trained_for_another_use_is_refused(tmp_path):
    module = L.LightningModule()
    specs = {name: LoRASpec(rank=2) for name in ("skeletal", "appearance")}
    module.backbone = FluxBackbone(config=SMALL, adapters=specs).configure()
    module.adapter_scope = lambda name: {"adapter": name}
    saved, other = module.backbone.adapters["skeletal"], module.backbone.adapters["appearance"]
    saved.save(tmp_path / "set.safetensors", {"adapter": "skeletal"})
    LoRAImport(str(tmp_path / "set.safetensors"), "skeletal").on_predict_start(None, module)
    assert module.backbone.adapters["skeletal"] is not saved
    with pytest.raises(ValueError, match=r"was trained as \{'adapter': 'skeletal'\}"):
        LoRAImport(str(tmp_path / "set.safetensors"), "appearance").on_predict_start(None, module)
    assert module.backbone.adapters["appearance"] is other


def test_a_training_validates_its_own_set():
    loaded = []
    module = L.LightningModule()
    module.backbone = FluxBackbone(source="flux_tiny")
    module.backbone.load_adapter = lambda *asked: loaded.append(asked)
    trainer = quiet_trainer()
    importing = LoRAImport("artist_tiny")
    for fn in (TrainerFn.FITTING, TrainerFn.VALIDATING):
        trainer.state.fn = fn
        importing.on_validation_start(trainer, module)
    assert loaded == [("policy", lora_file("artist_tiny"), None)]
