"""What Architect-A is to say: token sequences with boxes, and the cross-entropy over answers (Ar2Can, Eq. (1))."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from lightning_modules.ar2can.layout_tokens import LayoutTokens


@dataclass(frozen=True)
class Targets:
    """A batch as token sequences, prompts first, padded on the right.

    Attributes:
        ids: tokens.
        boxes: (cx, cy, w, h) where the token is ``<C>``, zeros elsewhere.
        answers: which tokens are to be predicted.
    """

    ids: Int[Tensor, "b s"]
    boxes: Float[Tensor, "b s 4"]
    answers: Bool[Tensor, "b s"]

    @classmethod
    def lay_out(
        cls, asked: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], boxes: Tensor, box: int
    ) -> Self:
        """The sequences of prompts and their answers, where the boxes are.

        Args:
            asked: tokens of every prompt.
            answers: tokens of every answer.
            boxes: (n, 4) of all ``<C>``, in their order, as (cx, cy, w, h).
            box: the token ``<C>``.
        """
        rows = list(zip(asked, answers, strict=True))
        longest = max(len(prompt) + len(answer) for prompt, answer in rows)
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        said = torch.zeros(len(rows), longest, dtype=torch.bool)
        for k, (prompt, answer) in enumerate(rows):
            ids[k, : len(prompt) + len(answer)] = torch.tensor([*prompt, *answer])
            said[k, len(prompt) : len(prompt) + len(answer)] = True
        places = torch.zeros(len(rows), longest, 4)
        places[ids == box] = boxes.cpu()
        return cls(ids.to(boxes.device), places.to(boxes.device), said.to(boxes.device))


def answer_entropy(
    scores: Float[Tensor, "n v"], wanted: Int[Tensor, " n"], tokens: LayoutTokens, tally_weight: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the answers' tokens: their mean, in which those of the tally count ``tally_weight`` times.

    Args:
        scores: logits over what an answer may hold.
        wanted: the tokens.
        tokens: what an answer may hold; its words are its tally.
        tally_weight: 1 is the plain mean.

    Returns:
        The weighted mean over all tokens, and the plain one over the tallies' (zero without any).
    """
    columns = torch.searchsorted(tokens.said.to(wanted.device), wanted)
    each = functional.cross_entropy(scores.float(), columns, reduction="none")
    tally = wanted < tokens.words
    weights = torch.where(tally, tally_weight, 1.0)
    return (weights * each).sum() / weights.sum(), (each * tally).sum() / tally.sum().clamp(min=1)
