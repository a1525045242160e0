"""HPSv3's network on transformers' Qwen2-VL: the language model reads picture and question, a small head scores them.

Written after the forward pass of ``hpsv3`` 1.0.0 (``Qwen2VLRewardModelBT`` in ``model/qwen2vl_trainer.py``), which is
tied to transformers 4.45. Two habits of that pair belong to the trained weights and are kept:

* tokens are numbered 0, 1, 2, ... through picture and text alike; Qwen2-VL's own numbering of the picture's rows and
  columns (M-RoPE) is not used;
* in bfloat16 the frequencies of both rotary embeddings, and the angles in the picture, are rounded to bfloat16 too.
"""

from pathlib import Path

import torch
import transformers
from jaxtyping import Float, Int
from safetensors import safe_open
from torch import Tensor, nn
from transformers.models.qwen2_vl.modeling_qwen2_vl import (
    Qwen2VLRotaryEmbedding,
    Qwen2VLVisionRotaryEmbedding,
)

# Names in the checkpoint (transformers before 4.52, and since) and here; the first match counts.
RENAMED = {
    "rm_head.": "head.",
    "model.language_model.": "backbone.language_model.",
    "model.visual.": "backbone.visual.",
    "model.": "backbone.language_model.",
    "visual.": "backbone.visual.",
}
UNUSED = "lm_head."


class HPSv3Network(nn.Module):
    """Mean and logarithm of the spread of the preference, read off one token of the text.

    Args:
        config: of the Qwen2-VL, its vocabulary already enlarged.
    """

    def __init__(self, config: transformers.Qwen2VLConfig) -> None:
        super().__init__()
        self.backbone = transformers.Qwen2VLModel(config)
        # The package's rm_head_type "ranknet" without further arguments; always in float32.
        self.head = nn.Sequential(
            nn.Linear(config.text_config.hidden_size, 1024),
            nn.ReLU(),
            nn.Dropout(0.05),
            nn.Linear(1024, 16),
            nn.ReLU(),
            nn.Linear(16, 2),
        )

    def forward(
        self,
        tokens: Int[Tensor, "b s"],
        valid: Int[Tensor, "b s"],
        patches: Float[Tensor, "p c"],
        grid: Int[Tensor, "b 3"],
        reward_token: int,
    ) -> Float[Tensor, "b 2"]:
        """Mean and log spread of each picture; padding stands on the right.

        Args:
            tokens: text with one ``reward_token`` per row.
            valid: 1 where a token is no padding.
            patches: the patches of all pictures, one after the other.
            grid: frames, rows and columns of patches per picture.
            reward_token: the token whose last hidden state is scored.
        """
        positions = torch.arange(tokens.shape[1], device=tokens.device).expand(3, *tokens.shape)
        hidden = self.backbone(
            input_ids=tokens,
            attention_mask=valid,
            position_ids=positions,
            pixel_values=patches,
            image_grid_thw=grid,
            use_cache=False,
        ).last_hidden_state
        return self.head(hidden[tokens == reward_token].float())


class RoundedVisionRotary(Qwen2VLVisionRotaryEmbedding):
    """Rotary embedding of the picture with angles in the precision of its frequencies, as transformers 4.45 had it."""

    def forward(
        self, x: Float[Tensor, "p c"], position_ids: Int[Tensor, "p 2"]
    ) -> tuple[Float[Tensor, "p d"], Float[Tensor, "p d"]]:
        """Cosines and sines of each patch's row and column."""
        angles = position_ids[..., None].to(self.inv_freq.dtype) * self.inv_freq
        return self.recomposition_frequencies(angles.cos()), self.recomposition_frequencies(angles.sin())


def load_network(
    backbone: str, checkpoint: str, vocabulary: int, dtype: torch.dtype = torch.bfloat16
) -> HPSv3Network:
    """The frozen network with the checkpoint's weights; the backbone's own weights are not read.

    Args:
        backbone: folder with the Qwen2-VL's config.json.
        checkpoint: safetensors file.
        vocabulary: number of tokens, the reward token included.
        dtype: precision of all but the head.

    Raises:
        ValueError: if the checkpoint's weights are not those of this network.
    """
    config = transformers.Qwen2VLConfig.from_pretrained(backbone, local_files_only=True)
    config.text_config.vocab_size = vocabulary
    with torch.device("meta"):
        network = HPSv3Network(config)
    weights = read_weights(Path(checkpoint), dtype)
    expected = {name: value.shape for name, value in network.state_dict().items()}
    given = {name: value.shape for name, value in weights.items()}
    wrong = sorted(name for name in expected.keys() | given.keys() if expected.get(name) != given.get(name))
    if wrong:
        raise ValueError(
            f"checkpoint: {checkpoint} does not fit backbone {backbone} in {len(wrong)} weights such as {wrong[0]}; "
            "HPSv3.safetensors goes with Qwen2-VL-7B-Instruct"
        )
    network.load_state_dict(weights, assign=True)
    # No weights, hence not in the checkpoint and still on the meta device.
    network.backbone.language_model.rotary_emb = Qwen2VLRotaryEmbedding(config.text_config).to(dtype)
    network.backbone.visual.rotary_pos_emb = RoundedVisionRotary(config.vision_config).to(dtype)
    return network.eval().requires_grad_(False)


def read_weights(checkpoint: Path, dtype: torch.dtype) -> dict[str, Tensor]:
    """The checkpoint's weights under this module's names; the head in float32, the rest in ``dtype``."""
    weights = {}
    with safe_open(checkpoint, framework="pt") as held:
        for name in held.keys():  # noqa: SIM118 - no mapping
            if name.startswith(UNUSED):
                continue
            old = next((prefix for prefix in RENAMED if name.startswith(prefix)), "")
            ours = RENAMED.get(old, "") + name.removeprefix(old)
            weights[ours] = held.get_tensor(name).to(torch.float32 if ours.startswith("head.") else dtype)
    return weights
