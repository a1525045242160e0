"""Everybody of a total one by one: "two people, a man and a woman", "a family of four: two parents and two sons"."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from datamodules.plans import phrases
from datamodules.plans.vocabulary import Vocabulary
from datamodules.plans.words.grammar import article, joined, plural


class Size(NamedTuple):
    """How many people a list may tell apart."""

    least: int
    most: int


LISTS: dict[str, Size] = {
    "names": Size(2, 5),
    "each": Size(2, 5),
    "pair": Size(2, 2),
    "mixed": Size(3, 7),
    "family": Size(2, 7),
}
"""Slots that name everybody a second time: by name, by article, two in either way, by number, as relatives."""
IN_PARTS = frozenset({"mixed", "family"})
"""Those that name several people at once."""
_ELDERS = ("mother", "father", "grandmother", "grandfather", "aunt", "uncle", "stepmother", "single father")
_YOUNG = (
    "son",
    "daughter",
    "child",
    "baby",
    "toddler",
    "nephew",
    "niece",
    "grandson",
    "granddaughter",
    "boy",
    "girl",
)
BANDS: dict[int, tuple[str, ...]] = {
    2: ("a duo", "a twosome"),
    3: ("a trio", "a threesome"),
    4: ("a quartet", "a foursome"),
    5: ("a quintet",),
}
"""Words for as many as a list of names or articles may hold."""
_PAIRS = (
    "two parents",
    "both parents",
    "two mothers",
    "two grandparents",
    "2 parents",
    "two fathers",
    "the parents",
)


def listing(
    rng: random.Random,
    words: Vocabulary,
    slot: str,
    count: int,
    parts: Sequence[int] = (),
    kinds: Sequence[str] = ("woman", "man"),
) -> str:
    """Everybody, by a slot of ``LISTS``.

    Args:
        rng: source of randomness.
        words: of the split.
        slot: which kind of list.
        count: how many people.
        parts: how many each entry names, where entries name several.
        kinds: of which names may be: "girls" have those of women.
    """
    if slot == "pair":
        slot = "names" if rng.random() < 0.6 else "each"
    if slot == "names":
        return phrases.names(rng, words, count, kinds)
    if slot == "each":
        nouns = phrases.different_nouns(rng, words, count)
        return joined([article(noun) for noun in nouns])
    if slot == "family":
        return joined(_family(rng, parts))
    nouns = phrases.different_nouns(rng, words, len(parts))
    return joined([_some(rng, noun, part) for noun, part in zip(nouns, parts, strict=True)])


def _some(rng: random.Random, noun: str, count: int) -> str:
    return article(noun) if count == 1 else f"{phrases.number(rng, count)} {plural(noun)}"


def _family(rng: random.Random, parts: Sequence[int]) -> list[str]:
    elders = 2 if len(parts) > 2 and tuple(parts[:2]) == (1, 1) else 1
    old = rng.sample(_ELDERS, elders)
    young = rng.sample(_YOUNG, len(parts) - elders)
    told = [_some(rng, noun, part) for noun, part in zip([*old, *young], parts, strict=True)]
    if parts[0] == 2 and rng.random() < 0.8:
        told[0] = rng.choice(_PAIRS)
    if parts[-1] == 2 and rng.random() < 0.2:
        told[-1] = rng.choice(("twins", "newborn twins", "twin girls"))
    return told
