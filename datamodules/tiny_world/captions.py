"""Captions in many wordings, with the characters that mean each group of people.

Every count in a caption is true; a person's span is the noun phrase that names the person alone or together with
the rest of the group ("two women in red"). Captions stay within 36 word pieces of the MiniLM tokenizer.
"""

import random
import re
from dataclasses import dataclass

from datamodules.tiny_world.compositions import Composition, Group
from datamodules.tiny_world.environments import ENVIRONMENTS
from datamodules.tiny_world.outfits import ROLES
from datamodules.tiny_world.staging import CastMember
from datamodules.tiny_world.wording import (
    ACTION_PHRASES,
    CAMERA_PHRASES,
    CAMERA_PHRASES_SINGLE,
    article,
    looks,
    noun,
    number,
)

MAX_WORDS = 24
_ATTEMPTS = 12
_OPEN, _CLOSE = "\x01", "\x02"
"""Marks around a group's noun phrase while a caption is being put together."""
_ONE = (
    "{g} {act} {env}",
    "{g} {act} {env}",
    "{g} {be} {act} {env}",
    "{env}, {g} {be} {act}",
    "{env}, {g} {act}",
    "there {be} {g} {act} {env}",
    "a photo of {g} {act} {env}",
    "a picture of {g} {act} {env}",
    "an image showing {g} {act} {env}",
    "{env}: {g} {act}",
    "{g} {env}, {act}",
)
_ONE_PLURAL = ("{g}, all {act}, {env}", "{g} together {env}, all {act}", "{g} {be} all {act} {env}")
_MANY = (
    "{list} {env}",
    "{list} {env}",
    "{env}, {list}",
    "{env}: {list}",
    "a photo of {list} {env}",
    "a picture of {list} {env}",
    "an image with {list} {env}",
    "{total} people {env}: {list}",
    "there are {total} people {env}: {list}",
)
_MANY_SAME = (
    "{names} {act} {env}",
    "{names} are {act} {env}",
    "{env}, {names} are {act}",
    "{names}, all {act}, {env}",
    "a photo of {names} {act} {env}",
)


@dataclass(frozen=True)
class Caption:
    """A prompt and, for each group, the character range of its noun phrase."""

    prompt: str
    spans: tuple[tuple[int, int], ...]

    def description(self, group: int) -> str:
        """The words that mean a group."""
        start, end = self.spans[group]
        return self.prompt[start:end]


def write_caption(rng: random.Random, composition: Composition, members: list[CastMember]) -> Caption:
    """Describe a composition; wording, order of parts and attributes vary."""
    best: Caption | None = None
    shortest = 0
    for attempt in range(_ATTEMPTS):
        text = _compose_text(
            rng, composition, members, max_looks=2 if attempt < 4 else 1 if attempt < 8 else 0
        )
        caption = _extract_spans(text, len(composition.groups))
        length = len(re.findall(r"\w+|[^\w\s]", caption.prompt))
        if best is None or length < shortest:
            best, shortest = caption, length
        if length <= MAX_WORDS:
            break
    assert best is not None
    return best


def _compose_text(
    rng: random.Random, composition: Composition, members: list[CastMember], max_looks: int
) -> str:
    """The caption; a control character and the group's index open each noun phrase, another closes it."""
    groups = composition.groups
    digits = rng.random() < 0.25
    parts = {
        "env": rng.choice(ENVIRONMENTS[composition.environment].phrases),
        "total": number(rng, composition.count, digits),
        "be": "is" if composition.count == 1 else "are",
        "act": rng.choice(ACTION_PHRASES[groups[0].action]),
    }
    same = len({group.action for group in groups}) == 1
    if len(groups) > 1 and not same and all(g.noun == "person" for g in groups) and rng.random() < 0.6:
        text = _of_them(rng, groups, parts, digits)
    else:
        names = [
            f"{_OPEN}{k}{_name(rng, group, [m for m in members if m.group == k], digits, max_looks)}{_CLOSE}"
            for k, group in enumerate(groups)
        ]
        text = _fill(rng, groups, names, parts, same)
    if composition.frontal:
        text = _with_camera(rng, text, composition.count)
    return text[0].upper() + text[1:] if text[0] != _OPEN and rng.random() < 0.5 else text


