"""Two gloo ranks against one process, on the same data: ZeRO-2 and ZeRO-3 must be plain training, cut in two."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from diffusers import FluxTransformer2DModel
from lightning.pytorch.plugins.precision import DeepSpeedPrecision
from ranks import RANKS, imported, train_together
from safetensors.torch import load_file

from lightning_modules.backbone.adapters import LoRASet, LoRASpec
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.sharding import zero_strategy

WORKER = Path(__file__).with_name("zero_worker.py")
SIZE = {
    "in_channels": 64,
    "num_layers": 1,
    "num_single_layers": 2,
    "attention_head_dim": 32,
    "num_attention_heads": 4,
    "joint_attention_dim": 64,
    "pooled_projection_dim": 64,
    "axes_dims_rope": (8, 12, 12),
}
STAGES = pytest.mark.parametrize("stage", ["2", "3"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zero")
    torch.manual_seed(7)
    FluxTransformer2DModel(**SIZE).save_pretrained(folder / "flux", max_shard_size="1MB")
    lora = LoRASet(LoRASpec(rank=2), FluxBackbone(str(folder / "flux")).configure().linear_layers())
    for up in lora.up.values():
        torch.nn.init.normal_(up.weight, std=0.3)
    lora.save(folder / "fused.safetensors")
    return folder


@pytest.fixture(scope="module")
def ranks(folder) -> list[dict[str, Any]]:
    """What each rank saw, per stage and run."""
    train_together(WORKER, folder / "flux", folder, logs=folder)
    return [json.loads((folder / f"rank{rank}.json").read_text()) for rank in RANKS]


@pytest.fixture(scope="module")
def alone(folder) -> dict[str, Any]:
    """The same runs in one process that sees both ranks' batches."""
    worker = imported(WORKER)
    return {
        name: worker.fit(run, folder / "flux", strategy="auto")
        for name, run in worker.runs(folder / "one").items()
    }


def mean_losses(ranks, stage: str, run: str) -> list[float]:
    return [sum(pair) / 2 for pair in zip(*(r[stage][run]["loss"] for r in ranks), strict=True)]


def test_zero3_keeps_half_of_the_parameter_bytes_on_each_rank(ranks):
    for rank in ranks:
        assert rank["3"]["plain"]["total"] > 1_000_000
        assert rank["3"]["plain"]["local"] / rank["3"]["plain"]["total"] == pytest.approx(0.5, abs=0.01)
        assert rank["2"]["plain"]["local"] == rank["2"]["plain"]["total"]


@STAGES
@pytest.mark.parametrize("run", ["plain", "resumed", "checkpointed", "accumulated", "fused"])
def test_losses_equal_one_process(ranks, alone, stage, run):
    assert mean_losses(ranks, stage, run) == pytest.approx(alone[run]["loss"], abs=1e-5)


@STAGES
def test_lora_changes_nothing_at_step_0(ranks, stage):
    """Initialisers that run on parameters already cut up do nothing, silently: B was 39.2 there, and A too small."""
    drawn = ranks[0][stage]["plain"]["drawn"]
    assert drawn["up"] == 0
    # Kaiming uniform with a = sqrt 5 has variance 1 / (3 fan_in): |A|^2 = rank / 3 per layer, nine layers.
    assert drawn["down"] == pytest.approx(math.sqrt(9 * 4 / 3), rel=0.1)


@STAGES
def test_frozen_base_is_the_file(ranks, folder, stage):
    tensors = [t for path in (folder / "flux").glob("*.safetensors") for t in load_file(path).values()]
    expected = sum(t.double().abs().sum().item() for t in tensors)
    assert [r[stage]["plain"]["base"] for r in ranks] == pytest.approx([expected] * 2, rel=1e-9)


@STAGES
def test_a_fused_set_is_part_of_the_base_on_every_rank(ranks, alone, stage):
    assert alone["fused"]["base"] > alone["plain"]["base"] + 10
    assert [r[stage]["fused"]["base"] for r in ranks] == pytest.approx([alone["fused"]["base"]] * 2, rel=1e-7)


