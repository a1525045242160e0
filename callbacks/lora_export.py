"""Writes the trained LoRA set as a diffusers file at the end of training."""

from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import lightning as L

from callbacks.adapter_ema import AdapterEMA
from lightning_modules.backbone.adapters import LoRASet
from lightning_modules.backbone.flux import FluxBackbone


@runtime_checkable
class Scoped(Protocol):
    """A module whose LoRA sets are meant for some tokens only."""

    def adapter_scope(self, name: str) -> dict[str, Any]:
        """How the set called ``name`` is to be used."""


class LoRAExport(L.Callback):
    """``pipe.load_lora_weights`` takes what it writes; with an :class:`AdapterEMA` it is the average.

    What a module says about the scope of its sets goes into the file.

    Args:
        path: file to write, ``.safetensors``.
        adapter: name of the LoRA set.
    """

    def __init__(self, path: str, adapter: str = "policy") -> None:
        if not path.endswith(".safetensors"):
            raise ValueError(f"path: {path!r} must end in .safetensors")
        self.path, self.adapter = Path(path), adapter

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """One rank writes the file; every rank takes part, since sharded tensors are gathered."""
        averages = [c for c in trainer.callbacks if isinstance(c, AdapterEMA)]  # type: ignore[attr-defined]
        if averages:
            with averages[0].in_place(pl_module):
                self._write(pl_module, trainer.is_global_zero)
        else:
            self._write(pl_module, trainer.is_global_zero)

    def _write(self, module: L.LightningModule, write: bool) -> None:
        backbone = module.backbone
        if not isinstance(backbone, FluxBackbone) or self.adapter not in backbone.adapters:
            raise ValueError(f"adapter: the module's backbone has no LoRA set called {self.adapter!r}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scope = module.adapter_scope(self.adapter) if isinstance(module, Scoped) else {"groups": "all"}
        cast(LoRASet, backbone.adapters[self.adapter]).save(self.path, scope, write)
