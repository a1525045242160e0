"""What is likely in a tally before any prompt is read, and how to leave it out of an answer."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from lightning_modules.ar2can.layout_tokens import LayoutTokens, refusal_of


class TallyPrior:
    """How likely each word of a tally is after those before it, whatever the prompt; every count is taken one larger.

    The corpus draws its numbers by lot: that "3 + 2" goes on more often than it ends tells nothing about a prompt.
    Taking a share of this prior's log-probability off the scores is post-hoc logit adjustment (Menon et al. 2021,
    "Long-tail learning via logit adjustment"), for every word by those before it.

    Args:
        counts: trained examples by tally.
        tokens: what an answer may hold.
        write: the words of a text.
    """

    def __init__(
        self, counts: Mapping[str, int], tokens: LayoutTokens, write: Callable[[str], Sequence[int]]
    ) -> None:
        place = {token: k for k, token in enumerate(tokens.said.tolist())}
        found: defaultdict[tuple[int, ...], Tensor] = defaultdict(lambda: torch.ones(len(place)))
        for tally, count in counts.items():
            words = tuple(write(tally))
            follows = tokens.end if refusal_of(tally) else tokens.start
            for k, word in enumerate((*words, follows)):
                found[words[:k]][place[word]] += count
        self._log = {before: (seen / seen.sum()).log() for before, seen in found.items()}

    def without(
        self, scores: Float[Tensor, " v"], before: Sequence[int], share: float
    ) -> Float[Tensor, " v"]:
        """Scores of the next word with a share of the prior taken off; as they are after words that begin no tally."""
        prior = self._log.get(tuple(before))
        return scores if prior is None else scores - share * prior.to(scores.device)
