"""The velocity of a sampling run: guided the way the model wants it, with conditions cached where that is exact."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.schema.interfaces import PromptEmbedding
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.positions import text_ids
from lightning_modules.backbone.prepared import ConditionCache, PreparedSequence, cache_refusal
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence

KVCache = Literal["auto", "on", "off"]


def text_group(prompt: PromptEmbedding) -> TokenGroup:
    """Prompt states as tokens at the origin."""
    valid = None if bool(prompt.valid.all()) else prompt.valid
    return TokenGroup(prompt.tokens, text_ids(prompt.tokens.shape[1]).to(prompt.tokens.device), valid)


def unprompted(sequence: TokenSequence, empty: PromptEmbedding) -> TokenSequence:
    """The empty prompt and no conditions: the usual free side of classifier-free guidance."""
    empty = empty.to(sequence.pooled.device)
    repeated = torch.zeros(len(sequence.pooled), dtype=torch.long, device=sequence.pooled.device)
    text = replace(text_group(empty).select(repeated), adapters=sequence.text.adapters)
    return replace(sequence, text=text, pooled=empty.pooled[repeated], conditions=())


class GuidedVelocity:
    """(x, index) to the velocity at ``sigmas[index]``, for :func:`lightning_modules.flow.sampling.sample`.

    Everything that no step changes is computed once, here. Build it and call it under the same ``no_grad``.

    Args:
        backbone: predicts.
        sequence: prompt, canvas and conditions; the canvas's tokens are replaced at every step.
        sigmas: the schedule.
        guidance: the embedded scale for models that embed one; for others the scale of classifier-free guidance (1 =
            off, one pass per step, else two).
        away_from: makes the sequence that classifier-free guidance goes away from, such as :func:`unprompted` does;
            asked only where it is needed.
        kv_cache: keep the conditions' keys and values over all steps: ``auto`` where that is exact, ``on`` or not at
            all, ``off`` never.

    Attributes:
        refusal: why keys and values are not kept; None where they are.

    Raises:
        ValueError: if ``kv_cache`` is ``on`` and keeping them would not be exact, with the reason; or if
            classifier-free guidance has nothing to go away from.
    """

    def __init__(
        self,
        backbone: FluxBackbone,
        sequence: TokenSequence,
        sigmas: Float[Tensor, " t"],
        guidance: float = 1.0,
        away_from: Callable[[], TokenSequence] | None = None,
        kv_cache: KVCache = "auto",
    ) -> None:
        self.backbone, self.sigmas = backbone, sigmas.to(sequence.pooled.device)
        embeds = backbone.transformer.config.guidance_embeds
        b = len(sequence.pooled)
        self.embedded = torch.full((b,), guidance, device=sequence.pooled.device) if embeds else None
        self.scale = 1.0 if embeds else guidance
        self.refusal = "kv_cache is off" if kv_cache == "off" else cache_refusal(sequence, embeds)
        keep = kv_cache == "on" or self.refusal is None
        self.prompted, self.cache = self._prepared(sequence, keep)
        self.away: PreparedSequence | None = None
        self.away_cache: ConditionCache | None = None
        if self.scale != 1:
            if away_from is None:
                raise ValueError(f"away_from: guidance {guidance} goes away from a sequence; none is given")
            away = away_from()
            self.away, self.away_cache = self._prepared(away, keep and bool(away.conditions))

    def _prepared(
        self, sequence: TokenSequence, keep: bool
    ) -> tuple[PreparedSequence, ConditionCache | None]:
        prepared = self.backbone.prepare(sequence)
        return prepared, self.backbone.build_cache(prepared) if keep else None

    def __call__(self, x: Float[Tensor, "b s c"], index: int) -> Float[Tensor, "b s c"]:
        """The velocity at a step."""
        sigma = self.sigmas[index].expand(len(x))
        guided = self.backbone(self.prompted.with_noise(x), sigma, self.embedded, self.cache).float()
        if self.away is None:
            return cast(Tensor, guided)
        away = self.backbone(self.away.with_noise(x), sigma, None, self.away_cache).float()
        return cast(Tensor, away + self.scale * (guided - away))
