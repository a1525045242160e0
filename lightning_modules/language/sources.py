"""Where a language model comes from: a folder, the real part ``smollm2``, or chance around MiniLM's words."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from safetensors.torch import load_file
from torch import nn

from datamodules.text import minilm
from datamodules.text.pretrained import load
from rewards.real_parts.catalogue import PARTS
from rewards.real_parts.fetch import find_part

MINILM_WORDS = "embeddings.word_embeddings.weight"


@dataclass(frozen=True)
class LanguageSize:
    """Size of a Qwen2 decoder that starts from chance.

    Attributes:
        hidden_size: width; 384 takes the packaged MiniLM's word vectors as embeddings.
        intermediate_size: width of the gated feed-forward layers.
        num_hidden_layers: blocks.
        num_attention_heads: query heads.
        num_key_value_heads: key and value heads.
        vocab_size: words; the packaged MiniLM's word pieces by default.
    """

    hidden_size: int = 384
    intermediate_size: int = 768
    num_hidden_layers: int = 4
    num_attention_heads: int = 6
    num_key_value_heads: int = 2
    vocab_size: int = 30522


def draw_language_model(size: LanguageSize) -> Any:
    """A random Qwen2 with tied embeddings: MiniLM's word vectors where width and vocabulary fit.

    So words which training never shows still mean something.
    """
    config = transformers.Qwen2Config(
        hidden_size=size.hidden_size,
        intermediate_size=size.intermediate_size,
        num_hidden_layers=size.num_hidden_layers,
        num_attention_heads=size.num_attention_heads,
        num_key_value_heads=size.num_key_value_heads,
        vocab_size=size.vocab_size,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
    )
    model = transformers.Qwen2ForCausalLM(config)
    words = cast(nn.Embedding, model.get_input_embeddings()).weight
    if not words.is_meta:
        vectors = load_file(minilm.folder() / "model.safetensors")[MINILM_WORDS]
        if vectors.shape == words.shape:
            with torch.no_grad():
                words.copy_(vectors)
    return model


def model_folder(source: str) -> Path:
    """The folder of a source.

    Raises:
        MissingPartError: if it is a real part that nobody fetched yet.
        ValueError: if it is neither a real part nor a folder.
    """
    if source in PARTS:
        return find_part(source)
    if not (Path(source) / "config.json").is_file():
        raise ValueError(f"source: {source!r} is no folder with a config.json; give one, or 'smollm2'")
    return Path(source)


def load_language_model(source: str, dtype: str) -> Any:
    """A frozen causal model of a folder or real part."""
    return load(transformers.AutoModelForCausalLM, model_folder(source), dtype, "cpu")


def load_tokenizer(source: str | None) -> Any:
    """The fast tokenizer of a source; MiniLM's word pieces without one."""
    folder = minilm.folder() if source is None else model_folder(source)
    return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
