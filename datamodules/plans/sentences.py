"""Fills a construction's slots, so that the number of people it means is known."""

import random
import re
from dataclasses import dataclass, field
from typing import cast, get_args

from datamodules.plans import phrases, surroundings, uncounted
from datamodules.plans.constructions import GROUPS, REFUSED, SLOT, Construction
from datamodules.plans.doings import VerbForm, conjugated, deeds
from datamodules.plans.listings import BANDS, LISTS, listing
from datamodules.plans.vocabulary import Vocabulary
from datamodules.plans.words.activities import posture
from datamodules.plans.words.grammar import article, plural, third_person
from datamodules.plans.words.people import FEMALE, MALE

_ANIMALS_DO = ("playing", "sleeping", "running", "resting", "waiting", "looking around", "moving slowly")
_AHEAD = "\0"
"""Stands for "is" or "are" until the group that follows is known."""
_SEVERAL = 9
_WORD = re.compile(r"[\w'-]+")


@dataclass
class Numbers:
    """What a sentence is to say.

    Attributes:
        groups: people per group's slot; one entry where the sentence gives only a total.
        parts: the same people told a second time.
        hidden: people who are taken away.
    """

    groups: tuple[int, ...]
    parts: tuple[int, ...] = ()
    hidden: int = 0

    @property
    def visible(self) -> int:
        """Everybody who is to be drawn."""
        return sum(self.groups)


