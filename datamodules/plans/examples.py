"""Prompts with the number of people they mean and a layout, drawn one by one: a pure function of split and seed.

Splits keep whole things from training, not only samples: constructions, words, and combinations of numbers.

    train               everything else
    val                 other prompts of the same kind (decided by the prompt itself)
    test_templates      constructions that training never sees
    test_vocabulary     people, names, activities, places, things that training never sees
    test_compositions   combinations of group sizes that training never sees, such as 2 + 1 + 3 or 6 - 2
"""

import random
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

import numpy as np

from datamodules.plan_files import MAX_PEOPLE
from datamodules.plans.arrangement import arrange
from datamodules.plans.compositions import is_held_out, tally_of
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
_REFUSED_SHARE = 0.2
_REFUSED_WEIGHTS: dict[Family, float] = {"none": 0.3, "many": 0.4, "open": 0.3}
# Of those that are too many: told as seven would be, so that sums are added before they are refused.
_COUNTED_SHARE = 0.6
_COUNTED_WEIGHTS: dict[Family, float] = {
    "simple": 0.08, "sum": 0.60, "relation": 0.10, "elaborated": 0.09, "part": 0.03, "excluded": 0.10,
}  # fmt: skip
_TOTAL_WEIGHTS = (12, 15, 16, 16, 15, 13, 13)
_TOO_MANY_WEIGHTS = {8: 6, 9: 4, 10: 3, 11: 2, 12: 1}
_VAL_EVERY = 20
_TALLIES: dict[Family, str] = {"none": "0", "many": "many", "open": "some"}


@dataclass(frozen=True)
class PlanExample:
    """A prompt and its plan.

    Attributes:
        prompt: what the image is to show.
        count: people to be drawn, 1 to 7; None where the prompt does not tell, or tells of nobody or of more.
        tally: how the count comes about: "3 + 2 = 5", "5 - 1 = 4", "4"; where count is None "0", "some", "many" or, if
            too many have to be added up, "5 + 4 = 9".
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
    # Two people are in no combination that is held out, and three in few; the others keep their shares whatever is
    # rejected.
    weights = (2, 0, 5, *_TOTAL_WEIGHTS[3:]) if split == "test_compositions" else _TOTAL_WEIGHTS
    total = rng.choices(range(1, MAX_PEOPLE + 1), weights)[0]
    while True:
        construction, numbers = _draw(rng, split, total)
        family: Family = "many" if numbers.visible > MAX_PEOPLE else construction.family
        sentence = Sentence(rng, words, numbers)
        text = sentence.write(construction)
        visible = 0 if family in REFUSED else numbers.visible
        terms = tuple(term for group in sentence.terms for term in group) or (visible,)
        if (visible > 0 and is_held_out(terms, numbers)) != (split == "test_compositions"):
            continue
        prompt = with_remarks(sentence, text, construction, None if family in ("many", "open") else visible)
        if split in ("train", "val") and (stable_hash(prompt) % _VAL_EVERY == 0) != (split == "val"):
            continue
        break
    if not visible:
        told = _TALLIES[family]
        if numbers.visible > MAX_PEOPLE and sum(terms) == numbers.visible and (terms[1:] or numbers.hidden):
            told = tally_of(terms, numbers.hidden)
        return PlanExample(prompt, None, told, np.zeros((0, 4), np.float32), family, construction.text)
    actions = [p for p, n in zip(sentence.postures, numbers.groups, strict=True) for _ in range(n)]
    boxes = arrange(rng, actions)
    return PlanExample(prompt, visible, tally_of(terms, numbers.hidden), boxes, family, construction.text)


def _draw(rng: random.Random, split: PlanSplit, total: int) -> tuple[Construction, Numbers]:
    """A construction, and numbers that fit it, for ``total`` people; or one in which nobody can be counted."""
    wanted = split == "test_templates"
    weights = _FAMILY_WEIGHTS
    if rng.random() < _REFUSED_SHARE:
        refused = rng.choices(tuple(_REFUSED_WEIGHTS), list(_REFUSED_WEIGHTS.values()))[0]
        if refused != "many" or rng.random() > _COUNTED_SHARE:
            construction = rng.choice(_CHOICES[refused, wanted])
            groups = tuple(
                rng.choice((1, 1, 2, 3)) if slot == "g" else least_of(slot) for slot in construction.groups
            )
            return construction, Numbers(groups or (1,))
        weights = _COUNTED_WEIGHTS
        total = rng.choices(tuple(_TOO_MANY_WEIGHTS), list(_TOO_MANY_WEIGHTS.values()))[0]
    fitting: list[Construction] = []
    while not fitting:
        family = rng.choices(tuple(weights), list(weights.values()))[0]
        fitting = [c for c in _CHOICES[family, wanted] if c.least <= total <= c.most]
    return (construction := rng.choice(fitting)), _draw_numbers(rng, construction, total)


def _draw_numbers(rng: random.Random, construction: Construction, total: int) -> Numbers:
    groups = _share_out(rng, total, construction.groups) if construction.groups else (total,)
    cuts = construction.parts
    if construction.in_parts:
        cuts = rng.randrange(2, min(4, total) + 1)
    hidden = 0
    if construction.family == "excluded":
        most = min(4, max(1, MAX_PEOPLE + 2 - total))
        hidden = (
            1 if "M+1" in construction.text else rng.choice([h for h in (1, 1, 1, 2, 2, 3, 4) if h <= most])
        )
    return Numbers(groups, _cut(rng, total, cuts) if cuts else (), hidden)


def _share_out(rng: random.Random, total: int, slots: tuple[str, ...]) -> tuple[int, ...]:
    """``total`` people over the groups, within what each slot can hold."""
    groups = [least_of(slot) for slot in slots]
    for _ in range(total - sum(groups)):
        groups[rng.choice([k for k, slot in enumerate(slots) if groups[k] < most_of(slot)])] += 1
    return tuple(groups)


def _cut(rng: random.Random, total: int, parts: int) -> tuple[int, ...]:
    cuts = [0, *sorted(rng.sample(range(1, total), parts - 1)), total]
    return tuple(b - a for a, b in pairwise(cuts))


_CHOICES = {
    (family, held_out): tuple(c for c in constructions if c.held_out == held_out)
    for family, constructions in CONSTRUCTIONS.items()
    for held_out in (False, True)
}
"""The sentences of a family that are trained, and those that are not."""
