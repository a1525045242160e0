"""Noun phrases for a known number of people, and numbers."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from datamodules.plan_files import MAX_PEOPLE
from datamodules.plans.vocabulary import Vocabulary
from datamodules.plans.words.grammar import NUMBERS, article, form, joined, plural
from datamodules.plans.words.known_groups import ALONE_BY_COUNT, GATHERINGS, KNOWN_BY_COUNT, MANIFOLD, TUPLES
from datamodules.plans.words.looks import AGED, YOUNG

_SINGLE = ("one", "a single", "a lone", "one single", "just one", "only one", "another")
TITLES = ("Dr.", "Professor", "Captain", "little", "old", "Detective", "Nurse", "Judge", "Chef")
_OTHER = (
    "another person", "someone else", "somebody else", "one more person", "another one", "a second person", "one other",
    "a companion", "one more", "a stranger",
)  # fmt: skip
_LARGE = (
    "fifty", "thirty", "a hundred", "a dozen", "a dozen", "two dozen", "forty", "25", "50", "100", "35", "sixty",
    "thirty-two", "200", "500", "1000", "10,000", "a thousand", "two hundred", "a million", "one dozen", "three dozen",
)  # fmt: skip
_ENSEMBLES = ("{}-person", "{}-member", "{}-piece", "{}-strong")
_BANDS = ("band", "crew", "team", "jazz band", "dance group", "rock band", "choir", "expedition", "film crew")


class Named(NamedTuple):
    """A noun phrase.

    Attributes:
        text: the phrase.
        terms: how its number comes about: "a couple with twins" is 2 + 2, "Anna, Ben and Leo" 1 + 1 + 1.
        again: how the same people are called when they are mentioned again ("the nurses").
    """

    text: str
    terms: tuple[int, ...]
    again: str | None = None


def number(rng: random.Random, count: int, digits: float = 0.3) -> str:
    """A number as a word, or in digits with probability ``digits``."""
    return str(count) if rng.random() < digits or count >= len(NUMBERS) else NUMBERS[count]


def large_number(rng: random.Random) -> str:
    """More than seven, in one of many ways."""
    return rng.choice(_LARGE) if rng.random() < 0.4 else number(rng, rng.randrange(8, 21))


def people(
    rng: random.Random,
    words: Vocabulary,
    count: int,
    varied: bool = True,
    alone: bool = False,
    dressed: bool = True,
) -> Named:
    """A noun phrase for ``count`` people.

    Args:
        rng: source of randomness.
        words: of the split.
        count: how many, at least 1.
        varied: also phrases whose number must be known ("newlyweds") or added up ("Anna and Tom", "a cook, waiter and
            guest", "two pairs of nurses"), or that begin with an article ("a trio of nurses", "a group of 3 nurses");
            otherwise always a number and a noun.
        alone: whether nobody else is named, so that phrases fit which rule that out ("a man on his own").
        dressed: whether the phrase may tell what they wear or have with them.
    """
    kind = rng.random() if varied else 1.0
    if kind < 0.22 and (named := _without_noun(rng, words, kind, count, alone)) is not None:
        return named
    noun = words.draw(rng, "person" if rng.random() < 0.3 else "role")
    described = _described(rng, words, noun, count)
    again = f"the {noun if count == 1 else plural(noun)}"
    if kind < 0.36 and 1 < count <= max(TUPLES):
        text, terms = _gathered(rng, count)
        return Named(f"{text} {described}{_look(rng, words, noun, count) if dressed else ''}", terms, again)
    look = _look(rng, words, noun, count) if varied and dressed else ""
    if count == 1:
        return Named(_one(rng, described, varied) + look, (1,), again)
    if count == 2 and varied and rng.random() < 0.05:
        return Named(f"both {described}{look}", (2,), again)
    the = "the " if varied and rng.random() < 0.05 else ""
    return Named(f"{the}{number(rng, count)} {described}{look}", (count,), again)


def _without_noun(
    rng: random.Random, words: Vocabulary, kind: float, count: int, alone: bool
) -> Named | None:
    """A phrase that is known, names, roles, or an ensemble; None where the number has none of this kind."""
    known = ALONE_BY_COUNT if alone else KNOWN_BY_COUNT
    if kind < 0.10:
        return Named(*rng.choice(known[count])) if count in known else None
    if kind < 0.16:
        return Named(names(rng, words, count), (1,) * count) if 2 <= count <= 5 else None
    if kind < 0.20:
        return Named(_roles(rng, words, count), (1,) * count) if 2 <= count <= 4 else None
    return _ensemble(rng, count) if 2 <= count <= MAX_PEOPLE else None


def kin(rng: random.Random, words: Vocabulary, count: int) -> str:
    """Relatives or followers without a possessive: "two sons", "little brother"."""
    noun = words.draw(rng, "kin")
    adjective = f"{words.draw(rng, 'adjective')} " if rng.random() < 0.2 else ""
    if count == 1:
        if rng.random() < 0.35:
            return adjective + words.draw(rng, "only_kin")
        start = rng.choice(("", "", "only ", "new ", "one ", f"{words.draw(rng, 'numbered_adjective')} "))
        return f"{start}{adjective}{noun}"
    if count == 2 and rng.random() < 0.2:
        return rng.choice(
            ("twins", "twin daughters", "twin sons", "newborn twins", "parents", "grandparents")
        )
    if count == 3 and rng.random() < 0.1:
        return "triplets"
    return f"{number(rng, count)} {adjective}{plural(noun)}"


def others(rng: random.Random, count: int) -> str:
    """People without a noun of their own: "two others", "somebody else"."""
    if count == 1:
        return rng.choice(_OTHER)
    noun = rng.choice(
        ("others", "others", "other people", "more people", "companions", "more", "more friends")
    )
    return f"{number(rng, count)} {noun}"


def name(
    rng: random.Random, words: Vocabulary, taken: Sequence[str] = (), kinds: Sequence[str] = ("woman", "man")
) -> tuple[str, str]:
    """A name that nobody of ``taken`` has, and the possessive that fits it."""
    kind = rng.choice(kinds)
    free = [called for called in words.lists[kind] if not any(called in other for other in taken)]
    title = f"{rng.choice(TITLES)} " if rng.random() < 0.1 else ""
    family = f" {words.draw(rng, 'surname')}" if rng.random() < 0.15 else ""
    return title + rng.choice(free) + family, "her" if kind == "woman" else "his"


def away(rng: random.Random, words: Vocabulary, whose: str) -> str:
    """People who are told of and not there: "her mother", "three friends", "an old soldier", "Anna"."""
    chance = rng.random()
    if chance < 0.35:
        return f"{whose} {kin(rng, words, rng.choice((1, 1, 1, 2, 3)))}"
    if chance < 0.5:
        return name(rng, words)[0]
    count = rng.choice((1, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6))
    if count == 1:
        return article(_described(rng, words, words.draw(rng, "role"), 1))
    return people(rng, words, count, varied=False).text


def owner(rng: random.Random, words: Vocabulary) -> str:
    """Somebody who is not in the picture: "Anna's", "the baker's", "my"."""
    kind = rng.random()
    if kind < 0.15:
        return rng.choice(("my", "our", "her", "his", "their"))
    called = name(rng, words)[0] if kind < 0.6 else f"the {words.draw(rng, 'role')}"
    return f"{called}'" if called.endswith("s") else f"{called}'s"


def names(rng: random.Random, words: Vocabulary, count: int, kinds: Sequence[str] = ("woman", "man")) -> str:
    """As many people by name: "Anna, Ben and Leo"."""
    if len(kinds) == 2 and count == 2 and rng.random() < 0.1:
        return f"{rng.choice(('Mr.', 'mr'))} and {rng.choice(('Mrs.', 'mrs'))} {words.draw(rng, 'surname')}"
    called: list[str] = []
    for _ in range(count):
        called.append(name(rng, words, called, kinds)[0])
    return joined(called, rng.choice(("and", "and", "and", "&")))


def different_nouns(rng: random.Random, words: Vocabulary, count: int) -> list[str]:
    """As many nouns for people, no two alike."""
    nouns: list[str] = []
    while len(nouns) < count:
        noun = words.draw(rng, "person" if rng.random() < 0.3 else "role")
        if noun not in nouns:
            nouns.append(noun)
    return nouns


def _roles(rng: random.Random, words: Vocabulary, count: int) -> str:
    """Different people by their nouns, of which the first alone must have an article: "a doctor and nurse"."""
    nouns = different_nouns(rng, words, count)
    chance = rng.random()
    if chance < 0.6:
        return joined([article(nouns[0]), *nouns[1:]])
    return joined([article(noun) for noun in nouns] if chance < 0.8 else nouns)


def _gathered(rng: random.Random, count: int) -> tuple[str, tuple[int, ...]]:
    """What stands in front of a plural ("a group of three"), and the terms of its number."""
    kinds = [size for size in MANIFOLD if count % size == 0 and count > size]
    if kinds and rng.random() < 0.3:
        size = rng.choice(kinds)
        return f"{number(rng, count // size)} {rng.choice(MANIFOLD[size])}", (size,) * (count // size)
    if count == 2 or rng.random() < 0.4:
        return rng.choice(TUPLES[count]), (count,)
    gathering = rng.choice(GATHERINGS)
    if rng.random() < 0.25:
        return f"{article(f'{number(rng, count)}-person')} {gathering} of", (count,)
    return f"{article(gathering)} of {number(rng, count)}", (count,)


def _one(rng: random.Random, described: str, varied: bool) -> str:
    """One person, whom a prompt introduces with an article, a number, "the", or not at all."""
    start = rng.random()
    if not varied or start < 0.1:
        return f"{'1' if rng.random() < 0.2 else 'one'} {described}"
    if start < 0.82:
        return article(described)
    if start < 0.92:
        return f"{rng.choice(_SINGLE)} {described}"
    return f"the {described}" if start < 0.96 else described


def _described(rng: random.Random, words: Vocabulary, noun: str, count: int) -> str:
    """A noun behind what describes it: "tall nurse", "tired, wet and happy hikers"."""
    chance, called = rng.random(), noun if count == 1 else plural(noun)
    if chance < 0.22:
        adjectives = [words.draw(rng, "adjective") for _ in range(rng.choices((1, 2, 3), (8, 1, 1))[0])]
        if sum(adjective[0].isupper() for adjective in adjectives) > 1:
            adjectives = adjectives[:1]
        fitting = [
            a for a in dict.fromkeys(adjectives) if a not in noun and not (noun in YOUNG and a in AGED)
        ]
        if not fitting:
            return called
        return f"{', '.join(fitting) if rng.random() < 0.3 else joined(fitting)} {called}"
    if chance < 0.26 and noun not in YOUNG and "old" not in noun:
        return f"{words.draw(rng, 'numbered_adjective')} {called}"
    return called


def look(rng: random.Random, words: Vocabulary, count: int, numbered: bool = False) -> str:
    """What people wear or have with them."""
    return form(words.draw(rng, "numbered_look" if numbered else "look"), count)


def _look(rng: random.Random, words: Vocabulary, noun: str, count: int) -> str:
    chance = rng.random()
    if chance < 0.16:
        return f" {look(rng, words, count)}"
    return f" {look(rng, words, count, numbered=True)}" if chance < 0.20 and noun not in YOUNG else ""


def _ensemble(rng: random.Random, count: int) -> Named:
    """Sizes before a hyphen that do count people: "a 3-person band"."""
    band = rng.choice(_BANDS)
    size = rng.choice(_ENSEMBLES).format(number(rng, count))
    return Named(f"{article(size)} {band}", (count,), f"the {band}")
