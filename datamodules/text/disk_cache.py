"""Prompt embeddings on disk: each prompt is encoded once for all runs, and the encoder may never be loaded."""

import hashlib
import logging
import uuid
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from datamodules.text.rows import EncodedPrompt, RowPromptEncoder

logger = logging.getLogger(__name__)


class CachedPromptEncoder(RowPromptEncoder):
    """Another encoder's embeddings, kept on disk: one safetensors file per prompt.

    Files lie under ``directory / fingerprint``, so encoders with other weights or settings never meet; they
    are written beside their place and moved there, so several processes may share a directory.

    Args:
        encoder: asked for what is not on disk yet.
        directory: created when needed.

    Attributes:
        calls: times the inner encoder has been asked.
        encoded: prompts it was asked for.
    """

    def __init__(self, encoder: RowPromptEncoder, directory: str | Path) -> None:
        self.encoder = encoder
        self.directory = Path(directory)
        self.device = encoder.device
        self.fixed_length = encoder.fixed_length
        self.calls = 0
        self.encoded = 0
        self._fingerprint = ""

    def fingerprint(self) -> str:
        """The inner encoder's."""
        self._fingerprint = self._fingerprint or self.encoder.fingerprint()
        return self._fingerprint

    def encode_rows(self, prompts: Sequence[str]) -> list[EncodedPrompt]:
        """Read what is on disk, encode and keep the rest."""
        found = {prompt: row for prompt in prompts if (row := self._read(prompt)) is not None}
        missing = [prompt for prompt in prompts if prompt not in found]
        if missing:
            self.calls += 1
            self.encoded += len(missing)
            for prompt, row in zip(missing, self.encoder.encode_rows(missing), strict=True):
                self._write(prompt, row)
                found[prompt] = row
        return [found[prompt] for prompt in prompts]

    def path(self, prompt: str) -> Path:
        """Where the embedding of ``prompt`` lies, or would lie."""
        name = hashlib.sha256(prompt.encode()).hexdigest()
        return self.directory / self.fingerprint()[:16] / name[:2] / f"{name}.safetensors"

    def _read(self, prompt: str) -> EncodedPrompt | None:
        path = self.path(prompt)
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="pt", device=self.device) as file:
                return EncodedPrompt(*(file.get_tensor(name) for name in EncodedPrompt._fields))
        except SafetensorError as error:
            logger.warning("embedding cache: %s is unreadable (%s) and will be written anew", path, error)
            return None

    def _write(self, prompt: str, row: EncodedPrompt) -> None:
        path = self.path(prompt)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.stem[:16]}.{uuid.uuid4().hex}.tmp")
        tensors = {name: value.contiguous().cpu() for name, value in row._asdict().items()}
        save_file(tensors, draft, metadata={"prompt": prompt})
        draft.replace(path)
