"""What stays the same while a sequence is denoised: embedded tokens, rotary tables, routing, cached keys and values."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from lightning_modules.backbone.positions import Rotary
from lightning_modules.backbone.routing import KeyValue, Routing
from lightning_modules.backbone.tokens import TokenSequence, joined_validity


@dataclass(frozen=True)
class PreparedSequence:
    """A sequence with everything computed that no step of a sampler changes.

    Attributes:
        sequence: with joint conditions merged into the noise group, behind the noise itself.
        drawn: noise tokens, the first of the noise group.
        text: embedded prompt.
        conditions: embedded condition groups.
        text_rotary: rotation of the prompt.
        noise_rotary: of the noise group.
        main_rotary: of both, one behind the other, for single-stream blocks.
        condition_rotary: of each condition group.
        double: visibility and padding in double-stream blocks.
        single: in single-stream blocks.
    """

    sequence: TokenSequence
    drawn: int
    text: Float[Tensor, "b t c"]
    conditions: tuple[Float[Tensor, "b u c"], ...]
    text_rotary: Rotary
    noise_rotary: Rotary
    main_rotary: Rotary
    condition_rotary: tuple[Rotary, ...]
    double: Routing
    single: Routing

    def with_noise(self, tokens: Float[Tensor, "b s c"]) -> Self:
        """The same sequence with other canvas tokens: the next step of a sampler."""
        merged = self.sequence.noise.tokens[:, self.drawn :]
        if merged.shape[1]:
            tokens = torch.cat([tokens, merged.to(tokens.dtype)], dim=1)
        return replace(self, sequence=self.sequence.with_noise(tokens))

    def with_adapters(self, *names: str) -> Self:
        """The same sequence with these LoRA sets on all tokens; embedding and positions do not depend on them."""
        return replace(self, sequence=self.sequence.with_adapters(*names))


@dataclass(frozen=True)
class ConditionCache:
    """Keys and values of all conditions in all blocks: they do not change while the canvas is denoised.

    Attributes:
        double: per double-stream block, per condition.
        single: per single-stream block, per condition.
    """

    double: tuple[tuple[KeyValue, ...], ...]
    single: tuple[tuple[KeyValue, ...], ...]


def joined_rotary(text: Rotary, image: Rotary) -> Rotary:
    """One table over text and image tokens."""
    b = max(text.shape[0], image.shape[0])
    return torch.cat([table.expand(b, -1, -1, -1) for table in (text, image)], dim=1)


def sequence_routing(sequence: TokenSequence) -> tuple[Routing, Routing]:
    """Visibility of double and single blocks, with padding."""
    main = torch.cat([g.tokens[..., :1] for g in (sequence.text, sequence.noise)], dim=1)
    valid = [joined_validity([sequence.text, sequence.noise]), *(c.valid for c in sequence.conditions)]
    like = [main, *(c.tokens for c in sequence.conditions)]
    count = len(sequence.conditions)
    double, single = (
        Routing.of(sequence.visibility.table(count, single=kind), valid, like) for kind in (False, True)
    )
    return double, single


def cache_refusal(sequence: TokenSequence, embeds_guidance: bool) -> str | None:
    """Why the conditions' keys and values may not be cached; None where caching is exact.

    Args:
        sequence: what is drawn from.
        embeds_guidance: whether the model has the guidance scale as an input.
    """
    if not sequence.conditions:
        return "there are no conditions to cache"
    count = len(sequence.conditions)
    for single in (False, True):
        if bool(sequence.visibility.table(count, single=single)[1:, 0].any()):
            return (
                f"visibility={sequence.visibility.value} lets conditions see the noise, so their keys and values "
                "change at every step; use causal or causal_shared"
            )
    for i, condition in enumerate(sequence.conditions):
        if condition.sigma is None:
            return f"condition {i} follows the noise's time; give it a fixed time, for example sigma=0"
        if embeds_guidance and condition.guidance is None:
            return f"condition {i} follows the noise's guidance; give it a fixed guidance"
    return None
