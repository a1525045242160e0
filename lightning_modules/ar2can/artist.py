"""Ar2Can's Artist: one canvas per face in front of a Kontext-style model, reinforced by rewards (section 3.3.2)."""

from datamodules.schema.interfaces import PromptEncoder
from datamodules.schema.scene import SceneBatch
from lightning_modules.backbone.canvas_tokens import CanvasRecipe
from lightning_modules.backbone.contexts import Context, context_group
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.tokens import TokenGroup
from lightning_modules.policy.grpo_module import GRPOModule
from lightning_modules.policy.recipe import GRPORecipe
from lightning_modules.policy.rollout import Sampling
from rewards.stack import RewardStack


class GRPOArtistModule(GRPOModule):
    """The policy that draws given people at planned places.

    Args:
        canvas: how canvases become tokens; with ``pose``, bodies are asked for beside faces (the pose-controlled
            variant).
        backbone, rewards, sampling, recipe, codec, encoder: see
            :class:`~lightning_modules.policy.grpo_module.GRPOModule`.
    """

    def __init__(
        self,
        backbone: FluxBackbone,
        rewards: RewardStack,
        sampling: Sampling | None = None,
        recipe: GRPORecipe | None = None,
        canvas: CanvasRecipe | None = None,
        codec: str | None = None,
        encoder: PromptEncoder | None = None,
    ) -> None:
        super().__init__(backbone, rewards, sampling, recipe, codec, encoder)
        self.canvas = canvas or CanvasRecipe()

    def conditions(self, scenes: SceneBatch) -> tuple[TokenGroup, ...]:
        """The canvases' tokens inside the face boxes."""
        group = context_group(Context.CANVAS, scenes, self.codec, self.canvas)
        return () if group is None else (group,)