@dataclass
class Sentence:
    """Writes one sentence; slots agree with what was written before them.

    Attributes:
        rng: source of randomness.
        words: of the split.
        numbers: what it says.
        postures: the tiny world's action of each group, filled while writing.
        terms: how the number of each group comes about, likewise.
        again: what groups are called when they are mentioned again, and their number.
    """

    rng: random.Random
    words: Vocabulary
    numbers: Numbers
    postures: list[str] = field(default_factory=list)
    terms: list[tuple[int, ...]] = field(default_factory=list)
    again: list[tuple[str, int]] = field(default_factory=list)
    _called: list[str] = field(default_factory=list)
    _group: int = -1
    _part: int = -1
    _last: int = 1
    _possessive: str = "their"
    _ahead: list[str] = field(default_factory=list)
    _waiting: int = 0
    _groups: int = 0
    _plain: bool = False

    @property
    def pronoun(self) -> tuple[str, str]:
        """What the last person is called when mentioned again, and the possessive."""
        possessive = self.rng.choice(("her", "his")) if self._possessive == "their" else self._possessive
        return ("she", "her") if possessive == "her" else ("he", "his")

    def write(self, construction: Construction) -> str:
        """The sentence."""
        if not construction.groups and construction.family not in REFUSED:
            self._last = self.numbers.visible
        self._groups = len(construction.groups)
        self._plain = "{look}" in construction.text
        text = SLOT.sub(lambda match: self._fill(match.group(1)), construction.text)
        for verb in self._ahead:
            text = text.replace(_AHEAD, verb, 1)
        wanted = max(1, len(self.numbers.groups))
        self.postures = (self.postures + ["standing"] * wanted)[:wanted]
        return text

    def _fill(self, slot: str) -> str:
        if slot in GROUPS or slot.startswith("+"):
            return self._people(slot)
        if slot.startswith("="):
            self._part += 1
            self._last = self.numbers.parts[self._part]
            return phrases.number(self.rng, self._last) if slot == "=n" else self._counted(self._last)
        if slot in ("T", "N", "M", "M+1", "m", "k", "part", "more", "few", "big", "half", "part2"):
            return self._number(slot)
        if slot in ("kids", "objects", "animals"):
            kind = {
                "kids": "person" if self.rng.random() < 0.5 else "role",
                "objects": "object",
                "animals": "animal",
            }
            noun = self.words.draw(self.rng, kind[slot])
            if slot == "kids" and self.numbers.visible == 1:
                self._possessive = self._possessive_of(noun)
            return noun if self._last == 1 else plural(noun)
        return self._verb(slot) or self._everybody_again(slot) or self._uncounted(slot) or self._setting(slot)

    def _verb(self, slot: str) -> str | None:
        if slot == "are":
            self._waiting += 1
            return _AHEAD
        if slot in ("is", "isk"):
            return "is" if self._last == 1 else "are"
        return self._activity(cast(VerbForm, slot)) if slot in get_args(VerbForm) else None

    def _everybody_again(self, slot: str) -> str | None:
        if slot in LISTS:
            self._last = self.numbers.visible
            said = {word for who, _ in self.again for word in _WORD.findall(who)}
            kinds = ("woman",) if said & FEMALE else ("man",) if said & MALE else ("woman", "man")
            return listing(self.rng, self.words, slot, self._last, self.numbers.parts, kinds)
        return self.rng.choice(BANDS[self.numbers.visible]) if slot == "band" else None

    def _uncounted(self, slot: str) -> str | None:
        """People of no number, people who are not there, and whatever is nobody."""
        rng, words = self.rng, self.words
        if slot == "creature":
            text, self._last = uncounted.creature(rng, words)
            return text
        if slot == "away":
            return phrases.away(rng, words, self._possessive)
        if slot in ("several", "eight", "vague", "crowd", "theirs", "whom"):
            self._last = _SEVERAL
        if slot == "theirs":
            return uncounted.relatives(rng, words, self._possessive)
        if slot == "whom":
            return uncounted.whom(rng, words, [who for who, _ in self.again])
        return _UNCOUNTED[slot](rng, words) if slot in _UNCOUNTED else None

    def _people(self, slot: str) -> str:
        self._group += 1
        self.postures.append("standing")
        count = self._last = self.numbers.groups[self._group]
        self.terms.append((count,))
        text = self._called_by(slot, count)
        if len(self._ahead) < self._waiting:
            self._ahead.append("is" if count == 1 or text.startswith(("a ", "an ")) else "are")
        return text

    def _called_by(self, slot: str, count: int) -> str:
        if slot.startswith("+"):
            self._possessive = "their"
            return slot[3:]
        if slot == "person":
            called, self._possessive = phrases.name(self.rng, self.words, self._called)
            self._called.append(called)
            return called
        if slot in ("g", "s", "p"):
            return self._named(slot, count)
        if slot == "n":
            return phrases.number(self.rng, count)
        return phrases.others(self.rng, count) if slot == "others" else self._relatives(slot, count)

    def _relatives(self, slot: str, count: int) -> str:
        if slot == "rel2":
            self._possessive = self.rng.choice(("her", "his"))
        owned = "" if slot == "kin" else f"{self._possessive} "
        return owned + phrases.kin(self.rng, self.words, count)

    def _named(self, slot: str, count: int) -> str:
        if slot == "s" and self.rng.random() < 0.25:
            elder = self.words.draw(self.rng, "elder")
            self._possessive = self._possessive_of(elder)
            return article(elder) if self.rng.random() < 0.5 else f"the {elder}"
        alone = len(self.numbers.groups) == 1
        named = phrases.people(self.rng, self.words, count, alone=alone, dressed=not self._plain)
        self.terms[-1] = named.terms
        self._possessive = "their" if count > 1 else self._possessive_of(named.text)
        return self._remember(named, count)

    def _possessive_of(self, named: str) -> str:
        """That which fits one person's noun; nouns that fit anybody have any."""
        said = set(_WORD.findall(named))
        if bool(said & FEMALE) != bool(said & MALE):
            return "her" if said & FEMALE else "his"
        return self.rng.choice(("her", "his", "her", "his", "their"))

    def _counted(self, count: int) -> str:
        """A number and a noun."""
        self._last = count
        named = phrases.people(self.rng, self.words, count, varied=False)
        if self.numbers.visible == 1:
            self._possessive = self._possessive_of(named.text)
        return self._remember(named, count)

    def _remember(self, named: phrases.Named, count: int) -> str:
        if named.again is not None:
            self.again.append((named.again, count))
        return named.text

    def _activity(self, slot: VerbForm) -> str:
        # "Do" stands where the subject is plural, whoever was named last.
        count = 2 if slot == "do" else self._last
        # "Two waiting for a cook and a nurse" would not tell who is there.
        of_others = 0.06 if self._group >= self._groups - 1 and not self.numbers.parts else 0.0
        verbs = deeds(self.rng, self.words, count, self._possessive if count == 1 else "their", of_others)
        if self.postures:
            self.postures[-1] = posture(verbs[0])
        elif not self.numbers.parts:
            self.postures.append(posture(verbs[0]))
        return conjugated(verbs, slot, count)

    def _number(self, slot: str) -> str:
        rng, visible, hidden = self.rng, self.numbers.visible, self.numbers.hidden
        if slot == "big":
            self._last = 9
            return phrases.large_number(rng)
        if slot in ("N", "M", "M+1"):
            return self._counted(visible + (hidden if slot != "N" else 0))
        count = {
            "T": visible,
            "m": visible + hidden,
            "k": hidden or rng.randrange(1, 5),
            "part": rng.randrange(1, max(2, visible)),
            "part2": rng.randrange(2, 6),
            "more": visible + rng.randrange(1, 9),
            "few": rng.randrange(2, 9),
            "half": rng.randrange(4, 10),
        }[slot]
        self._last = count
        return phrases.number(rng, count)

    def _setting(self, slot: str) -> str:
        rng, words = self.rng, self.words
        if slot in _PHRASES:
            return _PHRASES[slot](rng, words)
        if slot == "look":
            return phrases.look(rng, words, self._last)
        if slot == "pet":
            return f"{self._possessive} {surroundings.pet(rng, words)}"
        if slot == "ing2":
            return rng.choice(_ANIMALS_DO)
        if slot == "towards":
            verb = words.draw(rng, "towards_finite")
            return third_person(verb) if self._last == 1 else verb
        return words.draw(rng, _KINDS[slot])


_UNCOUNTED = {
    "several": uncounted.several,
    "eight": uncounted.eight,
    "trace": uncounted.trace,
    "text": uncounted.no_picture,
}
_PHRASES = {
    "place": surroundings.place,
    "time": surroundings.time,
    "style": surroundings.style,
    "thing": surroundings.thing,
    "things": surroundings.things,
    "tag": surroundings.tag,
    "owner": phrases.owner,
}
_KINDS = {
    "toward": "towards",
    "by": "by",
    "media": "medium",
    "ask": "asking",
    "meanwhile": "meanwhile",
    "adj": "adjective",
    "empty": "empty",
    "crowd": "crowd",
    "vague": "vague",
    "design": "design",
}
