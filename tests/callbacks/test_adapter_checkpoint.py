"""One process; ``tests/lightning_modules/sharding`` saves and resumes under ZeRO-2 and ZeRO-3."""

import lightning as L
import pytest
import torch
from quiet_trainer import quiet_trainer
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from callbacks.adapter_checkpoint import AdapterCheckpoint, trained_parameters


class Adapted(L.LightningModule):
    """A frozen layer with a trained one beside it; ``extra`` trains one more."""

    def __init__(self, extra: bool = False) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.base = nn.Linear(8, 8).requires_grad_(False)
        self.adapter = nn.Linear(8, 8)
        self.extra = nn.Linear(8, 8) if extra else None
        self.register_buffer("steps", torch.zeros(()))

    def training_step(self, batch, batch_idx):
        self.steps += 1
        return (self.base(batch[0]) + self.adapter(batch[0])).square().mean()

    def configure_optimizers(self):
        return torch.optim.AdamW([p for p in self.parameters() if p.requires_grad], lr=0.1)


def fit(module, folder, steps, resume=None, **options):
    callback = AdapterCheckpoint(dirpath=folder, filename="{step}", every_n_train_steps=1, **options)
    trainer = quiet_trainer(max_steps=steps, callbacks=[callback], enable_checkpointing=True)
    data = TensorDataset(torch.ones(6, 8))
    trainer.fit(module, DataLoader(data, batch_size=1), ckpt_path=resume)
    return module


def test_holds_trained_parameters_and_buffers_only(tmp_path):
    module = fit(Adapted(), tmp_path, 2)
    saved = torch.load(tmp_path / "step=2.ckpt", weights_only=True)["state_dict"]
    assert set(saved) == {"adapter.weight", "adapter.bias", "steps"}
    exported = load_file(tmp_path / "step=2.safetensors")
    assert set(exported) == {"adapter.weight", "adapter.bias"} == set(trained_parameters(module))
    assert torch.equal(exported["adapter.weight"], module.adapter.weight)


def test_resumed_run_equals_an_uninterrupted_one(tmp_path):
    whole = fit(Adapted(), tmp_path / "whole", 4)
    fit(Adapted(), tmp_path / "half", 2)
    resumed = fit(Adapted(), tmp_path / "rest", 4, resume=tmp_path / "half" / "step=2.ckpt")
    for name, tensor in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name
    assert resumed.steps == 4


def test_refuses_a_checkpoint_of_other_parameters(tmp_path):
    fit(Adapted(), tmp_path / "a", 1)
    with pytest.raises(ValueError, match=r"only in the model \['extra.bias', 'extra.weight'\]"):
        fit(Adapted(extra=True), tmp_path / "b", 2, resume=tmp_path / "a" / "step=1.ckpt")


def test_keeps_as_many_exports_as_checkpoints(tmp_path):
    fit(Adapted(), tmp_path, 3, save_top_k=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step=3.ckpt", "step=3.safetensors"]


def test_export_can_be_left_out(tmp_path):
    fit(Adapted(), tmp_path, 1, export=False)
    assert [p.name for p in tmp_path.iterdir()] == ["step=1.ckpt"]
