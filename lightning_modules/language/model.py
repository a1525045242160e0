"""A decoder language model as embeddings, hidden states and logits: tiny from chance, or pretrained with LoRA."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, cast

import torch
from jaxtyping import Bool, Float, Int
from peft import LoraConfig, inject_adapter_in_model
from peft.helpers import disable_input_dtype_casting
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn
from transformers import DynamicCache

from lightning_modules.language.sources import (
    LanguageSize,
    draw_language_model,
    load_language_model,
    load_tokenizer,
)

_PROMPT = "[[the prompt]]"
"""Stands for a prompt while a chat template is filled in."""


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
        lora: updates; what they do not touch is frozen.
        dtype: of pretrained weights.
        system: the system message, with which a prompt goes through the model's chat template; None asks with the bare
            prompt, which is fewer tokens, between the tokens that begin and end a text.
        attention: transformers' implementation; "eager" is faster in training on a CPU, by up to a quarter of a step.
    """

    def __init__(
        self,
        source: str | None = None,
        size: LanguageSize | None = None,
        lora: LanguageLoRA | None = None,
        dtype: str = "float32",
        system: str | None = None,
        attention: str = "sdpa",
    ) -> None:
        super().__init__()
        self.source, self.size, self.lora = source, size or LanguageSize(), lora
        self.dtype_name, self.system, self.attention = dtype, system, attention
        self.network: Any = None  # built by configure()

    def configure(self) -> Self:
        """Build the network; a second call does nothing."""
        if self.network is None:
            if self.source is None:
                self.network = draw_language_model(self.size)
            else:
                self.network = load_language_model(self.source, self.dtype_name)
            self.network.set_attn_implementation(self.attention)
            self.network.requires_grad_(self.lora is None)
            if self.lora is not None:
                config = LoraConfig(
                    r=self.lora.rank, lora_alpha=self.lora.alpha, target_modules=list(self.lora.targets)
                )
                inject_adapter_in_model(config, self.network)
                for parameter in self.network.parameters():
                    if parameter.requires_grad:  # small updates and slow averages get lost in bfloat16
                        parameter.data = parameter.data.float()
            self.network.get_input_embeddings().requires_grad_(False)
        return self

    def merge(self) -> Self:
        """Add LoRA updates to the weights, in single precision: a prompt alone is answered in half the time.

        For use only; what is merged is not to be trained or written.
        """
        if self.lora is not None:
            self.network.float()
            for layer in self.network.modules():
                if isinstance(layer, BaseTunerLayer) and not layer.merged:
                    layer.merge()
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

    @property
    def architecture(self) -> dict[str, int]:
        """What a file of trained weights is meant for: width, layers, and the LoRA set's rank and alpha (0: none)."""
        updates = (0, 0) if self.lora is None else (self.lora.rank, self.lora.alpha)
        layers = int(self.network.config.num_hidden_layers)
        return {"width": self.width, "layers": layers, "rank": updates[0], "alpha": updates[1]}

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
        positions = None
        if valid is not None:
            positions = (valid.long().cumsum(dim=1) - 1).clamp(min=0)[:, -embeddings.shape[1] :]
        # Autocast multiplies the updates in half precision; peft would first cast what they are multiplied with.
        mixed = torch.is_autocast_enabled(embeddings.device.type)
        with disable_input_dtype_casting(self.network, active=mixed):
            out = self.network.model(
                inputs_embeds=embeddings,
                attention_mask=None if valid is None else valid.long(),
                position_ids=positions,
                past_key_values=cache,
                use_cache=cache is not None,
            )
        return cast(Tensor, out.last_hidden_state)

    def logits(
        self, hidden: Float[Tensor, "*s d"], words: Int[Tensor, " v"] | None = None
    ) -> Float[Tensor, "*s v"]:
        """Scores of words: of all, or of a few, which is far cheaper where the output layer is the embeddings'.

        Args:
            hidden: last hidden states.
            words: which; all without it.
        """
        hidden = hidden.to(self.network.dtype)
        if words is not None and self.network.config.tie_word_embeddings:
            return hidden @ self.embed(words).T
        scores = cast(Tensor, self.network.get_output_embeddings()(hidden))
        return scores if words is None else scores[..., words]

    @cached_property
    def frame(self) -> tuple[list[int], list[int]]:
        """Tokens before and after a prompt: the tokenizer's own, or those of the chat template.

        Raises:
            ValueError: if there is a system message and the model has no chat template.
        """
        tokenizer = self.tokenizer
        if self.system is None:
            pairs = (("cls_token_id", "bos_token_id"), ("sep_token_id", "eos_token_id"))
            before, after = ([getattr(tokenizer, name, None) for name in names] for names in pairs)
            return _first(before), _first(after)
        if tokenizer.chat_template is None:
            raise ValueError(f"system: {self.source} has no chat template to say it with; leave it out")
        turns = [{"role": "system", "content": self.system}, {"role": "user", "content": _PROMPT}]
        text = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        parts = text.split(_PROMPT)
        if len(parts) != 2:
            raise ValueError(f"system: the chat template of {self.source} does not show the prompt once")
        head, tail = (tokenizer(part, add_special_tokens=False).input_ids for part in parts)
        return head, tail

    def prompt_ids(self, prompt: str) -> list[int]:
        """A prompt's tokens, up to where the answer begins. Nothing it spells is a control token.

        Raises:
            ValueError: as :attr:`frame`.
        """
        before, after = self.frame
        return [*before, *self.answer_ids(prompt), *after]

    def answer_ids(self, text: str) -> list[int]:
        """Tokens of a text alone; control tokens that it spells, such as "[SEP]" or "<|im_end|>", are words of it."""
        found = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)
        return cast(list[int], found.input_ids)

    def read(self, ids: Sequence[int]) -> str:
        """The text of some tokens."""
        return cast(str, self.tokenizer.decode(ids)).strip()

    @torch.no_grad()
    def draw_rows(self, count: int) -> Float[Tensor, "c d"]:
        """Starting embeddings for new tokens: the mean word, a little off it, each in its own direction."""
        words = self.network.get_input_embeddings().weight.float()
        return words.mean(dim=0) + words.std(dim=0) * torch.randn(count, words.shape[1], device=words.device)


def _first(ids: Sequence[int | None]) -> list[int]:
    """The first that the tokenizer has, or none."""
    return [token for token in ids if token is not None][:1]