@STAGES
def test_resumed_run_continues_the_first(ranks, stage):
    for rank in ranks:
        plain, resumed = rank[stage]["plain"], rank[stage]["resumed"]
        assert resumed["loss"] == pytest.approx(plain["loss"][2:], abs=1e-6)
        assert resumed["end"] == pytest.approx(plain["end"], rel=1e-6)
        assert resumed["global_step"] == plain["global_step"] == 4


@STAGES
def test_accumulated_gradient_is_divided_once(ranks, alone, stage):
    """Plain SGD shows the size of the gradient; divided twice, B would be half as long."""
    for rank in ranks:
        assert rank[stage]["accumulated"]["end"]["up"] == pytest.approx(
            alone["accumulated"]["end"]["up"], rel=1e-4
        )


@pytest.mark.parametrize("strategy", ["ddp", "2", "3"])
def test_micro_backwards_give_one_process_gradient(ranks, alone, strategy):
    """One backward per row, one plain SGD step: twice the gradient, or a part of it, would show in B."""
    assert alone["micro"]["end"]["up"] > 0.01
    for rank in ranks:
        assert rank[strategy]["micro"]["end"]["up"] == pytest.approx(alone["micro"]["end"]["up"], rel=1e-4)
    assert mean_losses(ranks, strategy, "micro") == pytest.approx(alone["micro"]["loss"], abs=1e-5)


@STAGES
@pytest.mark.parametrize("run", ["plain", "resumed"])
def test_the_average_is_one_process_average_on_every_rank(ranks, alone, folder, stage, run):
    """It is validated, survives a checkpoint, and leaves training alone, whose losses are compared above."""
    part = {"plain": "first", "resumed": "again"}[run]
    theirs = load_file(folder / "one" / part / "average0.safetensors")
    for rank in RANKS:
        ours = load_file(folder / f"zero{stage}" / part / f"average{rank}.safetensors")
        assert ours.keys() == theirs.keys()
        for name, tensor in ours.items():
            assert (tensor - theirs[name]).abs().mean() < 1e-4, name  # as for the exported adapters below
    assert ranks[0][stage][run]["updates"] == alone[run]["updates"] == 4
    validated = [sum(pair) / 2 for pair in zip(*(r[stage][run]["validated"] for r in ranks), strict=True)]
    assert len(validated) >= 1
    assert validated == pytest.approx(alone[run]["validated"], abs=1e-5)


@STAGES
def test_clipped_steps_are_torchs_in_one_process(ranks, alone, folder, stage):
    """DeepSpeed keeps the gradients: torch's clipping there scaled nothing, and Lightning refuses its own setting."""
    ours = load_file(folder / f"zero{stage}" / "clipped.safetensors")
    theirs = load_file(folder / "one" / "clipped.safetensors")
    unlimited = load_file(folder / f"zero{stage}" / "micro.safetensors")
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name], atol=1e-7, rtol=1e-5)
    assert max((tensor - unlimited[name]).abs().max() for name, tensor in ours.items()) > 1e-4
    for rank in ranks:
        lengths = rank[stage]["clipped"]["lengths"]
        assert lengths == pytest.approx(alone["clipped"]["lengths"], rel=1e-4)
        assert len(lengths) == 2
        assert min(lengths) > 5e-3  # five times the limit


def test_trainer_files_of_a_stage_differ_in_machines_only():
    """So that what is seen here of one of them holds for all; on CPU the strategy takes the same arguments."""
    worker = imported(WORKER)
    files = sorted(worker.TRAINERS.glob("zero*.yaml"))
    assert len(files) == 6
    for path in files:
        trainer = yaml.safe_load(path.read_text())["trainer"]
        stage = int(path.name[len("zero")])
        assert trainer.keys() == {"accelerator", "devices", "num_nodes", "strategy", "precision"}
        assert trainer["strategy"]["init_args"] == {"stage": stage}
        assert trainer["precision"] == worker.shipped_precision(stage)


