"""A very small Architect that knows a handful of prompts by heart."""

from pathlib import Path

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers

from datamodules.plan_files import row_of_faces
from datamodules.plans.datamodule import collate_plans
from datamodules.plans.examples import PlanExample
from lightning_modules.ar2can.architect_llm import ArchitectLLMModule, ArchitectRecipe
from lightning_modules.language.model import LanguageLoRA, LanguageModel
from lightning_modules.language.sources import LanguageSize

SIZE = {
    "hidden_size": 384,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
}


def small_architect(tally: bool = True, **recipe) -> ArchitectLLMModule:
    torch.manual_seed(0)
    module = ArchitectLLMModule(
        LanguageModel(size=LanguageSize(**SIZE)), ArchitectRecipe(**recipe), tally=tally, decode_batch=16
    )
    module.configure_model()
    return module


def write_llama(folder: Path) -> Path:
    """A random Llama that reads the words of the known examples, as ``save_pretrained`` writes it."""
    said = " ".join(f"{e.prompt} {e.tally}" for e in known_examples()).split()
    words = ["[UNK]", *sorted(set(said))]
    raw = Tokenizer(models.WordLevel({w: k for k, w in enumerate(words)}, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw, unk_token="[UNK]", bos_token="<s>", eos_token="</s>"
    ).save_pretrained(folder)
    torch.manual_seed(7)
    config = transformers.LlamaConfig(
        vocab_size=64, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=True, initializer_range=0.1,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def small_adapter(
    folder: Path, rank: int = 8, alpha: int = 16, seed: int = 0, **recipe
) -> ArchitectLLMModule:
    """An Architect of LoRA updates on that Llama."""
    torch.manual_seed(seed)
    language = LanguageModel(str(folder), lora=LanguageLoRA(rank, alpha))
    module = ArchitectLLMModule(language, ArchitectRecipe(**recipe))
    module.configure_model()
    return module


def known_examples() -> list[PlanExample]:
    """Three prompts with one to three people in a row, and one of each kind that is refused."""
    return [
        known("a nurse waits", 1, "1"),
        known("two friends on a beach", 2, "2"),
        known("two men talk while a woman reads", 3, "2 + 1 = 3"),
        known("an empty beach", None, "0"),
        known("fifty soldiers", None, "many"),
        known("a group of friends", None, "some"),
    ]


def known(prompt: str, count: int | None, tally: str) -> PlanExample:
    boxes = row_of_faces(count).boxes[0].numpy() if count else np.zeros((0, 4), np.float32)
    return PlanExample(prompt, count, tally, boxes, "sum" if "+" in tally else "simple", "")


def learn_by_heart(module: ArchitectLLMModule, steps: int, rate: float = 1.5e-3) -> None:
    targets = module.targets(collate_plans(known_examples()))
    optimizer = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], rate)
    noise = torch.Generator().manual_seed(0)
    for _ in range(steps):
        terms = module.loss_terms(targets, noise)
        optimizer.zero_grad()
        (terms["ce"] + 0.8 * (terms["giou"] + terms["l1"])).backward()
        optimizer.step()
