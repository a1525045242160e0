"""Every YAML under configs/ is found on disk, parsed, and what it names is built; 12B models on the meta device."""

import itertools
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
import yaml
from jsonargparse import ArgumentParser
from torch import nn
from transformers import Qwen2_5_VLConfig

from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.cli import TroupeCLI

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIGS = REPOSITORY / "configs"
FILES = sorted(path for suffix in ("*.yaml", "*.yml") for path in CONFIGS.rglob(suffix))
SHIPPED = REPOSITORY / "lightning_modules" / "backbone" / "weights"
HARDWARE = CONFIGS / "trainer" / "cpu.yaml"
GPUS_PER_NODE = 8
BILLION = 1e9


def relative(path: Path) -> str:
    return path.relative_to(CONFIGS).as_posix()


def files(*folders: str) -> Any:
    chosen = [p for p in FILES if relative(p).split("/")[0] in folders]
    return pytest.mark.parametrize("path", chosen, ids=relative)


@pytest.fixture
def eight_gpus(monkeypatch):
    """Lets a trainer count eight GPUs, so that a cluster's configuration can be built where there are none."""
    accelerator = "lightning.fabric.accelerators.cuda"
    monkeypatch.setattr("lightning.pytorch.accelerators.cuda.num_cuda_devices", lambda: GPUS_PER_NODE)
    monkeypatch.setattr(f"{accelerator}.num_cuda_devices", lambda: GPUS_PER_NODE)
    monkeypatch.setattr(f"{accelerator}.is_cuda_available", lambda: True)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda *_: True)


def through_the_cli(*paths: Path) -> TroupeCLI:
    """Trainer, module and data of a run, built and not run."""
    return TroupeCLI([argument for path in paths for argument in ("--config", str(path))], run=False)


def test_there_are_configurations():
    kinds = {relative(path).split("/")[0] for path in FILES}
    assert {"trainer", "backbone"} <= kinds


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_file_says_how_it_is_run(path):
    head = list(itertools.takewhile(lambda line: line.startswith("#"), path.read_text().splitlines()))
    assert head, "open with a line on what it is"
    assert any("python -m " in line or "init_args" in line for line in head), (
        "name the command or key that uses it"
    )


@files("trainer")
def test_trainer_is_built(path, eight_gpus):
    raw = yaml.safe_load(path.read_text())
    assert set(raw) == {"trainer"}, "hardware only"
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(L.Trainer, "trainer")
    trainer = parser.instantiate(parser.parse_path(str(path))).trainer
    wanted = raw["trainer"]
    assert trainer.num_devices == wanted["devices"]
    assert trainer.num_nodes == wanted["num_nodes"]
    assert trainer.world_size == wanted["devices"] * wanted["num_nodes"]
    assert trainer.precision == wanted["precision"]
    if "gpu" in path.stem and path.stem != "one_gpu":
        stage, gpus = path.stem.removeprefix("zero").removesuffix("gpu").split("_")
        assert trainer.world_size == int(gpus)
        assert trainer.strategy.config["zero_optimization"]["stage"] == int(stage)
        assert trainer.strategy.exclude_frozen_parameters


def test_trainers_have_the_same_keys_in_the_same_order():
    """So that a diff of two of them is the list of what differs."""
    keys = {
        tuple(yaml.safe_load(p.read_text())["trainer"]) for p in FILES if relative(p).startswith("trainer/")
    }
    assert len(keys) == 1


@files("backbone")
def test_backbone_is_built(path):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(nn.Module, "backbone")
    config = parser.parse_object({"backbone": yaml.safe_load(path.read_text())})
    backbone = parser.instantiate(config).backbone
    assert isinstance(backbone, FluxBackbone)
    assert not list(backbone.parameters()), "nothing is built before configure_model"
    if (SHIPPED / str(backbone.source)).is_dir():
        backbone.configure()
        assert 1e6 < count(backbone) < 5e7
        return
    assert backbone.flux_config is not None, f"{backbone.source} is not shipped, so give its size as config"
    with torch.device("meta"):
        planned = FluxBackbone(config=backbone.flux_config, dtype=str(backbone.dtype).removeprefix("torch."))
        planned.configure()
    assert all(p.is_meta for p in planned.parameters())
    assert count(planned) / BILLION == pytest.approx(11.90, abs=0.02)


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A working folder in which the files stand that configurations of the papers ask for, empty."""
    for name in ("Qwen2-VL-7B-Instruct/config.json", "HPSv3.safetensors", "HPS_v2.1_compressed.pt"):
        path = tmp_path / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    vlm = tmp_path / "models" / "Qwen2.5-VL-7B-Instruct" / "config.json"
    vlm.parent.mkdir()
    vlm.write_text(Qwen2_5_VLConfig().to_json_string())  # of its own size, so built on the meta device
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "path", [p for p in FILES if relative(p).split("/")[0] not in {"trainer", "backbone"}], ids=relative
)
def test_experiment_is_built(path, lab):
    """Module and data through the command line; the module's networks on the meta device."""
    cli = through_the_cli(HARDWARE, path)
    assert isinstance(cli.model, L.LightningModule)
    backbone = getattr(cli.model, "backbone", None)
    if backbone is not None and backbone.source and not (SHIPPED / str(backbone.source)).is_dir():
        backbone.source = None  # weights a lab puts in place: the size given beside them is built instead
    language = getattr(cli.model, "language", None)
    if language is not None:
        language.source = None
    with torch.device("meta"):
        cli.model.configure_model()
    assert count(cli.model) > 0
