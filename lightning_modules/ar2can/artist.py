"""Ar2Can's Artist: one canvas per face in front of a Kontext-style model, reinforced by rewards (section 3.3.2)."""

from datamodules.schema.scene import SceneBatch
from lightning_modules.backbone.contexts import Context, context_group
from lightning_modules.backbone.tokens import TokenGroup
from lightning_modules.policy.grpo_module import GRPOModule


class GRPOArtistModule(GRPOModule):
    """The policy that draws given people at planned places."""

    def conditions(self, scenes: SceneBatch) -> tuple[TokenGroup, ...]:
        """The canvases' tokens inside the face boxes, on Kontext's plane."""
        group = context_group(Context.CANVAS, scenes, self.codec)
        return () if group is None else (group,)
