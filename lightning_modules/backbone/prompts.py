"""FLUX's own text side, CLIP and T5, behind ``PromptEncoder``.

Nothing is loaded before the first ``encode``, and the encoder is a plain object, not an ``nn.Module``: it is frozen,
and stays out of checkpoints and out of sharding. Embeddings are fp32, computed without autocast and gradients.
"""

from collections.abc import Sequence
from typing import Any

import torch
import transformers

from datamodules.text.pretrained import character_offsets, count_truncated, digest, load, tokenize
from datamodules.text.rows import EncodedPrompt, RowPromptEncoder, length_buckets
from lightning_modules.backbone.hub import pipeline_folder


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
        root = pipeline_folder(self.source, self.FOLDERS, self.allow_download)
        settings = {"max_tokens": self.max_tokens, "trim": self.trim, "dtype": self.dtype}
        return digest([root / name for name in self.FOLDERS], settings)

    @torch.no_grad()
    def encode_rows(self, prompts: Sequence[str]) -> list[EncodedPrompt]:
        """Encode distinct prompts; in buckets of equal length if ``trim``."""
        if self._models is None:
            self._models = self._load_all()
        clip_tokenizer, tokenizer, clip, t5 = self._models
        encodings, cut = tokenize(tokenizer, prompts, self.max_tokens, self.fixed_length is not None)
        self.truncated = count_truncated(self.truncated, cut, self.max_tokens)
        short, _ = tokenize(clip_tokenizer, prompts, clip_tokenizer.model_max_length, pad=True)
        rows: dict[int, EncodedPrompt] = {}
        for bucket in length_buckets([len(e.ids) for e in encodings], self.batch_size):
            ids = torch.tensor([encodings[i].ids for i in bucket], device=self.device)
            clip_ids = torch.tensor([short[i].ids for i in bucket], device=self.device)
            with torch.autocast(ids.device.type, enabled=False):
                states = t5(input_ids=ids).last_hidden_state.float()
                pooled = clip(input_ids=clip_ids).pooler_output.float()
            for i, tokens, vector in zip(bucket, states, pooled, strict=True):
                rows[i] = EncodedPrompt(tokens, vector, character_offsets(encodings[i], self.device))
        return [rows[i] for i in range(len(prompts))]

    def _load_all(self) -> tuple[Any, Any, Any, Any]:
        root = pipeline_folder(self.source, self.FOLDERS, self.allow_download)
        return (
            transformers.AutoTokenizer.from_pretrained(root / "tokenizer"),
            transformers.AutoTokenizer.from_pretrained(root / "tokenizer_2"),
            load(transformers.CLIPTextModel, root / "text_encoder", self.dtype, self.device),
            load(transformers.T5EncoderModel, root / "text_encoder_2", self.dtype, self.device),
        )
