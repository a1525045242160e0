"""Puts a trained LoRA set into a policy that ``predict`` or ``validate`` asks to draw."""

import lightning as L

from callbacks.lora_export import Scoped
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.shipped_lora import lora_file


class LoRAImport(L.Callback):
    """The way back of :class:`~callbacks.lora_export.LoRAExport`; in ``fit`` it does nothing.

    Args:
        lora: name of a shipped LoRA set, or a file.
        adapter: name of the LoRA set in the module.

    Raises:
        ValueError: if there is no such LoRA set, or a shipped one is not the one its card describes.
    """

    def __init__(self, lora: str, adapter: str = "policy") -> None:
        self.lora, self.adapter = lora_file(lora), adapter

    def on_predict_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Load it.

        Raises:
            ValueError: if the module has no backbone, the set does not fit it, or was trained for another use than the
                module makes of it.
        """
        backbone = getattr(pl_module, "backbone", None)
        if not isinstance(backbone, FluxBackbone):
            raise ValueError(
                f"LoRAImport: {type(pl_module).__name__} has no backbone that LoRA sets fit into"
            )
        scope = pl_module.adapter_scope(self.adapter) if isinstance(pl_module, Scoped) else None
        backbone.load_adapter(self.adapter, self.lora, scope)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Load it, unless a training validates."""
        if trainer.state.fn == "validate":
            self.on_predict_start(trainer, pl_module)
