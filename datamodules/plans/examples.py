"""Prompts with the number of people they mean and a layout, drawn one by one: a pure function of split and seed.

Splits keep whole things from training, not only samples: constructions, words, and combinations of numbers.

    train               everything else
    val                 other prompts of the same kind (decided by the prompt itself)
    test_templates      constructions that training never sees
    test_vocabulary     people, names, activities, places, things that training never sees
    test_compositions   combinations of group sizes that training never sees, such as 2 + 1 + 3 or 6 - 2
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

import numpy as np

from datamodules.plan_files import MAX_PEOPLE
from datamodules.plans.arrangement import arrange
from datamodules.plans.constructions import CONSTRUCTIONS, REFUSED, Construction, Family, least_of, most_of
from datamodules.plans.remarks import with_remarks
from datamodules.plans.sentences import Numbers, Sentence
from datamodules.plans.vocabulary import Vocabulary
from datamodules.tiny_world.identities import stable_hash

PlanSplit: TypeAlias = Literal["train", "val", "test_templates", "test_vocabulary", "test_compositions"]
PLAN_SPLITS: tuple[PlanSplit, ...] = get_args(PlanSplit)
_FAMILY_WEIGHTS: dict[Family, float] = {
    "simple": 0.20, "sum": 0.35, "relation": 0.14, "elaborated": 0.14, "part": 0.06, "excluded": 0.11,
}  # fmt: skip
_REFUSED: tuple[Family, ...] = ("none", "none", "many", "open")
_REFUSED_SHARE = 0.1
_TOTAL_WEIGHTS = (12, 15, 16, 16, 15, 13, 13)
_HELD_OUT_EVERY = 6
_VAL_EVERY = 20


@dataclass(frozen=True)
class PlanExample:
    """A prompt and its plan.

    Attributes:
        prompt: what the image is to show.
        count: people to be drawn, 1 to 7; None where the prompt does not tell, or tells of nobody or of more.
        tally: how the count comes about: "3 + 2 = 5", "5 - 1 = 4", "4"; "0", "many" and "some" where count is None.
        boxes: (count, 4) face boxes, xyxy in [0, 1], in reading order.
        family: what it takes to count.
        construction: the sentence with slots.
    """

    prompt: str
    count: int | None
    tally: str
    boxes: np.ndarray
    family: Family
    construction: str


def draw_example(seed: int, split: PlanSplit) -> PlanExample:
    """One example.

    Args:
        seed: which example of the split.
        split: one of ``PLAN_SPLITS``.

    Raises:
        ValueError: for an unknown split.
    """
    if split not in PLAN_SPLITS:
        raise ValueError(f"split: {split!r}; choose one of {', '.join(PLAN_SPLITS)}")
    rng = random.Random(f"{split}/{seed}")
    words = Vocabulary(held_out=split == "test_vocabulary")
    # Two people are in no combination that is held out; the others keep their shares whatever is rejected.
    weights = (2, 0, *_TOTAL_WEIGHTS[2:]) if split == "test_compositions" else _TOTAL_WEIGHTS
    total = rng.choices(range(1, MAX_PEOPLE + 1), weights)[0]
    while True:
        construction, numbers = _draw(rng, split, total)
        sentence = Sentence(rng, words, numbers)
        text = sentence.write(construction)
        visible = 0 if construction.family in REFUSED else numbers.visible
        terms = tuple(term for group in sentence.terms for term in group) or (visible,)
        if (visible > 0 and is_held_out(terms, numbers)) != (split == "test_compositions"):
            continue
        prompt = with_remarks(sentence, text, construction, visible)
        if split in ("train", "val") and (stable_hash(prompt) % _VAL_EVERY == 0) != (split == "val"):
            continue
        break
    if not visible:
        tally = {"none": "0", "many": "many", "open": "some"}[construction.family]
        return PlanExample(
            prompt, None, tally, np.zeros((0, 4), np.float32), construction.family, construction.text
        )
    actions = [p for p, n in zip(sentence.postures, numbers.groups, strict=True) for _ in range(n)]
    boxes = arrange(rng, actions)
    return PlanExample(
        prompt, visible, tally_of(terms, numbers.hidden), boxes, construction.family, construction.text
    )


def tally_of(terms: Sequence[int], hidden: int = 0) -> str:
    """How the count comes about.

    >>> tally_of((3, 2)), tally_of((4,), hidden=1), tally_of((4,))
    ('3 + 2 = 5', '5 - 1 = 4', '4')
    """
    total = sum(terms)
    if hidden:
        return f"{total + hidden} - {hidden} = {total}"
    return f"{' + '.join(map(str, terms))} = {total}" if len(terms) > 1 else str(total)


def is_held_out(terms: Sequence[int], numbers: Numbers) -> bool:
    """Whether training never sees this combination of numbers.

    Args:
        terms: of the tally.
        numbers: parts that are told a second time, and people who are taken away.
    """
    key: tuple[object, ...] = ()
    if numbers.hidden:
        key = ("minus", numbers.visible + numbers.hidden, numbers.hidden)
    elif numbers.parts:
        key = ("parts", *numbers.parts)
    elif len(terms) > 1 and max(terms) > 1:
        key = ("sum", *terms)
    # A checksum would tell neighbouring numbers apart by rule; a digest does not.
    return bool(key) and hashlib.sha256(repr(key).encode()).digest()[2] % _HELD_OUT_EVERY == 0


def _draw(rng: random.Random, split: PlanSplit, total: int) -> tuple[Construction, Numbers]:
    """A construction, and numbers that fit it, for ``total`` people; or one in which nobody can be counted."""
    wanted = split == "test_templates"
    if rng.random() < _REFUSED_SHARE:
        construction = rng.choice([c for c in CONSTRUCTIONS[rng.choice(_REFUSED)] if c.held_out == wanted])
        groups = tuple(
            rng.choice((1, 1, 2, 3)) if slot == "g" else least_of(slot) for slot in construction.groups
        )
        return construction, Numbers(groups or (1,))
    fitting: list[Construction] = []
    while not fitting:
        family = rng.choices(tuple(_FAMILY_WEIGHTS), list(_FAMILY_WEIGHTS.values()))[0]
        fitting = [c for c in CONSTRUCTIONS[family] if c.held_out == wanted and c.least <= total <= c.most]
    return (construction := rng.choice(fitting)), _draw_numbers(rng, construction, total)


def _draw_numbers(rng: random.Random, construction: Construction, total: int) -> Numbers:
    groups = _share_out(rng, total, construction.groups) if construction.groups else (total,)
    parts = _cut(rng, total, construction.parts) if construction.parts else ()
    hidden = 0
    if construction.family == "excluded":
        most = min(4, MAX_PEOPLE + 2 - total)
        hidden = (
            1 if "M+1" in construction.text else rng.choice([h for h in (1, 1, 1, 2, 2, 3, 4) if h <= most])
        )
    return Numbers(groups, parts, hidden)


def _share_out(rng: random.Random, total: int, slots: tuple[str, ...]) -> tuple[int, ...]:
    """``total`` people over the groups, within what each slot can hold."""
    groups = [least_of(slot) for slot in slots]
    for _ in range(total - sum(groups)):
        groups[rng.choice([k for k, slot in enumerate(slots) if groups[k] < most_of(slot)])] += 1
    return tuple(groups)


def _cut(rng: random.Random, total: int, parts: int) -> tuple[int, ...]:
    cuts = [0, *sorted(rng.sample(range(1, total), parts - 1)), total]
    return tuple(b - a for a, b in pairwise(cuts))
