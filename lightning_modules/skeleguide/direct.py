"""The paper's two baselines without a reasoning stage (section 4.3, Table 2): the scene is shown, the image drawn."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from datamodules.schema.interfaces import PromptEncoder
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.latents import token_grid
from lightning_modules.backbone.positions import grid_ids
from lightning_modules.skeleguide.condition_branch import ConditionBranch
from lightning_modules.skeleguide.in_place import InPlaceModule
from lightning_modules.skeleguide.phases import APPEARANCE, RENDER, Phase
from lightning_modules.skeleguide.recipe import InPlaceRecipe, InPlaceSampling
from lightning_modules.skeleguide.samples import Composition, EncodedScenes

DIRECT_PHASES = (Phase(RENDER, (APPEARANCE,), {RENDER: 1.0}),)


class DirectModule(InPlaceModule):
    """One LoRA set, one stage.

    Args:
        pose_map: draw the layout beside the image on a canvas twice as wide ("a concatenation of the final image and
            its corresponding pose map"), with the scene shown behind both halves: the implicit-reasoning baseline;
            without it, the naive single stage.
        phases: one by default.
        backbone, recipe, sampling, branch, codec, encoder: see :class:`InPlaceModule`.
    """

    def __init__(
        self,
        backbone: FluxBackbone,
        pose_map: bool = False,
        phases: tuple[Phase, ...] | None = None,
        recipe: InPlaceRecipe | None = None,
        sampling: InPlaceSampling | None = None,
        branch: ConditionBranch | None = None,
        codec: str | None = None,
        encoder: PromptEncoder | None = None,
    ) -> None:
        super().__init__(backbone, phases or DIRECT_PHASES, recipe, sampling, branch, codec, encoder)
        self.pose_map = pose_map

    def losses(self, scenes: EncodedScenes, phase: Phase, rng: Generator) -> dict[str, Float[Tensor, " b"]]:
        """Flow matching of the image, and of the pose map beside it."""
        data, weight = scenes.target, self.weight(scenes)
        if self.pose_map:
            data, weight = torch.cat([data, scenes.layout], dim=1), torch.cat([weight, weight], dim=1)
        predicted = self.predict(scenes, APPEARANCE, data, scenes.source, rng)
        return {RENDER: predicted.loss(data, weight)}

    def shown(self, picture: Float[Tensor, "b s c"]) -> Float[Tensor, "b t c"]:
        """The scene stands behind the image, and behind the pose map too."""
        return torch.cat([picture, picture], dim=1) if self.pose_map else picture

    def canvas_ids(self, grid: tuple[int, int]) -> Float[Tensor, "1 s 3"]:
        """The image's tokens, then those of the pose map to the right of it."""
        image = grid_ids(*grid)
        if not self.pose_map:
            return image
        beside = image + torch.tensor([0, 0, grid[1]])
        return torch.cat([image, beside], dim=1)

    def examined(self) -> Phase:
        """The one loss there is."""
        return self.phases[-1]

    @torch.no_grad()
    def compose(self, source: Float[Tensor, "b 3 h w"], prompts: Sequence[str], seed: int) -> Composition:
        """Scene and prompt to image."""
        rng = Generator().manual_seed(seed)
        embedding = self.encoder.encode(prompts).to(self.device)
        size = (source.shape[-2], source.shape[-1])
        scene = self.codec.encode(source.to(self.device)).float()
        drawn = self.draw(embedding, APPEARANCE, scene, token_grid(size), rng).split(scene.shape[1], dim=1)
        pictures = [self.codec.decode(part, size) for part in drawn]
        return Composition(*pictures)
