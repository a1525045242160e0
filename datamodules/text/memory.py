"""Prompt embeddings in memory: rewards meet the same prompts again and again."""

from collections import OrderedDict
from collections.abc import Sequence

from datamodules.text.rows import EncodedPrompt, RowPromptEncoder


class RememberingPromptEncoder(RowPromptEncoder):
    """Another encoder's embeddings, the latest of them kept in half precision.

    Args:
        encoder: asked for what is not remembered.
        remembered: prompts kept; the one unused for longest goes first.

    Raises:
        ValueError: if ``remembered`` is not positive.
    """

    def __init__(self, encoder: RowPromptEncoder, remembered: int = 4096) -> None:
        if remembered < 1:
            raise ValueError(f"remembered: {remembered} must be at least 1")
        self.encoder, self.remembered = encoder, remembered
        self.device, self.fixed_length = encoder.device, encoder.fixed_length
        self._memory: OrderedDict[str, EncodedPrompt] = OrderedDict()

    def fingerprint(self) -> str:
        """The inner encoder's: half precision changes nothing that matters here."""
        return self.encoder.fingerprint()

    def encode_rows(self, prompts: Sequence[str]) -> list[EncodedPrompt]:
        """Recall what is known, encode the rest; every answer has been through half precision."""
        rows = {prompt: self._memory[prompt] for prompt in prompts if prompt in self._memory}
        missing = [prompt for prompt in prompts if prompt not in rows]
        for prompt, row in zip(missing, self.encoder.encode_rows(missing) if missing else [], strict=True):
            rows[prompt] = EncodedPrompt(row.tokens.half(), row.pooled.half(), row.offsets)
        for prompt, row in rows.items():
            self._memory[prompt] = row
            self._memory.move_to_end(prompt)
        while len(self._memory) > self.remembered:
            self._memory.popitem(last=False)
        return [
            EncodedPrompt(r.tokens.float(), r.pooled.float(), r.offsets) for r in (rows[p] for p in prompts)
        ]
