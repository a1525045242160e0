"""What follows a sentence: remarks on the same people, scenery, looks of the picture. They add nobody."""

import random

from datamodules.plans import phrases
from datamodules.plans.constructions import Construction, Family
from datamodules.plans.sentences import Sentence
from datamodules.plans.vocabulary import Vocabulary
from datamodules.plans.words.grammar import participle, third_person
from datamodules.tiny_world.wording import CAMERA_PHRASES, CAMERA_PHRASES_SINGLE


def with_remarks(sentence: Sentence, text: str, construction: Construction, visible: int) -> str:
    """The sentence with what may follow, in ordinary or careless writing.

    Args:
        sentence: who wrote the text, and knows what people are called.
        text: what was written.
        construction: what it was made from.
        visible: people to be drawn; 0 where nobody can be counted.
    """
    rng, words = sentence.rng, sentence.words
    if "{time}" not in construction.text and rng.random() < 0.13:
        when = phrases.time(rng, words)
        text = f"{when}, {text}" if rng.random() < 0.3 else f"{text} {when}"
    if visible and rng.random() < 0.14:
        text = f"{text}, {_camera(rng, visible)}"
    if rng.random() < 0.13:
        text = f"{text}, {', '.join(phrases.style(rng, words) for _ in range(rng.randrange(1, 4)))}"
    after = []
    if visible and rng.random() < 0.17:
        after.append(_same_people(rng, words, visible))
    if visible and sentence.again and rng.random() < 0.15:
        after += [_once_more(rng, words, *who) for who in sentence.again if rng.random() < 0.7]
    if rng.random() < 0.11:
        after.append(words.draw(rng, "scenery"))
    if after and rng.random() < 0.1:
        return _written(rng, " ".join(after[::-1]) + " " + _capital(text) + ".", construction.family)
    return _written(rng, f"{text}. {' '.join(after)}" if after else text, construction.family)


def _camera(rng: random.Random, visible: int) -> str:
    return rng.choice(CAMERA_PHRASES_SINGLE if visible == 1 else CAMERA_PHRASES)


def _same_people(rng: random.Random, words: Vocabulary, visible: int) -> str:
    """A remark on people who are there already."""
    activity = words.draw(rng, "activity")
    doing, does = participle(activity), third_person(activity)
    if visible == 1:
        who = rng.choice(("He", "She"))
        return rng.choice((f"{who} is {doing}.", f"{who} {does}.", f"{who} has {phrases.thing(rng, words)}."))
    options = [
        f"They {activity}.",
        f"They are {doing}.",
        f"Everyone is {doing}.",
        f"One of them {does}.",
        f"One of them holds {phrases.thing(rng, words)}.",
        f"Each of them has {phrases.thing(rng, words)}.",
        f"They are {words.draw(rng, 'look')}.",
    ]
    if visible == 2:
        other = participle(words.draw(rng, "activity"))
        options += ["Both are smiling.", f"Both are {doing}.", f"One is {doing}, the other is {other}."]
    else:
        count = phrases.number(rng, visible, 0.2)
        few = phrases.number(rng, rng.randrange(2, visible), 0.2)
        options += [
            f"All {count} are {doing}.",
            f"{few.capitalize()} of them are {doing}.",
            f"The oldest is {doing}, the others {activity}.",
            f"That makes {count} people.",
        ]
    return rng.choice(options)


def _once_more(rng: random.Random, words: Vocabulary, who: str, count: int) -> str:
    """A remark on one group, called by its noun again."""
    who, activity = _capital(who), words.draw(rng, "activity")
    if count == 1:
        return rng.choice((f"{who} {third_person(activity)}.", f"{who} is {participle(activity)}."))
    return rng.choice((f"{who} {activity}.", f"{who} are {participle(activity)}."))


def _written(rng: random.Random, text: str, family: Family) -> str:
    """Capitals and the full stop as strangers set them."""
    chance = rng.random()
    if chance < 0.2:
        text = text.lower()
    elif chance < 0.85:
        text = _capital(text)
    if text[-1] in ".?!" or rng.random() < 0.45:
        return text
    return text + "."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
