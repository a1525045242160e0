"""Writes the trained LoRA set as a diffusers file at the end of training, with a card if asked for."""

from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import lightning as L

from callbacks.adapter_ema import averages_of
from callbacks.hold_out_guard import kept_figures
from lightning_modules.backbone.adapters import LoRASet
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.pretraining.model_card import write_weights_card
from rewards.command import training_command


@runtime_checkable
class Scoped(Protocol):
    """A module whose LoRA sets are meant for some tokens only."""

    def adapter_scope(self, name: str) -> dict[str, Any]:
        """How the set called ``name`` is to be used."""


class LoRAExport(L.Callback):
    """``pipe.load_lora_weights`` takes what it writes.

    With an :class:`~callbacks.adapter_ema.AdapterEMA` it is the average.

    What a module says about the scope of its sets goes into the file, and which sets its backbone has fused.

    Args:
        path: file to write, ``.safetensors``.
        adapter: name of the LoRA set.
        card: also write ``<name>.json``: the command that was typed, seed, data, steps, date, figures of validation and
            sha256. Both files copied to ``lightning_modules/backbone/weights`` ship the set under its name.
    """

    def __init__(self, path: str, adapter: str = "policy", card: bool = False) -> None:
        if not path.endswith(".safetensors"):
            raise ValueError(f"path: {path!r} must end in .safetensors")
        self.path, self.adapter, self.card = Path(path), adapter, card

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """One rank writes the files; every rank takes part, since sharded tensors are gathered."""
        averages = averages_of(trainer)
        if averages:
            with averages[0].in_place(pl_module):
                self._write(pl_module, trainer.is_global_zero)
        else:
            self._write(pl_module, trainer.is_global_zero)
        if self.card and trainer.is_global_zero:
            self._write_card(trainer, pl_module)

    def _write(self, module: L.LightningModule, write: bool) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scope = module.adapter_scope(self.adapter) if isinstance(module, Scoped) else {"groups": "all"}
        lora, fused = self._lora(module), cast(FluxBackbone, module.backbone).fused_names
        lora.save(self.path, {**scope, "fused": list(fused)} if fused else scope, write)

    def _write_card(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        data = cast(Any, trainer).datamodule
        write_weights_card(
            self.path,
            training_command(),
            data.described() if hasattr(data, "described") else "given batches",
            trainer.global_step,
            kept_figures(trainer),
            {"rank": self._lora(module).spec.rank},
        )

    def _lora(self, module: L.LightningModule) -> LoRASet:
        backbone = module.backbone
        if not isinstance(backbone, FluxBackbone) or self.adapter not in backbone.adapters:
            raise ValueError(f"adapter: the module's backbone has no LoRA set called {self.adapter!r}")
        return cast(LoRASet, backbone.adapters[self.adapter])
