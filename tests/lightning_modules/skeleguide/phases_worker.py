"""One rank of a run through all phases, started by ``test_ranks.py``; writes gradients and sets of every step."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import lightning as L
import torch
from lightning.pytorch.strategies import DDPStrategy
from safetensors.torch import save_file
from small_module import WordEncoder, backbone, scenes
from torch.utils.data import DataLoader, Dataset

from callbacks.phase_schedule import PhaseSchedule
from datamodules.schema.human_in_place import HumanInPlace
from lightning_modules.sharding.zero_strategy import CPUZeroStrategy
from lightning_modules.skeleguide.module import ReasonRenderModule
from lightning_modules.skeleguide.phases import APPEARANCE, SKELETAL
from lightning_modules.skeleguide.recipe import InPlaceRecipe

LENGTHS = {"reason": 1, "joint": 2, "render": 1}


class Batches(Dataset):
    """Batch ``step`` of each of ``ranks``, with its number."""

    def __init__(self, ranks):
        self.ranks = ranks

    def __len__(self):
        return sum(LENGTHS.values())

    def __getitem__(self, step):
        batches = [(2 * step + rank, scenes(2 * step + rank)) for rank in self.ranks]
        return batches if len(batches) > 1 else Own(*batches[0])


@dataclass(frozen=True)
class Own:
    """A rank's batch with its number, frozen as batches are."""

    number: int
    scenes: HumanInPlace

    def __iter__(self):
        return iter([(self.number, self.scenes)])

    def to(self, device):
        return self


class Numbered(ReasonRenderModule):
    """Noise and times are functions of the batch's number; gradients are noted as the optimizer would meet them."""

    def training_step(self, batch, batch_idx):
        losses = []
        for number, one in batch:
            self.number = number
            losses.append(super().training_step(one, batch_idx))
        return torch.stack(losses).mean()

    def _generator(self, step, stream=0):
        return torch.Generator().manual_seed(self.number)

    def on_before_optimizer_step(self, optimizer):
        for name, parameter in self.backbone.adapters.named_parameters():
            if parameter.grad is not None:  # ZeRO keeps gradients of its own
                self.noted[f"{self.phase.name}/{self.global_step}/{name}"] = parameter.grad.clone()
        super().on_before_optimizer_step(optimizer)

    def on_train_batch_end(self, *_):
        for name, parameter in self.backbone.adapters.named_parameters():
            self.noted[f"after/{self.global_step}/{name}"] = parameter.detach().clone()


def run(folder: Path, checkpointing: bool, rank: int | None, zero: bool = False) -> None:
    """Train; ``rank`` None sees both ranks' batches in one process."""
    torch.manual_seed(0)
    module = Numbered(
        backbone((SKELETAL, APPEARANCE), checkpointing),
        recipe=InPlaceRecipe(learning_rate=1e-2),
        encoder=WordEncoder(),
    )
    module.noted = {}
    alone = rank is None
    strategy = "auto"
    if not alone:
        strategy = CPUZeroStrategy(stage=2) if zero else DDPStrategy(process_group_backend="gloo")
    trainer = L.Trainer(
        max_steps=-1,
        max_epochs=1,
        accelerator="cpu",
        devices=1 if alone else 2,
        strategy=strategy,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        use_distributed_sampler=False,
        callbacks=[PhaseSchedule(LENGTHS)],
    )
    trainer.fit(module, DataLoader(Batches((0, 1) if rank is None else (rank,)), batch_size=None))
    save_file(module.noted, folder / f"{'alone' if alone else rank}.safetensors")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--zero", action="store_true")
    parser.add_argument("--rank", type=int, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    run(args.folder, args.checkpointing, args.rank, args.zero)


if __name__ == "__main__":
    main()
