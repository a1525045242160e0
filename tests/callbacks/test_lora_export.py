"""The LoRA set that a training leaves, and its card."""

import hashlib
import json
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import lightning as L
import pytest
import torch
from quiet_trainer import quiet_trainer
from safetensors.torch import load_file
from torch.utils.data import DataLoader

from callbacks.adapter_ema import AdapterEMA
from callbacks.hold_out_guard import HoldOutGuard
from callbacks.lora_export import LoRAExport
from lightning_modules.backbone.adapters import LoRASet, LoRASpec
from lightning_modules.backbone.flux import FluxBackbone, FluxConfig
from rewards.weights import WeightsCard, verified

TINY = FluxConfig(
    num_layers=1,
    num_single_layers=1,
    attention_head_dim=16,
    num_attention_heads=2,
    joint_attention_dim=8,
    pooled_projection_dim=8,
    axes_dims_rope=(4, 6, 6),
)


class Climbing(L.LightningModule):
    """Every element of the set grows by 1 an epoch; the hold-out falls from the third epoch on."""

    def __init__(self):
        super().__init__()
        self.backbone = FluxBackbone(config=TINY, adapters={"policy": LoRASpec(rank=3)}).configure()
        self.backbone.transformer.requires_grad_(False)

    def configure_optimizers(self):
        return torch.optim.SGD([p for p in self.parameters() if p.requires_grad], lr=1.0)

    def training_step(self, batch, batch_idx):
        return -sum(p.sum() for p in self.backbone.adapters.parameters())

    def validation_step(self, batch, batch_idx):
        grown = float(next(iter(self.backbone.adapters["policy"].up.values())).weight.detach().mean())
        self.log_dict({"val/total": grown, "val/judge": 1.0 - max(0.0, grown - 2)})
        self.log("loss", 1.0)


def fit(callbacks, epochs=4):
    L.seed_everything(11)
    model, data = Climbing(), DataLoader(torch.zeros(1, 1))
    trainer = quiet_trainer(max_epochs=epochs, callbacks=callbacks, num_sanity_val_steps=-1)
    trainer.fit(model, data, data)
    return model


def ups(path):
    return {float(v.mean()) for name, v in load_file(path).items() if "lora_B" in name}


def test_the_card_tells_how_it_came_to_be_and_what_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(
        sys, "argv", ["cli.py", "fit", "-c", "a.yaml", "--ckpt_path=b.ckpt", "trainer.max_epochs=4"]
    )
    path = tmp_path / "made" / "tuned.safetensors"
    fit([LoRAExport(str(path), card=True)])
    card = WeightsCard(**json.loads(path.with_suffix(".json").read_text()))
    assert card.name == "tuned"
    assert card.command.endswith("fit -c a.yaml trainer.max_epochs=4")
    assert (card.seed, card.steps, card.architecture) == (11, 4, {"rank": 3})
    assert card.date == datetime.now(tz=UTC).date().isoformat()
    assert card.metrics == {"val/judge": -1.0, "val/total": 4.0}
    assert card.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert verified(path.parent, "tuned") == path


def test_figures_are_those_of_the_weights_a_guard_puts_back(tmp_path):
    path = tmp_path / "tuned.safetensors"
    fit([HoldOutGuard(["val/judge"], patience=5), LoRAExport(str(path), card=True)])
    assert ups(path) == {2.0}
    assert json.loads(path.with_suffix(".json").read_text())["metrics"] == {
        "val/judge": 1.0,
        "val/total": 2.0,
    }


def test_with_an_average_the_average_is_written(tmp_path):
    path = tmp_path / "tuned.safetensors"
    average = AdapterEMA(decay=0.5)
    model = fit([average, LoRAExport(str(path))])
    (written,) = ups(path)
    assert written == pytest.approx(
        float(average.average["backbone.adapters.policy.up." + first(model)].mean())
    )
    assert 1 < written < 4
    assert not path.with_suffix(".json").exists()


def first(model):
    return next(name for name, _ in model.backbone.adapters["policy"].up.named_parameters())


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ValueError, match="safetensors"):
        LoRAExport("policy.ckpt")
    with pytest.raises(ValueError, match="no LoRA set called 'artist'"):
        fit([LoRAExport(str(tmp_path / "a.safetensors"), adapter="artist")], epochs=1)


def test_a_file_says_what_its_backbone_has_fused_whatever_its_module_says(tmp_path):
    LoRASet(LoRASpec(rank=2), Climbing().backbone.linear_layers()).save(tmp_path / "start.safetensors")
    model = Climbing()
    model.backbone = FluxBackbone(
        config=TINY, adapters={"policy": LoRASpec(rank=3)}, fused=[str(tmp_path / "start.safetensors")]
    ).configure()
    trainer = SimpleNamespace(callbacks=[], is_global_zero=True)
    for name in ("plain", "scoped"):
        path = tmp_path / f"{name}.safetensors"
        LoRAExport(str(path)).on_train_end(trainer, model)
        model.adapter_scope = lambda name: {"adapter": name}
    (_, plain), (_, scoped) = (LoRASet.load(tmp_path / f"{name}.safetensors") for name in ("plain", "scoped"))
    assert plain == {"groups": "all", "fused": ["start"]}
    assert scoped == {"adapter": "policy", "fused": ["start"]}
    model.backbone.load_adapter("again", tmp_path / "scoped.safetensors", {"adapter": "policy"})
    with pytest.raises(ValueError, match=r"with \['start'\] fused, and this backbone has \[\]"):
        Climbing().backbone.load_adapter("again", tmp_path / "scoped.safetensors", {"adapter": "policy"})
