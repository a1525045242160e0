"""HPSv3 in plain torch, from a picture and token ids to mean and log spread, one picture at a time.

Written after transformers 4.45.2 (``modeling_qwen2_vl.py``) and ``hpsv3`` 1.0.0 (``model/qwen2vl_trainer.py``, lines
99-106 and 115-247), with the checkpoint's own names. It knows neither transformers nor our packages.
"""

import math

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as nnf

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
PIXELS = 256 * 28 * 28


def fitted_size(height, width):
    """``dataset/utils.py``, lines 55-81, with equal bounds: multiples of 28 on the near side of ``PIXELS``."""
    rows, columns = max(28, round(height / 28) * 28), max(28, round(width / 28) * 28)
    if rows * columns == PIXELS:
        return rows, columns
    whole = math.floor if rows * columns > PIXELS else math.ceil
    ratio = math.sqrt(PIXELS / (height * width))
    return whole(height * ratio / 28) * 28, whole(width * ratio / 28) * 28


def patches_of(image):
    """8-bit (3, h, w) to patches (rows * columns, 3 * 2 * 14 * 14) in groups of 2 x 2, and (rows, columns)."""
    height, width = fitted_size(*image.shape[1:])
    picture = Image.fromarray(image.permute(1, 2, 0).numpy()).resize((width, height), Image.BICUBIC)
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
    pixels = (pixels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    rows, columns, found = height // 14, width // 14, []
    for row in range(0, rows, 2):
        for column in range(0, columns, 2):
            for y, x in ((row, column), (row, column + 1), (row + 1, column), (row + 1, column + 1)):
                patch = pixels[:, y * 14 : y * 14 + 14, x * 14 : x * 14 + 14]
                found.append(torch.stack([patch, patch], dim=1).flatten())
    return torch.stack(found), (rows, columns)


def rotated(x, cos, sin):
    """The pairs (i, i + d / 2) of the last dimension turned; ``cos``, ``sin`` (positions, d / 2)."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def heads(x, count):
    return x.unflatten(-1, (count, -1)).transpose(0, 1)


def attention(query, key, value, mask):
    logits = query @ key.transpose(1, 2) / math.sqrt(query.shape[-1])
    return (logits.float().masked_fill(~mask, -torch.inf).softmax(-1).to(value.dtype) @ value).transpose(0, 1)


class ByHand:
    """``weights`` under the checkpoint's names, ``config`` flat as in the model's folder."""

    def __init__(self, weights, config, dtype=torch.float32):
        self.config, self.dtype = config, dtype
        self.weights = {n: w if n.startswith("rm_head") else w.to(dtype) for n, w in weights.items()}

    def linear(self, name, x):
        return nnf.linear(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def layer_norm(self, name, x):
        return nnf.layer_norm(
            x, x.shape[-1:], self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], 1e-6
        )

    def rms_norm(self, name, x):
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.config["rms_norm_eps"])
        return self.weights[f"{name}.weight"] * wide.to(x.dtype)

    def see(self, image):
        """Picture to (tokens, width)."""
        patches, (rows, columns) = patches_of(image)
        vision = self.config["vision_config"]
        x = patches.to(self.dtype) @ self.weights["visual.patch_embed.proj.weight"].flatten(1).T
        size = vision["embed_dim"] // vision["num_heads"] // 2
        rates = (1.0 / 10000.0 ** (torch.arange(0, size, 2).float() / size)).to(self.dtype)
        order = torch.arange(rows * columns).view(rows // 2, 2, columns // 2, 2).transpose(1, 2).flatten()
        places = torch.stack([order // columns, order % columns], dim=-1).to(self.dtype)
        angles = (places[:, :, None] * rates).flatten(1)
        everything = torch.ones(len(x), len(x), dtype=torch.bool)
        for i in range(vision["depth"]):
            name = f"visual.blocks.{i}"
            q, k, v = self.linear(f"{name}.attn.qkv", self.layer_norm(f"{name}.norm1", x)).chunk(3, dim=-1)
            q, k, v = (heads(part, vision["num_heads"]) for part in (q, k, v))
            cos, sin = angles.cos().float(), angles.sin().float()
            q, k = (rotated(part.float(), cos, sin).to(self.dtype) for part in (q, k))
            x = x + self.linear(f"{name}.attn.proj", attention(q, k, v, everything).flatten(1))
            inner = self.linear(f"{name}.mlp.fc1", self.layer_norm(f"{name}.norm2", x))
            x = x + self.linear(f"{name}.mlp.fc2", inner * torch.sigmoid(1.702 * inner))
        x = self.layer_norm("visual.merger.ln_q", x).reshape(len(x) // 4, -1)
        return self.linear("visual.merger.mlp.2", nnf.gelu(self.linear("visual.merger.mlp.0", x)))

    def predict(self, tokens, image):
        """Mean and log spread; one token of the text stands for the picture. All are numbered in a row."""
        config, seen = self.config, self.see(image)
        place = tokens.tolist().index(config["image_token_id"])
        tokens = torch.cat([tokens[:place], tokens[place].expand(len(seen)), tokens[place + 1 :]])
        x = self.weights["model.embed_tokens.weight"][tokens]
        x[place : place + len(seen)] = seen
        size = config["hidden_size"] // config["num_attention_heads"]
        rates = (1.0 / config["rope_theta"] ** (torch.arange(0, size, 2).float() / size)).to(self.dtype)
        angles = torch.arange(len(tokens)).float()[:, None] * rates.float()
        turn = angles.cos().to(self.dtype), angles.sin().to(self.dtype)
        past = torch.ones(len(tokens), len(tokens)).tril().bool()
        repeat = config["num_attention_heads"] // config["num_key_value_heads"]
        for i in range(config["num_hidden_layers"]):
            name = f"model.layers.{i}"
            y = self.rms_norm(f"{name}.input_layernorm", x)
            q = heads(self.linear(f"{name}.self_attn.q_proj", y), config["num_attention_heads"])
            k = heads(self.linear(f"{name}.self_attn.k_proj", y), config["num_key_value_heads"])
            q, k = rotated(q, *turn), rotated(k, *turn)
            v = heads(self.linear(f"{name}.self_attn.v_proj", y), config["num_key_value_heads"])
            y = attention(q, k.repeat_interleave(repeat, 0), v.repeat_interleave(repeat, 0), past).flatten(1)
            x = x + self.linear(f"{name}.self_attn.o_proj", y)
            y = self.rms_norm(f"{name}.post_attention_layernorm", x)
            gate = nnf.silu(self.linear(f"{name}.mlp.gate_proj", y))
            x = x + self.linear(f"{name}.mlp.down_proj", gate * self.linear(f"{name}.mlp.up_proj", y))
        x = self.rms_norm("model.norm", x)[tokens == config["reward_token_id"]].float()
        x = nnf.relu(self.linear("rm_head.0", x))
        return self.linear("rm_head.5", nnf.relu(self.linear("rm_head.3", x)))[0]
