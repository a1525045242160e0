"""Phrases in which nobody can be counted: people of no number, animals, machines, traces, mere texts."""

import random
import string
from collections.abc import Sequence

from datamodules.plans import phrases
from datamodules.plans.vocabulary import Vocabulary
from datamodules.plans.words.grammar import article, form, plural

_QUANTIFIERS = (
    "several", "several", "some", "some", "a few", "many", "various", "a number of", "a group of", "a bunch of",
    "a handful of", "lots of", "a lot of", "a team of", "a crowd of", "numerous", "countless", "more and more",
    "all the", "quite a few", "plenty of", "a class of", "a line of", "an unknown number of", "groups of", "pairs of",
    "a circle of", "dozens of", "different",
)  # fmt: skip
_EIGHT = (
    "an octet of {}", "a nonet of {}", "a dozen {}", "two dozen {}", "a jury of twelve {}",
    "an eleven-person team of {}",
    "a group of ten {}", "a twelve-person crew of {}", "four pairs of {}", "five pairs of {}", "three trios of {}",
    "two quintets of {}", "two teams of five {}", "a hundred {}", "half a hundred {}", "eight or nine {}",
    "three rows of four {}", "a 10-person band of {}", "two groups of six {}",
)  # fmt: skip


def whom(rng: random.Random, words: Vocabulary, others_than: Sequence[str] = ()) -> str:
    """A bare plural that does not stand for everybody, nor for those who were named ("the nurses") already."""
    while (noun := words.draw(rng, "person" if rng.random() < 0.3 else "role")) in ("person", "adult") or any(
        called in (f"the {noun}", f"the {plural(noun)}") for called in others_than
    ):
        pass
    return plural(noun)


def several(rng: random.Random, words: Vocabulary) -> str:
    """People of no number: "several tired nurses", "a group of engineers", "children in hats"."""
    quantifier = f"{rng.choice(_QUANTIFIERS)} " if rng.random() < 0.8 else ""
    adjective = f"{words.draw(rng, 'adjective')} " if rng.random() < 0.15 else ""
    look = f" {form(words.draw(rng, 'look'), 2)}" if rng.random() < 0.12 else ""
    noun = "people" if rng.random() < 0.06 else whom(rng, words)
    return f"{quantifier}{adjective}{noun}{look}"


def relatives(rng: random.Random, words: Vocabulary, whose: str) -> str:
    """Relatives of no number: "her children", "some of his cousins"."""
    start = rng.choice(("", "", "", "some of ", "a few of ", "all ", "several of "))
    adjective = f"{words.draw(rng, 'adjective')} " if rng.random() < 0.15 else ""
    return f"{start}{whose} {adjective}{plural(words.draw(rng, 'kin'))}"


def eight(rng: random.Random, words: Vocabulary) -> str:
    """More than seven people under a word that holds their number."""
    return rng.choice(_EIGHT).format(whom(rng, words))


def creature(rng: random.Random, words: Vocabulary) -> tuple[str, int]:
    """Animals or machines, and their number."""
    noun = words.draw(rng, "animal" if rng.random() < 0.5 else "machine")
    color = f"{words.draw(rng, 'color')} " if rng.random() < 0.25 else ""
    count = rng.choice((1, 1, 1, 1, 2, 2, 3, 4, 5, 6))
    if count == 1:
        return article(color + noun), 1
    start = rng.choice(("", "a group of ", "a team of ")) if count > 2 and rng.random() < 0.2 else ""
    return f"{start}{phrases.number(rng, count)} {color}{plural(noun)}", count


def trace(rng: random.Random, words: Vocabulary) -> str:
    """What tells of people who are not there: "a statue of a queen", "the footprints of two children"."""
    return words.draw(rng, "absent_thing").format(away=phrases.away(rng, words, "his"))


def no_picture(rng: random.Random, words: Vocabulary) -> str:
    """A text that asks for no picture, or no text at all."""
    if rng.random() < 0.4:
        return words.draw(rng, "no_picture")
    letters = rng.choice(
        (string.ascii_lowercase, "asdfghjkl", "qwertyuiop", string.ascii_lowercase + string.digits)
    )
    return " ".join(
        "".join(rng.choice(letters) for _ in range(rng.randrange(2, 9))) for _ in range(rng.randrange(1, 6))
    )
