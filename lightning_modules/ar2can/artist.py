"""Ar2Can's Artist: one canvas per face in front of a Kontext-style model, reinforced by rewards (section 3.3.2)."""

from typing import Any

from datamodules.schema.scene import SceneBatch
from lightning_modules.backbone.canvas_tokens import CanvasRecipe
from lightning_modules.backbone.contexts import Context, context_group
from lightning_modules.backbone.tokens import TokenGroup
from lightning_modules.policy.grpo_module import GRPOModule


class GRPOArtistModule(GRPOModule):
    """The policy that draws given people at planned places.

    Args:
        *args: as :class:`~lightning_modules.policy.grpo_module.GRPOModule` takes them.
        canvas: how canvases become tokens; with ``pose``, bodies are asked for beside faces (the pose-controlled
            variant).
        **engine: likewise, by name.
    """

    def __init__(self, *args: Any, canvas: CanvasRecipe | None = None, **engine: Any) -> None:
        super().__init__(*args, **engine)
        self.canvas = canvas or CanvasRecipe()

    def conditions(self, scenes: SceneBatch) -> tuple[TokenGroup, ...]:
        """The canvases' tokens inside the face boxes."""
        group = context_group(Context.CANVAS, scenes, self.codec, self.canvas)
        return () if group is None else (group,)
