"""A Qwen2.5-VL folder with a small network of random weights and a tokenizer of single bytes."""

import json
import sys
from pathlib import Path

import torch
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

sys.path.insert(0, str(Path(__file__).parents[1] / "rewards"))

from hpsv3_small import IDS, write_backbone


def write_qwen(folder):
    write_backbone(folder)
    images = json.loads((folder / "preprocessor_config.json").read_text())
    images |= {"processor_class": "Qwen2_5_VLProcessor", "max_pixels": 112 * 112}
    (folder / "preprocessor_config.json").write_text(json.dumps(images))
    config = Qwen2_5_VLConfig(
        text_config={
            **{"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "vocab_size": 320},
            **{"num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": False},
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 6, 6]},
            **{"bos_token_id": IDS["<|endoftext|>"], "eos_token_id": IDS["<|im_end|>"]},
        },
        vision_config={
            **{"depth": 1, "hidden_size": 32, "num_heads": 2, "intermediate_size": 48},
            **{"out_hidden_size": 64, "fullatt_block_indexes": [0], "window_size": 56},
        },
        vision_start_token_id=IDS["<|vision_start|>"],
        vision_end_token_id=IDS["<|vision_end|>"],
        image_token_id=IDS["<|image_pad|>"],
        video_token_id=IDS["<|video_pad|>"],
    )
    torch.manual_seed(0)
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)
