"""What follows a sentence: remarks on the same people, scenery, looks of the picture. They add nobody."""

import random
from collections.abc import Callable

from datamodules.plan_files import MAX_PEOPLE
from datamodules.plans import phrases, surroundings
from datamodules.plans.constructions import SLOT, Construction
from datamodules.plans.doings import doing
from datamodules.plans.sentences import Sentence
from datamodules.plans.vocabulary import Vocabulary
from datamodules.plans.words import captions
from datamodules.tiny_world.wording import CAMERA_PHRASES, CAMERA_PHRASES_SINGLE

_BARE, _LONG = 0.12, 0.13
_QUESTIONS = ("could you", "can you")
_WITHOUT_REMARKS = ("{text}",)


def with_remarks(sentence: Sentence, text: str, construction: Construction, people: int | None) -> str:
    """The sentence with what may follow, in ordinary or careless writing.

    Args:
        sentence: who wrote the text, and knows what people are called.
        text: what was written.
        construction: what it was made from.
        people: how many there are; 0 where nobody is there, None where they cannot be counted.
    """
    rng, words = sentence.rng, sentence.words
    length = rng.random()
    if length < _BARE or construction.text in _WITHOUT_REMARKS:
        return _written(rng, text)
    long = length > 1 - _LONG
    if "{time}" not in construction.text and rng.random() < 0.13:
        when = surroundings.time(rng, words)
        text = f"{when}, {text}" if rng.random() < 0.3 else f"{text} {when}"
    if people != 0 and rng.random() < 0.14:
        text = f"{text}, {rng.choice(CAMERA_PHRASES_SINGLE if people == 1 else CAMERA_PHRASES)}"
    if rng.random() < 0.13:
        text = f"{text}, {', '.join(surroundings.style(rng, words) for _ in range(rng.randrange(1, 4)))}"
    after = []
    if people != 0 and rng.random() < (0.6 if long else 0.17):
        after.append(_same_people(rng, words, people, sentence.pronoun, "camera" in text))
    if people and sentence.again and rng.random() < (0.4 if long else 0.15):
        after += [_once_more(rng, words, *who) for who in sentence.again if rng.random() < 0.7]
    if rng.random() < (0.5 if long else 0.11):
        after.append(words.draw(rng, "scenery"))
    if long:
        after += _caption(rng, words)
    if after and rng.random() < 0.1:
        return _written(rng, " ".join(after[::-1]) + " " + _ended(_capital(text)))
    return _written(rng, f"{_ended(text)} {' '.join(after)}" if after else text)


def _caption(rng: random.Random, words: Vocabulary) -> list[str]:
    """One to four sentences on the place, then one or two on the picture."""
    place = [words.draw(rng, "atmosphere") for _ in range(rng.choice((1, 2, 2, 3, 4)))]
    picture = [words.draw(rng, "technique") for _ in range(rng.choice((0, 1, 1, 2)))]
    return list(dict.fromkeys(place + picture))


def _same_people(
    rng: random.Random, words: Vocabulary, people: int | None, pronoun: tuple[str, str], on_camera: bool
) -> str:
    """A remark on people who are there already."""
    kinds = {0: captions.OF_UNCOUNTED, 1: captions.OF_ONE, 2: captions.OF_TWO}
    count = people or MAX_PEOPLE + 1
    (he, his), whose = pronoun, pronoun[1] if count == 1 else "their"
    fills: dict[str, Callable[[], str]] = {
        "He": he.capitalize,
        "His": his.capitalize,
        "his": lambda: his,
        "thing": lambda: surroundings.thing(rng, words),
        "one": lambda: surroundings.thing(rng, words, 1),
        "count": lambda: phrases.number(rng, count, 0.2),
        "Few": lambda: phrases.number(rng, rng.randrange(2, max(3, count)), 0.2).capitalize(),
        "do": lambda: doing(rng, words, 2, "do"),
        "ing2": lambda: doing(rng, words, 2),
        "does": lambda: doing(rng, words, 1, "does", whose),
        "ing": lambda: doing(rng, words, 1, "ing", whose),
    }
    remark = rng.choice(kinds.get(people or 0, captions.OF_MORE))
    if "camera" in remark and on_camera:
        remark = remark.replace("looks at the camera", "smiles").replace(
            "looks away from the camera", "is calm"
        )
    return SLOT.sub(lambda slot: fills[slot.group(1)](), remark)


def _once_more(rng: random.Random, words: Vocabulary, who: str, count: int) -> str:
    """A remark on one group, called by its noun again."""
    is_ = "is" if count == 1 else "are"
    options = [
        f"{who} {doing(rng, words, count, 'does')}.",
        f"{who} {is_} {doing(rng, words, count)}.",
        f"{who} {is_} in focus, the rest is blurred.",
        f"The light falls on {who}.",
    ]
    if count > 1:
        options.append(f"One of {who} {doing(rng, words, 1, 'does')}.")
    return _capital(rng.choice(options))


def _written(rng: random.Random, text: str) -> str:
    """Capitals and the full stop as strangers set them."""
    chance = rng.random()
    if chance < 0.2:
        text = text.lower()
    elif chance < 0.85:
        text = _capital(text)
    if text[-1] in ".?!":
        return text
    if rng.random() < 0.45:
        return text + "," if rng.random() < 0.03 else text
    return _ended(text)


def _ended(text: str) -> str:
    return text if text[-1] in ".?!" else text + ("?" if text.lower().startswith(_QUESTIONS) else ".")


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
