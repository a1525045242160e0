"""What all text encoders share: one row per prompt, batches without padding, and the padded result."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from datamodules.schema.interfaces import PromptEmbedding, PromptEncoder


class EncodedPrompt(NamedTuple):
    """One prompt, unpadded; fields as in ``PromptEmbedding``."""

    tokens: Float[Tensor, "s c"]
    pooled: Float[Tensor, " p"]
    offsets: Int[Tensor, "s 2"]


class RowPromptEncoder(PromptEncoder):
    """A ``PromptEncoder`` that encodes prompts one by one in meaning, in batches in fact.

    Attributes:
        device: where embeddings are returned.
        fixed_length: token slots of every embedding, or None to pad to the longest prompt of the batch.
    """

    device: str = "cpu"
    fixed_length: int | None = None

    @abstractmethod
    def encode_rows(self, prompts: Sequence[str]) -> list[EncodedPrompt]:
        """Encode distinct prompts, in their order; an empty prompt is legal (the unconditional one)."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Hex digest of all that decides an embedding: weights, tokenizer and settings."""

    def encode(self, prompts: Sequence[str]) -> PromptEmbedding:
        """Encode a batch; a prompt that occurs several times is encoded once.

        Raises:
            ValueError: if ``prompts`` is a bare string or empty.
        """
        if isinstance(prompts, str) or not prompts:
            raise ValueError(f"prompts: {prompts!r} must be a non-empty sequence of strings")
        distinct = list(dict.fromkeys(prompts))
        place = {prompt: i for i, prompt in enumerate(distinct)}
        rows = self.encode_rows(distinct)
        return _stack([rows[place[prompt]] for prompt in prompts], self.fixed_length)


def length_buckets(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Places of prompts of one length, longest first (what does not fit in memory fails at once)."""
    groups: dict[int, list[int]] = defaultdict(list)
    for place, length in enumerate(lengths):
        groups[length].append(place)
    for length in sorted(groups, reverse=True):
        for start in range(0, len(groups[length]), batch_size):
            yield groups[length][start : start + batch_size]


def _stack(rows: Sequence[EncodedPrompt], fixed_length: int | None) -> PromptEmbedding:
    lengths = torch.tensor([len(row.tokens) for row in rows], device=rows[0].tokens.device)
    slots = fixed_length or int(lengths.max())
    tokens = pad_sequence([row.tokens for row in rows], batch_first=True)
    offsets = pad_sequence([row.offsets for row in rows], batch_first=True)
    missing = slots - tokens.shape[1]
    return PromptEmbedding(
        tokens=torch.nn.functional.pad(tokens, (0, 0, 0, missing)),
        pooled=torch.stack([row.pooled for row in rows]),
        valid=torch.arange(slots, device=lengths.device) < lengths[:, None],
        offsets=torch.nn.functional.pad(offsets, (0, 0, 0, missing)),
    )
