"""Batches by step: every sample once per round, shared out among processes, and the same after a resume."""

from itertools import chain, islice
from types import SimpleNamespace

import lightning as L
import pytest
import torch
from quiet_trainer import quiet_trainer
from torch.utils.data import DataLoader

from datamodules.step_batches import StepBatches, step_loader


def first(batches, count):
    return list(islice(iter(batches), count))


def test_a_round_sees_every_sample_once_and_rounds_differ():
    rounds = first(StepBatches(12, 4, seed=3), 6)
    assert sorted(chain(*rounds[:3])) == sorted(chain(*rounds[3:])) == list(range(12))
    assert rounds[:3] != rounds[3:]
    assert first(StepBatches(12, 4, seed=4), 3) != rounds[:3]


def test_a_rest_is_left_out():
    rounds = first(StepBatches(10, 4), 4)
    assert all(len(set(a + b)) == 8 for a, b in (rounds[:2], rounds[2:]))


@pytest.mark.parametrize("step", [0, 1, 5])
def test_processes_share_the_batches_and_any_step_can_come_first(step):
    alone = first(StepBatches(12, 2), 20)
    shares = [first(StepBatches(12, 2, first_step=step, rank=r, world=2), 4) for r in (0, 1)]
    assert [b for pair in zip(*shares, strict=True) for b in pair] == alone[2 * step : 2 * step + 8]


def test_a_batch_that_cannot_be_filled_is_refused():
    with pytest.raises(ValueError, match="batch_size: 4"):
        StepBatches(3, 4)


class Data(L.LightningDataModule):
    def train_dataloader(self):
        batches = StepBatches(10, 2, first_step=self.trainer.global_step)
        return DataLoader(torch.arange(10.0)[:, None], batch_sampler=batches)


class Noting(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.line, self.seen = torch.nn.Linear(1, 1), []

    def training_step(self, batch, batch_idx):
        self.seen.append(batch.flatten().tolist())
        return self.line(batch).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.01)


def fit(steps, folder, resume=None):
    module = Noting()
    trainer = quiet_trainer(max_steps=steps, default_root_dir=folder, enable_checkpointing=True)
    trainer.fit(module, Data(), ckpt_path=resume)
    trainer.save_checkpoint(folder / f"{steps}.ckpt")
    return module.seen


def test_a_run_that_goes_on_sees_what_it_would_have_seen(tmp_path):
    straight = fit(9, tmp_path)
    assert fit(3, tmp_path) == straight[:3]
    assert fit(9, tmp_path, resume=tmp_path / "3.ckpt") == straight[3:]


def test_a_loader_counts_batches_where_gradients_are_summed_up(tmp_path):
    """Two batches to a step: the third step begins with the fifth batch; of two processes, each takes its own."""
    alone = first(StepBatches(12, 2, seed=5), 12)
    trainer = SimpleNamespace(global_step=2, accumulate_grad_batches=2, global_rank=0, world_size=1)
    data = torch.arange(12.0)
    loader = step_loader(data, 2, torch.stack, trainer, seed=5)
    assert [batch.long().tolist() for batch in islice(loader, 3)] == alone[4:7]
    trainer = SimpleNamespace(global_step=1, accumulate_grad_batches=1, global_rank=1, world_size=2)
    loader = step_loader(data, 2, torch.stack, trainer, seed=5)
    assert [batch.long().tolist() for batch in islice(loader, 2)] == [alone[3], alone[5]]
    assert next(iter(step_loader(data, 2, torch.stack, seed=5))).long().tolist() == alone[0]
