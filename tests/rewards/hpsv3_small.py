"""A Qwen2-VL folder laid out as on the hub in 2024, and an HPSv3 checkpoint, with small networks and made-up weights.

The weights come from names and shapes alone, so that the public package can be run on the very same ones.
"""

import json

from noise import noise
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch.nn import functional as nnf

# The template of Qwen/Qwen2-VL-7B-Instruct without its video branch.
CHAT = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n"
    "{% else %}{% for content in message['content'] %}"
    "{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}"
    "<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = [
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    *("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
]
IDS = {name: 256 + i for i, name in enumerate(SPECIAL)}
REWARD = 256 + len(SPECIAL)  # the next free token
PROMPTS = ["two women", "", "three men, one {with} a café"]
SIZES = [(40, 64), (448, 448), (700, 500)]
CONFIG = {
    "architectures": ["Qwen2VLForConditionalGeneration"],
    "model_type": "qwen2_vl",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "rope_theta": 1000000.0,
    "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]},
    "max_position_embeddings": 32768,
    "tie_word_embeddings": False,
    "use_sliding_window": False,
    "sliding_window": 32768,
    "max_window_layers": 2,
    "vocab_size": 320,  # more than there are tokens, as in the real one
    "bos_token_id": IDS["<|endoftext|>"],
    "eos_token_id": IDS["<|im_end|>"],
    "vision_start_token_id": IDS["<|vision_start|>"],
    "vision_end_token_id": IDS["<|vision_end|>"],
    "vision_token_id": IDS["<|vision_pad|>"],
    "image_token_id": IDS["<|image_pad|>"],
    "video_token_id": IDS["<|video_pad|>"],
    "torch_dtype": "bfloat16",
    "vision_config": {
        **{"depth": 2, "embed_dim": 32, "num_heads": 2, "mlp_ratio": 2, "hidden_size": 32, "in_chans": 3},
        **{"patch_size": 14, "spatial_merge_size": 2, "spatial_patch_size": 14, "temporal_patch_size": 2},
    },
}
IMAGES = {
    "image_processor_type": "Qwen2VLImageProcessor",
    "processor_class": "Qwen2VLProcessor",
    **{
        "min_pixels": 3136,
        "max_pixels": 12845056,
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
    },
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}


def pictures(height, width):
    """One picture per prompt; not on the 8-bit grid, but nearer to it than half a step."""
    shape = (len(PROMPTS), 3, height, width)
    coarse = noise((len(PROMPTS), 3, 5, 5), 1)
    levels = 0.5 + 0.3 * nnf.interpolate(coarse, (height, width)) + 0.1 * noise(shape, 2)
    return ((levels.clamp(0, 1) * 255).round() + 0.3 * noise(shape, 9)) / 255


def layer(name, out, *ins, bias=True):
    return {f"{name}.weight": (out, *ins), **({f"{name}.bias": (out,)} if bias else {})}


def shapes():
    """HPSv3.safetensors in small: every name and shape."""
    found = layer("visual.patch_embed.proj", 32, 3, 2, 14, 14, bias=False)
    for i in range(2):
        name = f"visual.blocks.{i}"
        found |= layer(f"{name}.norm1", 32) | layer(f"{name}.norm2", 32)
        found |= layer(f"{name}.attn.qkv", 96, 32) | layer(f"{name}.attn.proj", 32, 32)
        found |= layer(f"{name}.mlp.fc1", 64, 32) | layer(f"{name}.mlp.fc2", 32, 64)
    found |= layer("visual.merger.ln_q", 32)
    found |= layer("visual.merger.mlp.0", 128, 128) | layer("visual.merger.mlp.2", 32, 128)
    found |= layer("model.embed_tokens", REWARD + 1, 32, bias=False)
    for i in range(2):
        name = f"model.layers.{i}"
        found |= layer(f"{name}.self_attn.q_proj", 32, 32) | layer(f"{name}.self_attn.k_proj", 16, 32)
        found |= layer(f"{name}.self_attn.v_proj", 16, 32)
        found |= layer(f"{name}.self_attn.o_proj", 32, 32, bias=False)
        found |= layer(f"{name}.mlp.gate_proj", 48, 32, bias=False)
        found |= layer(f"{name}.mlp.up_proj", 48, 32, bias=False)
        found |= layer(f"{name}.mlp.down_proj", 32, 48, bias=False)
        found |= layer(f"{name}.input_layernorm", 32, bias=False)
        found |= layer(f"{name}.post_attention_layernorm", 32, bias=False)
    found |= layer("model.norm", 32, bias=False) | layer("lm_head", REWARD + 1, 32, bias=False)
    return found | layer("rm_head.0", 1024, 32) | layer("rm_head.3", 16, 1024) | layer("rm_head.5", 2, 16)


def weights():
    """In bfloat16 where the released ones are, so that no precision sees other weights."""
    made = {}
    for seed, (name, shape) in enumerate(sorted(shapes().items())):
        centre = 1.0 if name.endswith("weight") and len(shape) == 1 else 0.0
        gain = 3.0 if "q_proj" in name or "k_proj" in name or "rm_head" in name else 1.7
        scale = gain * shape[1] ** -0.5 if len(shape) == 2 else 0.2
        value = centre + scale * noise(shape, seed)
        made[name] = value if name.startswith("rm_head") else value.bfloat16()
    return made


def write_backbone(root):
    """Configuration, tokenizer of single bytes, chat template, image processor; no weights."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIAL])
    tokenizer.save(str(root / "tokenizer.json"))
    (root / "vocab.json").write_text(json.dumps({c: i for i, c in enumerate(alphabet)}))
    (root / "merges.txt").write_text("#version: 0.2\n")
    facts = {"content": "", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    settings = {
        "tokenizer_class": "Qwen2Tokenizer",
        "padding_side": "left",
        "pad_token": "<|endoftext|>",
        "eos_token": "<|im_end|>",
        "model_max_length": 32768,
        "additional_special_tokens": SPECIAL[1:],
        "added_tokens_decoder": {
            str(i): {**facts, "content": name, "special": True} for name, i in IDS.items()
        },
    }
    (root / "tokenizer_config.json").write_text(json.dumps(settings))
    (root / "chat_template.json").write_text(json.dumps({"chat_template": CHAT}))
    (root / "preprocessor_config.json").write_text(json.dumps(IMAGES))
    (root / "config.json").write_text(json.dumps(CONFIG))


def write_checkpoint(path, rename=lambda name: name):
    save_file({rename(name): value.contiguous() for name, value in weights().items()}, path)