@STAGES
def test_lora_is_float32_beside_a_bfloat16_base(ranks, folder, stage):
    adapters, base = 18 * 4 * 128, 0
    tensors = [t for path in (folder / "flux").glob("*.safetensors") for t in load_file(path).values()]
    base = sum(t.numel() for t in tensors)
    expected = sum(t.bfloat16().double().abs().sum().item() for t in tensors)
    for rank in ranks:
        seen = rank[stage]["half"]
        assert seen["dtypes"] == {"adapters": ["torch.float32"], "transformer": ["torch.bfloat16"]}
        assert seen["total"] == 4 * adapters + 2 * base
        assert seen["local"] == pytest.approx(seen["total"] / (2 if stage == "3" else 1), rel=1e-3)
        assert seen["base"] == pytest.approx(expected, rel=1e-9)


@STAGES
def test_an_update_below_bfloat16_survives(ranks, folder, stage):
    """AdamW's first step is the learning rate, 1e-4; bfloat16 at 1 would swallow it."""
    before = load_file(folder / f"zero{stage}" / "half.start.safetensors")
    after = load_file(folder / f"zero{stage}" / "half.safetensors")
    ups = [name for name in before if ".up." in name]
    assert len(ups) == 9
    for name in ups:
        assert (before[name] == 1).all()
        moved = (after[name] - before[name]).abs()
        assert moved.median().item() == pytest.approx(1e-4, rel=0.05), name
        assert (after[name].bfloat16() == 1).all()


def test_precisions_that_round_what_is_trained_are_refused():
    strategy = zero_strategy.CPUZeroStrategy()
    strategy.precision_plugin = DeepSpeedPrecision("bf16-true")
    with pytest.raises(ValueError, match=r"trainer.precision='bf16-true' would .* set '32-true'"):
        strategy.setup_distributed()


@STAGES
def test_checkpoint_holds_adapters_only(ranks, folder, stage):
    saved = folder / f"zero{stage}" / "first" / "step=4.ckpt" / "checkpoint"
    total = ranks[0][stage]["plain"]["total"]
    sizes = [path.stat().st_size for path in saved.glob("*.pt")]
    assert len(sizes) == {"2": 3, "3": 4}[stage]
    assert sum(sizes) < total / 10


@STAGES
def test_exported_adapters_equal_one_process(ranks, alone, folder, stage):
    ours = load_file(folder / f"zero{stage}" / "first" / "step=4.safetensors")
    theirs = load_file(folder / "one" / "first" / "step=4.safetensors")
    assert len(ours) == 18
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        # AdamW's first steps are near lr * sign(gradient): where a gradient is zero up to rounding, signs differ.
        assert (tensor - theirs[name]).abs().mean() < 1e-4, name


def test_missing_deepspeed_is_said_at_once(monkeypatch):
    monkeypatch.setattr(zero_strategy, "_DEEPSPEED_AVAILABLE", False)
    with pytest.raises(ValueError, match=r"trainer.strategy=CPUZeroStrategy needs deepspeed"):
        zero_strategy.CPUZeroStrategy()


def test_batches_that_are_dataclasses_keep_their_precision():
    """Lightning's own refuses frozen ones, and would round coordinates to bf16."""
    precision = zero_strategy.UncastPrecision("32-true")
    canvas = Canvas(torch.full((2,), 1 / 3))
    assert precision.convert_input(canvas) is canvas
    loose = precision.convert_input(
        {"latents": torch.ones(2).bfloat16(), "index": torch.ones(2, dtype=torch.long)}
    )
    assert (loose["latents"].dtype, loose["index"].dtype) == (torch.float32, torch.long)


@dataclass(frozen=True)
class Canvas:
    pixels: torch.Tensor
