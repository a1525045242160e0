"""SkeleGuide: reason out a skeleton over the scene, then render the person (section 3).

python -m lightning_modules.cli fit -c configs/trainer/cpu.yaml -c configs/skeleguide/tiny.yaml
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from datamodules.schema.interfaces import PromptEmbedding, PromptEncoder
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.latents import token_grid
from lightning_modules.skeleguide.condition_branch import ConditionBranch
from lightning_modules.skeleguide.in_place import InPlaceModule
from lightning_modules.skeleguide.layout_estimate import LayoutEstimate, Prediction
from lightning_modules.skeleguide.phases import (
    APPEARANCE,
    REASON,
    RENDER,
    SKELEGUIDE_PHASES,
    SKELETAL,
    Phase,
)
from lightning_modules.skeleguide.recipe import InPlaceRecipe, InPlaceSampling
from lightning_modules.skeleguide.samples import Composition, EncodedScenes

_RENDERING = 1_500_000_007
"""From a seed of the reasoner to one of the renderer; torch tells 2**32 seeds apart."""


class ReasonRenderModule(InPlaceModule):
    """Two LoRA sets turn one frozen backbone into a reasoner and a renderer.

    Args:
        layout_estimate: how the reasoner's layout is estimated while it is still being trained.
        phases: the paper's three by default.
        backbone, recipe, sampling, branch, codec, encoder: see :class:`InPlaceModule`.
    """

    def __init__(
        self,
        backbone: FluxBackbone,
        layout_estimate: LayoutEstimate | None = None,
        phases: tuple[Phase, ...] | None = None,
        recipe: InPlaceRecipe | None = None,
        sampling: InPlaceSampling | None = None,
        branch: ConditionBranch | None = None,
        codec: str | None = None,
        encoder: PromptEncoder | None = None,
    ) -> None:
        super().__init__(backbone, phases or SKELEGUIDE_PHASES, recipe, sampling, branch, codec, encoder)
        self.layout_estimate = layout_estimate or LayoutEstimate()
        self._words: PromptEmbedding | None = None

    def asked(self, prompts: PromptEmbedding, adapter: str) -> PromptEmbedding:
        """The reasoner's prompts begin with the recipe's ``layout_words``, encoded once and by themselves."""
        if adapter != SKELETAL or not self.recipe.layout_words:
            return prompts
        if self._words is None:
            self._words = self.encoder.encode([self.recipe.layout_words])
        return prompts.after(self._words)

    def adapter_scope(self, name: str) -> dict[str, Any]:
        """With the words that the reasoner's set was trained behind."""
        words = self.recipe.layout_words if name == SKELETAL else ""
        return {**super().adapter_scope(name), **({"words": words} if words else {})}

    def losses(self, scenes: EncodedScenes, phase: Phase, rng: Generator) -> dict[str, Float[Tensor, " b"]]:
        """L_reason (Eq. (4)) and L_render (Eq. (5)), as far as the phase weighs them."""
        losses = {}
        reasoned: Prediction | None = None
        if REASON in phase.weights or phase.renderer_sees != "true_layout":
            reasoned = self.predict(scenes, SKELETAL, scenes.layout, scenes.source, rng)
        if reasoned is not None and REASON in phase.weights:
            losses[REASON] = reasoned.loss(scenes.layout, self.weight(scenes))
        if RENDER in phase.weights:
            layout = scenes.layout if reasoned is None else self.seen_layout(scenes, phase, reasoned)
            rendered = self.predict(scenes, APPEARANCE, scenes.target, layout, rng)
            losses[RENDER] = rendered.loss(scenes.target, self.weight(scenes))
        return losses

    def seen_layout(
        self, scenes: EncodedScenes, phase: Phase, reasoned: Prediction
    ) -> Float[Tensor, "b s c"]:
        """What the renderer is shown: the true layout M, or the reasoner's estimate M_hat (Eq. (6))."""
        if phase.renderer_sees == "true_layout":
            return scenes.layout
        estimate = self.layout_estimate.of(
            reasoned, lambda point, sigma: self.velocity(scenes, SKELETAL, scenes.source, point, sigma)
        )
        return estimate if phase.renderer_sees == "predicted_layout" else estimate.detach()

    def examined(self) -> Phase:
        """Both losses; the renderer is shown the true layout."""
        return Phase("examined", (SKELETAL, APPEARANCE), {REASON: 1.0, RENDER: 1.0}, "true_layout")

    @torch.no_grad()
    def reason(
        self, source: Float[Tensor, "b 3 h w"], prompts: Sequence[str], seed: int
    ) -> Float[Tensor, "b 3 h w"]:
        """The first stage alone: scene and prompt to the picture of a layout."""
        layout = self._reasoned(source, self.encoder.encode(prompts).to(self.device), seed)
        return self.codec.decode(layout, (source.shape[-2], source.shape[-1]))

    @torch.no_grad()
    def compose(self, source: Float[Tensor, "b 3 h w"], prompts: Sequence[str], seed: int) -> Composition:
        """Both stages: scene and prompt to layout; then layout and prompt, and nothing else, to image.

        The second begins at the noise that :meth:`render` begins at, so an edited layout keeps the people's looks.
        """
        embedding = self.encoder.encode(prompts).to(self.device)
        size = (source.shape[-2], source.shape[-1])
        layout = self._reasoned(source, embedding, seed)
        image = self.draw(embedding, APPEARANCE, layout, token_grid(size), _rendering(seed))
        return Composition(self.codec.decode(image, size), self.codec.decode(layout, size))

    @torch.no_grad()
    def render(
        self, layout_image: Float[Tensor, "b 3 h w"], prompts: Sequence[str], seed: int
    ) -> Composition:
        """The second stage alone, for layouts that somebody has edited."""
        size = (layout_image.shape[-2], layout_image.shape[-1])
        layout = self.codec.encode(layout_image.to(self.device)).float()
        embedding = self.encoder.encode(prompts).to(self.device)
        image = self.draw(embedding, APPEARANCE, layout, token_grid(size), _rendering(seed))
        return Composition(self.codec.decode(image, size), layout_image)

    def _reasoned(
        self, source: Float[Tensor, "b 3 h w"], embedding: PromptEmbedding, seed: int
    ) -> Float[Tensor, "b s c"]:
        scene = self.codec.encode(source.to(self.device)).float()
        grid = token_grid((source.shape[-2], source.shape[-1]))
        return self.draw(embedding, SKELETAL, scene, grid, Generator().manual_seed(seed))


def _rendering(seed: int) -> Generator:
    """The renderer's noise, which is not the reasoner's."""
    return Generator().manual_seed(seed + _RENDERING)
