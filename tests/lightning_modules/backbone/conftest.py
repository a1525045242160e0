"""FLUX's text side, small and random, as a folder in diffusers' format. Makes ``stock_flux`` importable."""

import string
import sys
from pathlib import Path

import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, T5Config, T5EncoderModel, T5Tokenizer

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def flux_folder(tmp_path_factory):
    """A FLUX text side with random weights and letter vocabularies, in diffusers' folder format."""
    root = tmp_path_factory.mktemp("flux")
    letters = [*string.ascii_lowercase, *string.digits, ".", ",", "-", ";"]
    words = [*letters, *(f"{c}</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    clip_tokenizer = CLIPTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=[], model_max_length=77)
    clip_tokenizer.save_pretrained(root / "tokenizer")
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), ("▁", -2.0), *((c, -3.0) for c in letters)]
    t5_tokenizer = T5Tokenizer(vocab=[*pieces, ("▁women", -1.0)], extra_ids=0, model_max_length=512)
    t5_tokenizer.save_pretrained(root / "tokenizer_2")
    torch.manual_seed(0)
    clip_config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=24,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=len(words) - 2,
        eos_token_id=len(words) - 1,
    )
    CLIPTextModel(clip_config).save_pretrained(root / "text_encoder")
    t5_config = T5Config(
        vocab_size=len(t5_tokenizer), d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, dropout_rate=0.0
    )
    T5EncoderModel(t5_config).save_pretrained(root / "text_encoder_2")
    return root