def _fill(
    rng: random.Random, groups: tuple[Group, ...], names: list[str], parts: dict[str, str], same: bool
) -> str:
    if len(groups) == 1:
        templates = _ONE if groups[0].count == 1 else _ONE + _ONE_PLURAL
        return rng.choice(templates).format(g=names[0], **parts)
    if same and rng.random() < 0.75:
        return rng.choice(_MANY_SAME).format(names=_enumerate(names), **parts)
    acts = [f"{name} {rng.choice(ACTION_PHRASES[g.action])}" for name, g in zip(names, groups, strict=True)]
    return rng.choice(_MANY).format(list=_enumerate(acts), **parts)


def _of_them(rng: random.Random, groups: tuple[Group, ...], parts: dict[str, str], digits: bool) -> str:
    """For example: "five people in a park, two of them waving and the others sitting"."""
    people = noun(rng, "person", 2)
    pieces = []
    for k, group in enumerate(groups):
        act = rng.choice(ACTION_PHRASES[group.action])
        if k == 0:
            who = f"{number(rng, group.count, digits)} of them"
        elif k == len(groups) - 1 and rng.random() < 0.6:
            who = "the other" if group.count == 1 else rng.choice(("the others", "the rest"))
        else:
            who = number(rng, group.count, digits)
        pieces.append(f"{_OPEN}{k}{who}{_CLOSE} {act}")
    return f"{parts['total']} {people} {parts['env']}, {_enumerate(pieces)}"


def _name(rng: random.Random, group: Group, members: list[CastMember], digits: bool, max_looks: int) -> str:
    """Noun phrase of a group with number and attributes."""
    word = noun(rng, group.noun, group.count)
    if group.count > 1:
        dressed = ""
        if group.color is not None and max_looks > 0:
            dressed = rng.choice(
                (f" in {group.color}", f" wearing {group.color}", f" dressed in {group.color}")
            )
        return f"{number(rng, group.count, digits)} {word}{dressed}"
    member = members[0]
    before, after = looks(rng, member.identity, member.outfit, group.noun in ROLES)
    wanted = rng.choice((0, 1, 1, 2, 2)) if max_looks else 0
    wanted = min(wanted, max_looks)
    picked_before = before[:1] if wanted and rng.random() < 0.6 else []
    picked_after = after[: wanted - len(picked_before)]
    phrase = " ".join([*picked_before, word])
    start = number(rng, 1, digits) if digits or rng.random() < 0.25 else None
    first = f"{start} {phrase}" if start else article(phrase)
    return " ".join([first, *_join_after(picked_after)])


def _join_after(phrases: list[str]) -> list[str]:
    """Two attributes are joined by "and" where both begin with the same preposition."""
    if len(phrases) == 2 and phrases[0].split()[0] == phrases[1].split()[0]:
        return [phrases[0], "and", " ".join(phrases[1].split()[1:])]
    return phrases


def _enumerate(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _with_camera(rng: random.Random, text: str, count: int) -> str:
    if count == 1:
        return f"{text}, {rng.choice(CAMERA_PHRASES_SINGLE)}"
    phrase = rng.choice(CAMERA_PHRASES)
    if " is " in phrase or " looks " in phrase:
        return f"{text}. {phrase[0].upper()}{phrase[1:]}" if rng.random() < 0.5 else f"{text}, {phrase}"
    return f"{text}, {phrase}"


def _extract_spans(text: str, groups: int) -> Caption:
    """Remove the marks and remember where they were."""
    spans = [(0, 0)] * groups
    plain: list[str] = []
    start = length = group = 0
    position = 0
    while position < len(text):
        symbol = text[position]
        if symbol == _OPEN:
            group, start = int(text[position + 1]), length
            position += 2
            continue
        if symbol == _CLOSE:
            spans[group] = (start, length)
        else:
            plain.append(symbol)
            length += 1
        position += 1
    return Caption("".join(plain), tuple(spans))
