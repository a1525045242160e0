"""What Architect-A is held against: the first number word, and the language model before training, shown examples."""

from collections.abc import Sequence

import torch

from datamodules.plans.examples import PlanExample, draw_example
from lightning_modules.language.model import LanguageModel

SHOTS = 8
QUESTION = "How many people can be seen in this picture? Answer with one number.\n"


def shots(count: int = SHOTS) -> list[PlanExample]:
    """The first countable training examples."""
    drawn: list[PlanExample] = []
    seed = 0
    while len(drawn) < count:
        example = draw_example(seed, "train")
        seed += 1
        if example.count is not None:
            drawn.append(example)
    return drawn


@torch.no_grad()
def few_shot_counts(language: LanguageModel, prompts: Sequence[str], batch: int = 8) -> list[int | None]:
    """What a chat model without training says after eight worked examples; None where its next word is no number.

    Raises:
        ValueError: if the model has no chat template.
    """
    tokenizer = language.tokenizer
    if tokenizer.chat_template is None:
        raise ValueError("language: few-shot prompting needs a model with a chat template")
    before = [
        turn
        for shot in shots()
        for turn in (
            {"role": "user", "content": QUESTION + shot.prompt},
            {"role": "assistant", "content": str(shot.count)},
        )
    ]
    counts: list[int | None] = []
    for start in range(0, len(prompts), batch):
        texts = [
            tokenizer.apply_chat_template(
                [*before, {"role": "user", "content": QUESTION + prompt}],
                add_generation_prompt=True,
                tokenize=False,
            )
            for prompt in prompts[start : start + batch]
        ]
        padded = tokenizer(
            texts, add_special_tokens=False, padding=True, padding_side="left", return_tensors="pt"
        )
        hidden = language.hidden(language.embed(padded.input_ids), padded.attention_mask.bool())[:, -1]
        words = [tokenizer.decode(int(token)).strip() for token in language.logits(hidden).argmax(dim=-1)]
        counts += [int(word) if word.isdigit() else None for word in words]
    return counts
