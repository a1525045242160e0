"""Constructions: the sentences with slots, which of them training never sees, and what must be done to count."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias, get_args

from datamodules.plan_files import MAX_PEOPLE
from datamodules.plans.listings import IN_PARTS, LISTS, Size
from datamodules.plans.vocabulary import keep_out
from datamodules.plans.words import group_sentences, refused_sentences, sum_sentences, total_sentences

Family: TypeAlias = Literal[
    "simple", "sum", "relation", "elaborated", "part", "excluded", "none", "many", "open"
]
FAMILIES: tuple[Family, ...] = get_args(Family)
"""What it takes to count: read a number, add, know who belongs to whom, ignore what is told twice, ignore a larger
number, take away; and three ways in which nobody can be counted."""
REFUSED: frozenset[Family] = frozenset({"none", "many", "open"})
MOST_TOLD = 12
"""The largest number that sentences are made to tell whose people could be counted; more than seven are refused."""
SLOT = re.compile(r"\{([^}]*)\}")
GROUPS = frozenset({"g", "s", "p", "rel", "rel2", "kin", "person", "n", "others"})
"""Slots that name people who count."""
_THREE = re.compile(r"others|rest|youngest|tallest|each|all |split|lines|one of them|One is|one behind")
_HELD_OUT_SHARE = 1 / 6


@dataclass(frozen=True)
class Construction:
    """A sentence with slots.

    Attributes:
        text: the sentence.
        family: what it takes to count.
        held_out: whether training never sees it.
    """

    text: str
    family: Family
    held_out: bool

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """All slots in order."""
        return tuple(SLOT.findall(self.text))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The slots that name people who count."""
        return tuple(slot for slot in self.slots if slot in GROUPS or slot.startswith("+"))

    @cached_property
    def parts(self) -> int:
        """Slots that tell parts of everybody a second time."""
        return sum(slot.startswith("=") for slot in self.slots)

    @cached_property
    def least(self) -> int:
        """The smallest number of visible people the sentence makes sense for."""
        if self.groups:
            return sum(least_of(slot) for slot in self.groups)
        if self.listed is not None:
            return self.listed.least
        exact = self._exact
        if exact:
            return exact
        if self.family == "excluded":
            return 2 if _THREE.search(self.text) else 1
        if self.family == "simple":
            return 2
        return max(2, self.parts, 3 if _THREE.search(self.text) else 0)

    @cached_property
    def most(self) -> int:
        """The largest number of visible people the sentence has room for, more than can be planned included."""
        if self.groups:
            return sum(most_of(slot) for slot in self.groups)
        if self.listed is not None:
            return self.listed.most
        return self._exact or MOST_TOLD

    @cached_property
    def listed(self) -> Size | None:
        """How many people the sentence may list one by one; None where it lists nobody."""
        return next((LISTS[slot] for slot in self.slots if slot in LISTS), None)

    @cached_property
    def in_parts(self) -> bool:
        """Whether it lists several people at once."""
        return not IN_PARTS.isdisjoint(self.slots)

    @property
    def _exact(self) -> int:
        """The only number a sentence makes sense for that tells people apart one by one; else 0."""
        if re.search(r"one and one|and one \{ing\}|the third", self.text):
            return 3
        return 2 if re.search(r"the other\b", self.text) and self.family == "elaborated" else 0


def least_of(slot: str) -> int:
    """The fewest people a group's slot stands for."""
    return int(slot[1]) if slot.startswith("+") else 2 if slot == "p" else 1


def most_of(slot: str) -> int:
    """The most people a group's slot stands for."""
    return int(slot[1]) if slot.startswith("+") else 1 if slot in ("s", "person") else MAX_PEOPLE


def _read(family: Family, text: str) -> tuple[Construction, ...]:
    """One construction per line; what is listed twice is everyday speech, drawn more often and never held out."""
    lines = text.strip().splitlines()
    kept_out = keep_out((line for line in lines if lines.count(line) == 1), _HELD_OUT_SHARE)
    return tuple(Construction(line, family, line in kept_out) for line in lines)


CONSTRUCTIONS: dict[Family, tuple[Construction, ...]] = {
    "simple": _read("simple", group_sentences.SIMPLE),
    "sum": _read("sum", sum_sentences.SUM),
    "relation": _read("relation", group_sentences.RELATION),
    "elaborated": _read("elaborated", total_sentences.ELABORATED),
    "part": _read("part", total_sentences.PART),
    "excluded": _read("excluded", total_sentences.EXCLUDED),
    "none": _read("none", refused_sentences.NONE),
    "many": _read("many", refused_sentences.MANY),
    "open": _read("open", refused_sentences.OPEN),
}
