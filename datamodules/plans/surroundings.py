"""What is around people: animals, things, places, times, the style of the picture."""

import random
import re

from datamodules.plans.phrases import number
from datamodules.plans.vocabulary import Vocabulary
from datamodules.plans.words.grammar import article, plural

_TO_A_PLACE = re.compile(
    r"^(in front of|next to|at the edge of|in|on|at|by|under|around|beneath|beside|behind) ((a|an|the) )?"
)


def pet(rng: random.Random, words: Vocabulary) -> str:
    """Animals without a possessive: "dog", "three white cats"."""
    count = rng.choice((1, 1, 1, 2, 2, 3, 4, 5, 6))
    color = f"{words.draw(rng, 'color')} " if rng.random() < 0.3 else ""
    noun = words.draw(rng, "animal")
    return color + noun if count == 1 else f"{number(rng, count)} {color}{plural(noun)}"


def thing(rng: random.Random, words: Vocabulary, count: int | None = None) -> str:
    """Animals or objects; one to nine of them unless ``count`` says so. They may go by a word for people."""
    if rng.random() < 0.08:
        return words.draw(rng, "collection")
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
    """Where, sometimes with a number or with people in its name."""
    chance = rng.random()
    return words.draw(rng, "numbered_place" if chance < 0.15 else "named_place" if chance < 0.21 else "place")


def tag(rng: random.Random, words: Vocabulary) -> str:
    """Where, in a list of keywords: "office", "ski slope"."""
    return _TO_A_PLACE.sub("", words.draw(rng, "place"))


def time(rng: random.Random, words: Vocabulary) -> str:
    """When, often with a number in it."""
    return words.draw(rng, "numbered_time" if rng.random() < 0.5 else "time")


def style(rng: random.Random, words: Vocabulary) -> str:
    """How the picture looks."""
    return words.draw(rng, "numbered_style" if rng.random() < 0.25 else "style")
