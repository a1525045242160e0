"""Checkpoints that hold what was trained and not the frozen base.

A LoRA run of the 12B model trains under 5 % of its parameters; a checkpoint of everything would weigh 24 GB each
time. Here the trainer's checkpoint (for resuming) keeps trained parameters and optimizer state, and beside it one
safetensors file holds the trained parameters in full, gathered from all ranks, for any other use.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from safetensors.torch import save_file
from torch import Tensor

from lightning_modules.sharding.zero_init import gathered

_NAMES = "trained_parameters"


class AdapterCheckpoint(ModelCheckpoint):
    """``ModelCheckpoint`` without frozen parameters, under one process, DDP, ZeRO-2 and ZeRO-3 alike.

    Each save is collective: every rank takes part. Resuming checks that checkpoint and model train the same
    parameters, since loading without the frozen ones cannot be strict.

    Args:
        export: also write ``<checkpoint name>.safetensors`` with the trained parameters in full.
        **kwargs: anything ``lightning.pytorch.callbacks.ModelCheckpoint`` takes.
    """

    def __init__(self, export: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.export = export

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Let the module load a checkpoint in which frozen parameters are missing."""
        super().setup(trainer, pl_module, stage)
        pl_module.strict_loading = False

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Drop frozen parameters (DeepSpeed drops its own) and note the names of the trained ones."""
        frozen = {name for name, p in pl_module.named_parameters() if not p.requires_grad}
        checkpoint[_NAMES] = list(trained_parameters(pl_module))
        if "state_dict" in checkpoint:
            checkpoint["state_dict"] = {k: v for k, v in checkpoint["state_dict"].items() if k not in frozen}

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Refuse a checkpoint whose trained parameters are not this module's.

        Raises:
            ValueError: naming the first parameters that differ.
        """
        saved, trained = set(checkpoint.get(_NAMES, ())), set(trained_parameters(pl_module))
        if saved != trained:
            raise ValueError(
                f"the checkpoint and the model train different parameters: only in the checkpoint "
                f"{sorted(saved - trained)[:3]}, only in the model {sorted(trained - saved)[:3]}; resume with the "
                "configuration that wrote the checkpoint"
            )

    def _save_checkpoint(self, trainer: L.Trainer, filepath: str) -> None:
        super()._save_checkpoint(trainer, filepath)
        if self.export:
            export_trained(
                trainer.lightning_module, Path(filepath).with_suffix(".safetensors"), trainer.is_global_zero
            )

    def _remove_checkpoint(self, trainer: L.Trainer, filepath: str) -> None:
        super()._remove_checkpoint(trainer, filepath)
        if trainer.is_global_zero:
            Path(filepath).with_suffix(".safetensors").unlink(missing_ok=True)


def trained_parameters(module: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The parameters that receive gradients by name, in order."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def full_copies(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies of parameters by name, in full on every rank; collective under ZeRO-3."""
    copies = {}
    for name, parameter in parameters.items():
        with gathered([parameter]):
            copies[name] = parameter.detach().clone()
    return copies


def export_trained(module: torch.nn.Module, path: Path, write: bool = True) -> None:
    """Write the trained parameters of a module, in full, to one safetensors file.

    Collective under ZeRO-3: every rank calls it, and the one with ``write`` writes.

    Args:
        module: its parameters with ``requires_grad`` are written under their own names.
        path: the file; its folder is made.
        write: whether this rank writes.
    """
    tensors: dict[str, Tensor] = {}
    for name, p in trained_parameters(module).items():
        # One at a time: adapters of rank 512 in full on every rank would be memory nobody planned for.
        with gathered([p]):
            if write:
                tensors[name] = p.detach().cpu().clone()
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        save_file(tensors, partial)
        partial.replace(path)
