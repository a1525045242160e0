"""A decoder language model as embeddings, hidden states and logits: tiny from chance, or pretrained with LoRA."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, cast

import torch
from jaxtyping import Bool, Float, Int
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn
from transformers import DynamicCache

from lightning_modules.language.sources import (
    LanguageSize,
    draw_language_model,
    load_language_model,
    load_tokenizer,
)


@dataclass(frozen=True)
class LanguageLoRA:
    """Low-rank updates of a pretrained model's linear layers (peft).

    Attributes:
        rank: of the updates.
        alpha: their scale is alpha / rank.
        targets: names of the layers.
    """

    rank: int = 16
    alpha: int = 32
    targets: Sequence[str] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class LanguageModel(nn.Module):
    """Built in :meth:`configure`, never in ``__init__``, like the FLUX backbone.

    Word embeddings stay as they are; what else is trained: everything of a model from chance, the LoRA set of a
    pretrained one, all of a pretrained one without LoRA.

    Args:
        source: a folder of transformers' format, or the real part ``smollm2``; None draws a Qwen2 from ``size``.
        size: of a model from chance; ignored where ``source`` is given.
        lora: updates of a pretrained model.
        dtype: of pretrained weights.
        system: the system message of models with a chat template.
    """

    def __init__(
        self,
        source: str | None = None,
        size: LanguageSize | None = None,
        lora: LanguageLoRA | None = None,
        dtype: str = "float32",
        system: str = "Plan one face box for every person who can be seen.",
    ) -> None:
        super().__init__()
        self.source, self.size, self.lora = source, size or LanguageSize(), lora
        self.dtype_name, self.system = dtype, system
        self.network: Any = None  # built by configure()

    def configure(self) -> Self:
        """Build the network; a second call does nothing."""
        if self.network is None:
            if self.source is None:
                self.network = draw_language_model(self.size)
            else:
                self.network = load_language_model(self.source, self.dtype_name)
                if self.lora is None:
                    self.network.requires_grad_(True)
                else:
                    config = LoraConfig(
                        r=self.lora.rank, lora_alpha=self.lora.alpha, target_modules=list(self.lora.targets)
                    )
                    inject_adapter_in_model(config, self.network)
                    for parameter in self.network.parameters():
                        if parameter.requires_grad:  # small updates and slow averages get lost in bfloat16
                            parameter.data = parameter.data.float()
            self.network.get_input_embeddings().requires_grad_(False)
        return self

    @cached_property
    def tokenizer(self) -> Any:
        """The fast tokenizer."""
        return load_tokenizer(self.source)

    @property
    def width(self) -> int:
        """Channels of hidden states."""
        return int(self.network.config.hidden_size)

    @property
    def words(self) -> int:
        """Size of the vocabulary."""
        return int(self.network.get_input_embeddings().num_embeddings)

    def embed(self, ids: Int[Tensor, "*s"]) -> Float[Tensor, "*s d"]:
        """Input embeddings of words."""
        return cast(Tensor, self.network.get_input_embeddings()(ids))

    def hidden(
        self,
        embeddings: Float[Tensor, "b s d"],
        valid: Bool[Tensor, "b t"] | None = None,
        cache: DynamicCache | None = None,
    ) -> Float[Tensor, "b s d"]:
        """Last hidden states.

        Args:
            embeddings: of the new tokens.
            valid: which of the tokens, cached ones included, are no padding; all without it.
            cache: keys and values of what came before; the new ones are added.
        """
        if cache is None and valid is None:
            return cast(
                Tensor, self.network.model(inputs_embeds=embeddings, use_cache=False).last_hidden_state
            )
        positions = None
        if valid is not None:
            positions = (valid.long().cumsum(dim=1) - 1).clamp(min=0)[:, -embeddings.shape[1] :]
        out = self.network.model(
            inputs_embeds=embeddings,
            attention_mask=None if valid is None else valid.long(),
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        return cast(Tensor, out.last_hidden_state)

    def logits(self, hidden: Float[Tensor, "*s d"]) -> Float[Tensor, "*s v"]:
        """Scores of all words."""
        return cast(Tensor, self.network.get_output_embeddings()(hidden.to(self.network.dtype)))

    def prompt_ids(self, prompt: str) -> list[int]:
        """A prompt's tokens, up to where the answer begins: through the chat template if the model has one."""
        if self.tokenizer.chat_template is None:
            return cast(list[int], self.tokenizer(prompt).input_ids)
        turns = [{"role": "system", "content": self.system}, {"role": "user", "content": prompt}]
        text = self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        return cast(list[int], self.tokenizer(text, add_special_tokens=False).input_ids)

    def answer_ids(self, text: str) -> list[int]:
        """Tokens of a text within the answer."""
        return cast(list[int], self.tokenizer(text, add_special_tokens=False).input_ids)

    def read(self, ids: Sequence[int]) -> str:
        """The text of some tokens."""
        return cast(str, self.tokenizer.decode(ids)).strip()

    @torch.no_grad()
    def draw_rows(self, count: int) -> Float[Tensor, "c d"]:
        """Starting embeddings for new tokens: the mean word, a little off it, each in its own direction."""
        words = self.network.get_input_embeddings().weight.float()
        return words.mean(dim=0) + words.std(dim=0) * torch.randn(count, words.shape[1], device=words.device)
