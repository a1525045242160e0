"""One rank of a data-parallel pretraining run, started by ``test_flow_ranks.py``; writes its masters."""

import sys
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.strategies import DDPStrategy
from safetensors.torch import save_file
from torch.utils.data import DataLoader, Dataset

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from ranks import as_rank
from small_flux import SMALL

from lightning_modules.backbone.contexts import Context
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.positions import grid_ids, text_ids
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence
from lightning_modules.pretraining.flow import FlowPretrainingModule, FlowRecipe
from lightning_modules.pretraining.flow_data import FlowBatch

STEPS = 3


def batch(index: int) -> FlowBatch:
    rng = torch.Generator().manual_seed(index)
    sequence = TokenSequence(
        TokenGroup(torch.randn(4, 3, 12, generator=rng), text_ids(3)),
        torch.randn(4, 12, generator=rng),
        TokenGroup(torch.zeros(4, 4, 8), grid_ids(2, 2)),
    )
    people = torch.rand(4, 4, generator=rng)
    return FlowBatch(sequence, torch.randn(4, 4, 8, generator=rng), people, people, Context.TEXT)


class Batches(Dataset):
    """Batch ``step`` of a rank; ``ranks`` says which ranks' batches one process sees."""

    def __init__(self, ranks: tuple[int, ...]) -> None:
        self.ranks = ranks

    def __len__(self) -> int:
        return STEPS

    def __getitem__(self, step: int) -> list[tuple[int, FlowBatch]]:
        return [(2 * step + rank, batch(2 * step + rank)) for rank in self.ranks]


class Pretraining(FlowPretrainingModule):
    """Noise and times are functions of the batch's number."""

    def training_step(self, batch: list[tuple[int, FlowBatch]], batch_idx: int) -> None:
        losses = []
        for index, one in batch:
            torch.manual_seed(index)
            losses.append(torch.stack(list(self.errors(one).values())).sum())
        self.manual_backward(torch.stack(losses).mean())
        self._update(batch_idx)


def run(folder: Path, rank: int | None) -> None:
    """Train; ``rank`` None sees both ranks' batches in one process."""
    torch.manual_seed(0)
    recipe = FlowRecipe(
        muon_learning_rate=0.02, learning_rate=0.02, warmup_steps=1, layout_weight=0.5, layout_block=0
    )
    module = Pretraining(FluxBackbone(config=SMALL), recipe=recipe, output=str(folder / "out"))
    alone = rank is None
    trainer = L.Trainer(
        max_steps=2 * STEPS,
        accelerator="cpu",
        devices=1 if alone else 2,
        strategy="auto" if alone else DDPStrategy(process_group_backend="gloo"),
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        use_distributed_sampler=False,
    )
    data = Batches((0, 1) if rank is None else (rank,))
    trainer.fit(module, DataLoader(data, batch_size=None))
    weights = {str(i): p.detach().clone() for i, p in enumerate(module.master)}
    save_file(weights, folder / f"masters-{'alone' if alone else rank}.safetensors")


if __name__ == "__main__":
    as_rank(run)
