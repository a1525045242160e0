"""The words of a split: one open word in seven is never seen in training."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from datamodules.plans.words import absent, activities, captions, looks, no_people, people, settings, things
from datamodules.tiny_world.identities import stable_hash

_HELD_OUT_SHARE = 1 / 7

OPEN_WORDS: dict[str, tuple[str, ...]] = {
    "role": tuple(dict.fromkeys(people.ROLES)),
    "woman": people.WOMEN,
    "man": people.MEN,
    "surname": people.SURNAMES,
    "activity": activities.ACTIVITIES,
    "place": settings.PLACES,
    "numbered_place": settings.NUMBERED_PLACES,
    "numbered_time": settings.NUMBERED_TIMES,
    "animal": things.ANIMALS,
    "object": things.OBJECTS,
    "adjective": looks.ADJECTIVES,
    "look": looks.LOOKS,
    "numbered_look": looks.NUMBERED_LOOKS,
    "empty": no_people.EMPTY,
    "scenery": settings.SCENERY,
    "style": settings.STYLES,
    "absent_deed": absent.ABSENT_DEEDS,
    "absent_thing": absent.ABSENT_THINGS,
    "named_place": absent.NAMED_PLACES,
    "collection": things.COLLECTIONS,
    "machine": things.MACHINES,
    "design": no_people.DESIGNS,
    "no_picture": no_people.NO_PICTURES,
    "atmosphere": captions.ATMOSPHERE,
    "technique": captions.TECHNIQUE,
}
"""Lists without end, of which a part is held out."""

CLOSED_WORDS: dict[str, tuple[str, ...]] = {
    "kin": people.KIN,
    "only_kin": people.ONLY_KIN,
    "elder": people.ELDERS,
    "crowd": people.CROWDS,
    "vague": people.VAGUE,
    "towards": activities.TOWARDS,
    "towards_finite": activities.TOWARDS_FINITE,
    "by": activities.HELD_AT,
    "time": settings.TIMES,
    "numbered_style": settings.NUMBERED_STYLES,
    "numbered_adjective": looks.NUMBERED_ADJECTIVES,
    "medium": settings.MEDIA,
    "asking": settings.ASKING,
    "meanwhile": settings.MEANWHILE,
    "color": things.COLORS,
}
"""Words that stand for a kind, shared by all splits."""


def keep_out(entries: Iterable[str], share: float) -> frozenset[str]:
    """The share of some entries, at least two, that training never sees: those with the smallest hashes."""
    ranked = sorted(set(entries), key=stable_hash)
    return frozenset(ranked[: max(2, round(share * len(ranked)))])


HELD_OUT: dict[str, frozenset[str]] = {
    kind: keep_out(entries, _HELD_OUT_SHARE) for kind, entries in OPEN_WORDS.items()
}
"""Open words that only ``test_vocabulary`` uses, by kind."""


@dataclass(frozen=True)
class Vocabulary:
    """The words of training, or those kept from it.

    Attributes:
        held_out: which of the two.
        lists: the words by kind.
    """

    held_out: bool
    lists: dict[str, tuple[str, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lists", _lists(self.held_out))

    def draw(self, rng: random.Random, kind: str) -> str:
        """A word of a kind."""
        entries = self.lists[kind]
        return entries[int(rng.random() * len(entries))]


@lru_cache(maxsize=2)
def _lists(held_out: bool) -> dict[str, tuple[str, ...]]:
    chosen = {
        kind: tuple(word for word in entries if (word in HELD_OUT[kind]) == held_out)
        for kind, entries in OPEN_WORDS.items()
    }
    # "Person", "woman" and their like are everywhere, so no test of unknown words may use them.
    chosen["person"] = chosen["role"] if held_out else people.COMMON
    return chosen | CLOSED_WORDS
