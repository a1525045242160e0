"""What people do: verb phrases that fit one person or several, sometimes two at once, sometimes about absent people."""

import random
from typing import Literal, TypeAlias

from datamodules.plans import phrases
from datamodules.plans.vocabulary import Vocabulary
from datamodules.plans.words.grammar import form, participle, third_person

VerbForm: TypeAlias = Literal["do", "does", "ing"]
_TWO_AT_ONCE, _OF_OTHERS = 0.05, 0.06


def deeds(
    rng: random.Random, words: Vocabulary, count: int, whose: str = "their", of_others: float = _OF_OTHERS
) -> tuple[str, ...]:
    """Verb phrases without subject; two of them where people do two things ("sit on a bench", "laugh").

    Args:
        rng: source of randomness.
        words: of the split.
        count: people who do it; one person does not shake hands.
        whose: the possessive of these people ("her").
        of_others: how often it concerns somebody absent ("wait for three friends"); 0 where people follow who count.
    """
    if rng.random() < of_others:
        return (words.draw(rng, "absent_deed").format(away=phrases.away(rng, words, whose)),)
    first = _deed(rng, words, count)
    if rng.random() > _TWO_AT_ONCE or " and " in first or "," in first:
        return (first,)
    second = _deed(rng, words, count)
    return (first,) if second == first else (first, second)


def conjugated(verbs: tuple[str, ...], verb_form: VerbForm, count: int) -> str:
    """The verb phrases for a number of people.

    >>> conjugated(("read", "drink coffee"), "does", 1), conjugated(("read", "drink coffee"), "ing", 2)
    ('reads and drinks coffee', 'reading and drinking coffee')
    """
    if verb_form == "ing":
        verbs = tuple(participle(verb) for verb in verbs)
    elif verb_form == "does" and count == 1:
        verbs = tuple(third_person(verb) for verb in verbs)
    return " and ".join(verbs)


def doing(
    rng: random.Random, words: Vocabulary, count: int, verb_form: VerbForm = "ing", whose: str = "their"
) -> str:
    """Both in one."""
    return conjugated(deeds(rng, words, count, whose), verb_form, count)


def _deed(rng: random.Random, words: Vocabulary, count: int) -> str:
    while (found := form(words.draw(rng, "activity"), count)) == "-":
        pass
    return found
