"""What enters the backbone: groups of tokens, and who may see whom.

A sequence is text, noise and any number of condition groups (a context image, one canvas per face, a pose). Each group
brings its own position ids, padding mask, time and LoRA sets. Visibility is a small table over groups, never a dense
token mask.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class TokenGroup:
    """Tokens that share a time, LoRA sets and a row of the visibility table.

    Attributes:
        tokens: packed latents (64 channels) or text states.
        ids: (plane, row, column) per token; batch 1 where the whole batch shares them.
        valid: False marks padding, which nobody attends to; None where nothing is padded.
        sigma: the group's own time in [0, 1] (0 = clean); None takes the noise group's time.
        guidance: the group's own guidance embedding; None takes the noise group's.
        adapters: names of the LoRA sets applied to this group's tokens.
    """

    tokens: Float[Tensor, "b s c"]
    ids: Float[Tensor, "#b s 3"]
    valid: Bool[Tensor, "b s"] | None = None
    sigma: float | None = None
    guidance: float | None = None
    adapters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.ids.shape[-2] != self.tokens.shape[-2]:
            raise ValueError(
                f"TokenGroup: {self.tokens.shape[-2]} tokens but ids for {self.ids.shape[-2]}; give one id per token"
            )
        if self.sigma is not None and not 0 <= self.sigma <= 1:
            raise ValueError(f"sigma: must lie in [0, 1], got {self.sigma}")

    def __len__(self) -> int:
        return self.tokens.shape[1]

    def to(self, device: torch.device | str) -> Self:
        """The same tokens on another device."""
        valid = None if self.valid is None else self.valid.to(device)
        return replace(self, tokens=self.tokens.to(device), ids=self.ids.to(device), valid=valid)

    def select(self, index: Int[Tensor, " m"]) -> Self:
        """The samples at ``index``, in that order, which may repeat; ids shared by the batch stay shared."""
        return replace(
            self,
            tokens=self.tokens[index],
            ids=self.ids if self.ids.shape[0] == 1 else self.ids[index],
            valid=None if self.valid is None else self.valid[index],
        )

    def joins(self, other: Self) -> bool:
        """Whether both groups may be computed as one: same time, guidance and LoRA sets."""
        return (self.sigma, self.guidance, self.adapters) == (other.sigma, other.guidance, other.adapters)

    def extended(self, other: Self) -> Self:
        """Both groups' tokens as one group."""
        b = self.tokens.shape[0]
        ids = [g.ids.expand(b, -1, -1) for g in (self, other)]
        if self.ids.shape[0] == other.ids.shape[0] == 1:
            ids = [self.ids, other.ids]
        return replace(
            self,
            tokens=torch.cat([self.tokens, other.tokens], dim=1),
            ids=torch.cat(ids, dim=1),
            valid=joined_validity([self, other]),
        )


def joined_validity(groups: "list[TokenGroup]") -> Bool[Tensor, "b s"] | None:
    """One padding mask over several groups; None where none of them is padded."""
    if all(g.valid is None for g in groups):
        return None
    masks = [
        torch.ones(g.tokens.shape[:2], dtype=torch.bool, device=g.tokens.device)
        if g.valid is None
        else g.valid
        for g in groups
    ]
    return torch.cat(masks, dim=1)


class Visibility(StrEnum):
    """Who attends to whom. Text and noise always see each other.

    Attributes:
        JOINT: everyone sees everyone (Kontext, UNO).
        NO_CROSS_CONDITION: conditions see all but the other conditions (OminiControl).
        CAUSAL: each condition sees only itself; text and noise see all (EasyControl, SkeleGuide).
        CAUSAL_SHARED: conditions see each other, not text and noise (FLUX.2 key-value caching).
        XVERSE: in double blocks text and noise do not see conditions, conditions see all; joint in single blocks.
    """

    JOINT = "joint"
    NO_CROSS_CONDITION = "no_cross_condition"
    CAUSAL = "causal"
    CAUSAL_SHARED = "causal_shared"
    XVERSE = "xverse"

    def table(self, conditions: int, *, single: bool) -> Bool[Tensor, "groups groups"]:
        """``table[i, j]``: group i sees group j; group 0 is text and noise, then the conditions in order.

        Args:
            conditions: number of condition groups.
            single: the table of single-stream blocks; of double-stream blocks otherwise.
        """
        groups = conditions + 1
        sees = torch.ones(groups, groups, dtype=torch.bool)
        own = torch.eye(groups, dtype=torch.bool)
        if self is Visibility.NO_CROSS_CONDITION:
            sees[1:, 1:] = own[1:, 1:]
        elif self is Visibility.CAUSAL:
            sees[1:] = own[1:]
        elif self is Visibility.CAUSAL_SHARED:
            sees[1:, 0] = False
        elif self is Visibility.XVERSE and not single:
            sees[0, 1:] = False
        return sees


@dataclass(frozen=True)
class TokenSequence:
    """Everything one forward pass sees.

    Attributes:
        text: prompt states.
        pooled: the pooled prompt vector.
        noise: the canvas being drawn; its ``sigma`` is the time of the pass and given separately.
        conditions: context groups, in order.
        visibility: who attends to whom.
    """

    text: TokenGroup
    pooled: Float[Tensor, "b p"]
    noise: TokenGroup
    conditions: tuple[TokenGroup, ...] = ()
    visibility: Visibility = Visibility.JOINT

    def with_noise(self, tokens: Float[Tensor, "b s c"]) -> Self:
        """The same sequence with other canvas tokens: the next step of a sampler."""
        return replace(self, noise=replace(self.noise, tokens=tokens))

    def to(self, device: torch.device | str) -> Self:
        """The same sequence on another device."""
        return replace(
            self,
            text=self.text.to(device),
            pooled=self.pooled.to(device),
            noise=self.noise.to(device),
            conditions=tuple(condition.to(device) for condition in self.conditions),
        )

    def select(self, index: Int[Tensor, " m"]) -> Self:
        """The samples at ``index``, in that order, which may repeat: one encoded prompt serves a whole group."""
        return replace(
            self,
            text=self.text.select(index),
            pooled=self.pooled[index],
            noise=self.noise.select(index),
            conditions=tuple(condition.select(index) for condition in self.conditions),
        )

    def with_adapters(self, *names: str) -> Self:
        """The same sequence with these LoRA sets on all tokens; none is the frozen model."""
        return replace(
            self,
            text=replace(self.text, adapters=names),
            noise=replace(self.noise, adapters=names),
            conditions=tuple(replace(condition, adapters=names) for condition in self.conditions),
        )

    def merged(self) -> Self:
        """Conditions that differ from the noise in nothing join its group, which makes a joint pass a stock one."""
        if self.visibility is not Visibility.JOINT or not self.conditions:
            return self
        if not all(condition.joins(self.noise) for condition in self.conditions):
            return self
        noise = self.noise
        for condition in self.conditions:
            noise = noise.extended(condition)
        return replace(self, noise=noise, conditions=())
