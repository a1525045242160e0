"""Ar2Can's Architect-B: a few-step draft from text alone, on which boxes and poses are read (sections 3.3.1, B.3)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor

from datamodules.schema.scene import SceneBatch
from lightning_modules.ar2can.draft_reading import read_draft
from lightning_modules.ar2can.layout_decoding import Answer
from lightning_modules.backbone.tokens import TokenGroup
from lightning_modules.policy.grpo_module import GRPOModule


class Draft(NamedTuple):
    """What became of one prompt.

    Attributes:
        answer: the layout, or why there is none.
        image: the draft it was read off, or the last one drawn, RGB in [0, 1].
        seed: of its noise.
        counts: faces seen on every draft of the prompt, in the order they were drawn.
    """

    answer: Answer
    image: Float[Tensor, "3 h w"]
    seed: int
    counts: tuple[int, ...]


class ArchitectFlowModule(GRPOModule):
    """The policy that drafts scenes; layouts are read off by the rewards' analyzer.

    Args:
        *args: as :class:`~lightning_modules.policy.grpo_module.GRPOModule` takes them.
        draft_size: side of the drafts that plans are read off, in pixels; training draws in the size of its scenes.
        **engine: likewise, by name.
    """

    def __init__(self, *args: Any, draft_size: int = 128, **engine: Any) -> None:
        super().__init__(*args, **engine)
        if draft_size < 64 or draft_size % 16:
            raise ValueError(f"draft_size: {draft_size} must be a multiple of 16, at least 64")
        self.draft_size = draft_size

    def conditions(self, scenes: SceneBatch) -> tuple[TokenGroup, ...]:
        """None: a draft knows the prompt alone."""
        return ()

    def draft(self, prompts: Sequence[str], seed: int) -> Float[Tensor, "b 3 h w"]:
        """One draft per prompt, in [0, 1]."""
        size = (self.draft_size, self.draft_size)
        return self.draw_sequence(self.prompted(prompts, size), size, seed).float().clamp(0, 1)

    def plan(
        self,
        prompts: Sequence[str],
        wanted: Sequence[int | None] | None = None,
        seed: int = 0,
        redraws: int = 0,
    ) -> list[Draft]:
        """Layouts of prompts, each from the first of its drafts that can be used.

        Args:
            prompts: any number of them; all are drawn together.
            wanted: people that each draft should show; None, for all or for one, where any number will do.
            seed: of the first drafts' noise; redrawn ones count up from it.
            redraws: how often a draft that cannot be used is drawn anew.

        Raises:
            ValueError: if ``redraws`` is negative, or ``wanted`` is not one number per prompt.
        """
        asked: list[int | None] = [None] * len(prompts) if wanted is None else list(wanted)
        if len(asked) != len(prompts) or redraws < 0:
            raise ValueError(
                f"wanted, redraws: {len(asked)} numbers for {len(prompts)} prompts, {redraws} redraws; "
                "give one number per prompt, and 0 redraws or more"
            )
        found: dict[int, Draft] = {}
        waiting = list(range(len(prompts)))
        for again in range(redraws + 1):
            if not waiting:
                break
            images = self.draft([prompts[i] for i in waiting], seed + again)
            for i, image, seen in zip(waiting, images, self.rewards.analyzer.analyze(images), strict=True):
                before = found[i].counts if i in found else ()
                found[i] = Draft(read_draft(seen, asked[i]), image.cpu(), seed + again, (*before, len(seen)))
            waiting = [i for i in waiting if found[i].answer.refusal]
        return [_told(found[i]) for i in range(len(prompts))]


def _told(draft: Draft) -> Draft:
    """Say of a refusal what was tried."""
    if draft.answer.refusal is None:
        return draft
    tried = f"; on {len(draft.counts)} drafts {list(draft.counts)} were seen" if len(draft.counts) > 1 else ""
    told = f"{draft.answer.told}{tried}; draw more drafts (--redraws), from another --seed, or say it differently"
    return draft._replace(answer=replace(draft.answer, told=told))
