"""The average against torch's own, swapped in and out without a trace, and through a checkpoint."""

import lightning as L
import pytest
import torch
from quiet_trainer import quiet_trainer
from safetensors.torch import load_file
from small_flux import SMALL
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from callbacks.adapter_ema import AdapterEMA
from callbacks.lora_export import LoRAExport
from lightning_modules.backbone.adapters import LoRASpec
from lightning_modules.backbone.flux import FluxBackbone


class Line(L.LightningModule):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.frozen, self.free = nn.Linear(2, 2), nn.Linear(2, 2)
        self.frozen.requires_grad_(False)
        self.seen = []
        self.validated = []

    def training_step(self, batch, batch_idx):
        return self.free(self.frozen(batch)).square().mean()

    def on_train_batch_end(self, *_):
        self.seen.append(self.free.weight.detach().clone())

    def validation_step(self, batch, batch_idx):
        self.validated.append(self.free.weight.detach().clone())

    def predict_step(self, batch, batch_idx):
        self.validation_step(batch, batch_idx)

    def configure_optimizers(self):
        return torch.optim.SGD(self.free.parameters(), 0.3)


def fit(module, callback, epochs, folder, resume=None, **options):
    data = DataLoader(torch.randn(6, 2, generator=torch.Generator().manual_seed(1)), batch_size=2)
    trainer = quiet_trainer(
        max_epochs=epochs,
        num_sanity_val_steps=0,
        callbacks=[callback],
        default_root_dir=folder,
        **options,
        enable_checkpointing=True,
    )
    trainer.fit(module, data, data, ckpt_path=resume)
    return trainer


def test_the_average_is_torchs(tmp_path):
    """torch's own average over the weights that were seen, with the decay that had been reached each time."""
    module, callback = Line(), AdapterEMA(decay=0.5)
    fit(module, callback, 8, tmp_path)
    average = {"weight": Line().free.weight.detach().clone()}
    for n, weight in enumerate(module.seen):
        get_ema_multi_avg_fn(min(0.5, (1 + n) / (10 + n)))([average["weight"]], [weight], n)
    torch.testing.assert_close(callback.average["free.weight"], average["weight"])
    assert set(callback.average) == {"free.weight", "free.bias"}
    assert callback.half_life() == 1


class TwoSteps(Line):
    """Two optimizer steps per batch, by hand."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.after_steps = []

    def training_step(self, batch, batch_idx):
        optimizer = self.optimizers()
        for _ in range(2):
            optimizer.zero_grad()
            self.manual_backward(super().training_step(batch, batch_idx))
            optimizer.step()
            self.after_steps.append(self.free.weight.detach().clone())


@pytest.mark.parametrize("every", ["step", "batch"])
def test_every_step_counts_or_every_batch(tmp_path, every):
    module, callback = TwoSteps(), AdapterEMA(decay=0.5, every=every)
    fit(module, callback, 3, tmp_path)
    average = Line().free.weight.detach().clone()
    taken = module.after_steps if every == "step" else module.after_steps[1::2]
    assert callback.updates == len(taken) == {"step": 18, "batch": 9}[every]
    for n, weight in enumerate(taken):
        get_ema_multi_avg_fn(min(0.5, (1 + n) / (10 + n)))([average], [weight], n)
    torch.testing.assert_close(callback.average["free.weight"], average)


def test_a_batch_that_only_accumulates_does_not_count(tmp_path):
    module, callback = Line(), AdapterEMA(decay=0.5)
    fit(module, callback, 2, tmp_path, accumulate_grad_batches=3)
    assert callback.updates == 2


def test_the_half_life_is_said(tmp_path, caplog):
    """Of 0.5 half is gone after every step."""
    with caplog.at_level("INFO"):
        fit(Line(), AdapterEMA(decay=0.5), 1, tmp_path)
    assert "half-life of 1.0 optimizer steps" in caplog.text
    # Flow-GRPO's 0.9 every 8 steps, as the paper's recipes take it.
    assert AdapterEMA(0.987).half_life() == pytest.approx(8 * AdapterEMA(0.9).half_life(), rel=0.01)


def test_validation_sees_the_average_and_training_goes_on_without_it(tmp_path):
    module, callback, plain = Line(), AdapterEMA(decay=0.9), Line()
    fit(module, callback, 3, tmp_path)
    fit(plain, L.Callback(), 3, tmp_path)
    for a, b in zip(module.seen, plain.seen, strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(module.validated[0], plain.validated[0])
    assert torch.equal(module.validated[-1], callback.average["free.weight"])


def test_a_resumed_average_is_the_uninterrupted_one(tmp_path):
    whole, first, second = AdapterEMA(0.7), AdapterEMA(0.7), AdapterEMA(0.7)
    fit(Line(), whole, 4, tmp_path)
    fit(Line(), first, 2, tmp_path).save_checkpoint(tmp_path / "half.ckpt")
    fit(Line(), second, 4, tmp_path, resume=tmp_path / "half.ckpt")
    assert whole.updates == second.updates == 12
    assert torch.equal(whole.average["free.weight"], second.average["free.weight"])


@pytest.mark.parametrize("stage", ["validate", "predict"])
def test_validate_and_predict_see_the_average_of_their_checkpoint(tmp_path, stage):
    trained = AdapterEMA(0.7)
    module = Line()
    fit(module, trained, 2, tmp_path).save_checkpoint(tmp_path / "last.ckpt")
    found, other = AdapterEMA(0.7), Line()
    trainer = quiet_trainer(callbacks=[found], default_root_dir=tmp_path, enable_checkpointing=True)
    getattr(trainer, stage)(other, DataLoader(torch.zeros(1, 2)), ckpt_path=tmp_path / "last.ckpt")
    (seen,) = other.validated
    assert torch.equal(seen, trained.average["free.weight"])
    assert torch.equal(other.free.weight, module.free.weight)
    assert not torch.equal(seen, module.free.weight)


def test_a_decay_of_one_is_refused():
    with pytest.raises(ValueError, match="decay: 1"):
        AdapterEMA(1.0)


def test_the_exported_file_holds_the_average(tmp_path):
    class Policy(Line):
        def __init__(self):
            super().__init__()
            self.backbone = FluxBackbone(config=SMALL, adapters={"policy": LoRASpec(rank=2)}).configure()
            self.backbone.transformer.requires_grad_(False)

    module, callback = Policy(), AdapterEMA(0.5)
    trainer = fit(module, callback, 1, tmp_path)
    trainer.callbacks.append(callback)
    name = next(n for n in callback.average if "down" in n)
    callback.average[name].fill_(7.0)
    LoRAExport(str(tmp_path / "out" / "lora.safetensors")).on_train_end(trainer, module)
    written = load_file(tmp_path / "out" / "lora.safetensors")
    assert sum(bool((v == 7).all()) for v in written.values()) == 1
    assert not (dict(module.named_parameters())[name] == 7).any()
    with pytest.raises(ValueError, match="safetensors"):
        LoRAExport("lora.bin")
