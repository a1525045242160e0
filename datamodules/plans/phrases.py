"""Noun phrases for a known number of people, for things, and for numbers."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from datamodules.plans.vocabulary import Vocabulary
from datamodules.plans.words.grammar import NUMBERS, article, joined, plural
from datamodules.plans.words.known_groups import ALONE_BY_COUNT, GATHERINGS, KNOWN_BY_COUNT, MANIFOLD, TUPLES

_SINGLE = ("one", "a single", "a lone", "one single", "just one", "only one", "another")
TITLES = ("Dr.", "Professor", "Captain", "little", "old", "Detective", "Nurse", "Judge", "Chef")
_OTHER = (
    "another person", "someone else", "somebody else", "one more person", "another one", "a second person", "one other",
    "a companion", "one more", "a stranger",
)  # fmt: skip
_LARGE = (
    "fifty",
    "thirty",
    "a hundred",
    "a dozen",
    "two dozen",
    "forty",
    "25",
    "50",
    "100",
    "35",
    "sixty",
    "thirty-two",
    "200",
    "500",
    "1000",
    "10,000",
    "a thousand",
    "two hundred",
    "a million",
)


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
    rng: random.Random, words: Vocabulary, count: int, varied: bool = True, alone: bool = False
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
    """
    kind = rng.random() if varied else 1.0
    known = ALONE_BY_COUNT if alone else KNOWN_BY_COUNT
    if kind < 0.10 and count in known:
        return Named(*rng.choice(known[count]))
    if kind < 0.16 and 2 <= count <= 5:
        return Named(_names(rng, words, count), (1,) * count)
    if kind < 0.20 and 2 <= count <= 4:
        return Named(_roles(rng, words, count), (1,) * count)
    noun = words.draw(rng, "person" if rng.random() < 0.3 else "role")
    described = _described(rng, words, noun if count == 1 else plural(noun))
    again = f"the {noun if count == 1 else plural(noun)}"
    if kind < 0.36 and count > 1 and count <= max(TUPLES):
        text, terms = _gathered(rng, count)
        return Named(f"{text} {described}{_look(rng, words)}", terms, again)
    look = _look(rng, words) if varied else ""
    if count > 1:
        the = "the " if varied and rng.random() < 0.05 else ""
        return Named(f"{the}{number(rng, count)} {described}{look}", (count,), again)
    return Named(_one(rng, described, varied) + look, (1,), again)


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


def name(rng: random.Random, words: Vocabulary, taken: Sequence[str] = ()) -> tuple[str, str]:
    """A name that nobody of ``taken`` has, and the possessive that fits it."""
    kind = rng.choice(("woman", "man"))
    free = [called for called in words.lists[kind] if not any(called in other for other in taken)]
    title = f"{rng.choice(TITLES)} " if rng.random() < 0.1 else ""
    family = f" {words.draw(rng, 'surname')}" if rng.random() < 0.15 else ""
    return title + rng.choice(free) + family, "her" if kind == "woman" else "his"


def owner(rng: random.Random, words: Vocabulary) -> str:
    """Somebody who is not in the picture: "Anna's", "the baker's", "my"."""
    kind = rng.random()
    if kind < 0.15:
        return rng.choice(("my", "our", "her", "his", "their"))
    called = name(rng, words)[0] if kind < 0.6 else f"the {words.draw(rng, 'role')}"
    return f"{called}'" if called.endswith("s") else f"{called}'s"


def pet(rng: random.Random, words: Vocabulary) -> str:
    """Animals without a possessive: "dog", "three white cats"."""
    count = rng.choice((1, 1, 1, 2, 2, 3, 4, 5, 6))
    color = f"{words.draw(rng, 'color')} " if rng.random() < 0.3 else ""
    noun = words.draw(rng, "animal")
    return color + noun if count == 1 else f"{number(rng, count)} {color}{plural(noun)}"


def thing(rng: random.Random, words: Vocabulary, count: int | None = None) -> str:
    """Animals or objects; one to nine of them unless ``count`` says so."""
    noun = words.draw(rng, "animal" if rng.random() < 0.35 else "object")
    color = f"{words.draw(rng, 'color')} " if rng.random() < 0.3 else ""
    many = (
        count
        if count is not None
        else rng.choices((1, 2, 3, 4, 5, 6, 7, 8, 9, 12), (30, 14, 12, 10, 8, 6, 5, 3, 2, 2))[0]
    )
    if many == 1:
        return article(color + noun) if rng.random() < 0.9 else f"one {color}{noun}"
    return f"{number(rng, many)} {color}{plural(noun)}"


def things(rng: random.Random, words: Vocabulary) -> str:
    """At least two animals or objects, or an unknown number."""
    if rng.random() < 0.15:
        return f"{rng.choice(('many', 'several', 'some', 'a few'))} {plural(words.draw(rng, 'object'))}"
    return thing(rng, words, rng.randrange(2, 10))


def place(rng: random.Random, words: Vocabulary) -> str:
    """Where, sometimes with a number in it."""
    return words.draw(rng, "numbered_place" if rng.random() < 0.15 else "place")


def time(rng: random.Random, words: Vocabulary) -> str:
    """When, often with a number in it."""
    return words.draw(rng, "numbered_time" if rng.random() < 0.5 else "time")


def style(rng: random.Random, words: Vocabulary) -> str:
    """How the picture looks."""
    return words.draw(rng, "numbered_style" if rng.random() < 0.25 else "style")


def _names(rng: random.Random, words: Vocabulary, count: int) -> str:
    if count == 2 and rng.random() < 0.1:
        return f"{rng.choice(('Mr.', 'mr'))} and {rng.choice(('Mrs.', 'mrs'))} {words.draw(rng, 'surname')}"
    called: list[str] = []
    for _ in range(count):
        called.append(name(rng, words, called)[0])
    return joined(called, rng.choice(("and", "and", "and", "&")))


def _roles(rng: random.Random, words: Vocabulary, count: int) -> str:
    """Different people by their nouns, of which the first alone must have an article: "a doctor and nurse"."""
    nouns: list[str] = []
    while len(nouns) < count:
        noun = words.draw(rng, "person" if rng.random() < 0.3 else "role")
        if noun not in nouns:
            nouns.append(noun)
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


def _described(rng: random.Random, words: Vocabulary, noun: str) -> str:
    chance = rng.random()
    if chance < 0.22:
        return f"{words.draw(rng, 'adjective')} {noun}"
    return f"{words.draw(rng, 'numbered_adjective')} {noun}" if chance < 0.26 else noun


def _look(rng: random.Random, words: Vocabulary) -> str:
    chance = rng.random()
    if chance < 0.14:
        return f" {words.draw(rng, 'look')}"
    return f" {words.draw(rng, 'numbered_look')}" if chance < 0.18 else ""
