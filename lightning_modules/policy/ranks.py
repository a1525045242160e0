"""What the processes of one training tell each other: scores and figures of all of them, and which are one's own.

Everything here is collective: all processes call it, in the same order, with tensors of the same shapes. Values travel
on the module's device, where NCCL wants them, and come back to the CPU. One process keeps what it has.
"""

from dataclasses import replace
from typing import cast

import lightning as L
import torch
from jaxtyping import Shaped
from torch import Tensor

from lightning_modules.policy.health import Health, pooled
from rewards.stack import RewardTable


def of_all_ranks(module: L.LightningModule, values: Shaped[Tensor, "*own"], dim: int = -1) -> Tensor:
    """Values of all processes on the CPU, joined along ``dim`` in the order of ranks."""
    if module.trainer.world_size == 1:
        return values.cpu()
    everyone = cast(Tensor, module.all_gather(values))
    return torch.cat(list(everyone.cpu()), dim=dim)


def own_share(module: L.LightningModule, values: Shaped[Tensor, " all"]) -> Shaped[Tensor, " own"]:
    """The process's own part of what :func:`of_all_ranks` has joined."""
    return values.chunk(module.trainer.world_size)[module.global_rank]


def every_table(module: L.LightningModule, table: RewardTable) -> RewardTable:
    """The scores of all processes."""
    return replace(
        table,
        raw=of_all_ranks(module, table.raw),
        scaled=of_all_ranks(module, table.scaled),
        failed=of_all_ranks(module, table.failed),
    )


def pooled_figures(module: L.LightningModule, health: Health) -> dict[str, float]:
    """The health of all processes as one."""
    figures = health.figures()
    if not figures:
        return {}  # nothing was learned, by none of them
    values = torch.tensor(list(figures.values()), dtype=torch.float64)
    everyone = of_all_ranks(module, values[:, None]).tolist()
    return pooled(dict(zip(figures, everyone, strict=True)))
