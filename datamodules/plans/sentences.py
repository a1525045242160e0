"""Fills a construction's slots, so that the number of people it means is known."""

import random
from dataclasses import dataclass, field

from datamodules.plans import phrases
from datamodules.plans.constructions import GROUPS, SLOT, Construction
from datamodules.plans.vocabulary import Vocabulary
from datamodules.plans.words.activities import posture
from datamodules.plans.words.grammar import article, participle, plural, third_person

_ANIMALS_DO = ("playing", "sleeping", "running", "resting", "waiting", "looking around", "moving slowly")


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

    def write(self, construction: Construction) -> str:
        """The sentence."""
        text = SLOT.sub(lambda match: self._fill(match.group(1)), construction.text)
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
            return noun if self._last == 1 else plural(noun)
        return self._verb(slot) or self._setting(slot)

    def _verb(self, slot: str) -> str | None:
        if slot in ("is", "isk"):
            return "is" if self._last == 1 else "are"
        return self._activity(slot) if slot in ("ing", "do", "does") else None

    def _people(self, slot: str) -> str:
        self._group += 1
        self.postures.append("standing")
        count = self._last = self.numbers.groups[self._group]
        self.terms.append((count,))
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
        self._possessive = "their" if count > 1 else self.rng.choice(("her", "his", "her", "his", "their"))
        if slot == "s" and self.rng.random() < 0.25:
            elder = self.words.draw(self.rng, "elder")
            return article(elder) if self.rng.random() < 0.5 else f"the {elder}"
        named = phrases.people(self.rng, self.words, count, alone=len(self.numbers.groups) == 1)
        self.terms[-1] = named.terms
        return self._remember(named, count)

    def _counted(self, count: int) -> str:
        """A number and a noun."""
        self._last = count
        return self._remember(phrases.people(self.rng, self.words, count, varied=False), count)

    def _remember(self, named: phrases.Named, count: int) -> str:
        if named.again is not None:
            self.again.append((named.again, count))
        return named.text

    def _activity(self, slot: str) -> str:
        activity = self.words.draw(self.rng, "activity")
        if self.postures:
            self.postures[-1] = posture(activity)
        elif not self.numbers.parts:
            self.postures.append(posture(activity))
        if slot == "ing":
            return participle(activity)
        return third_person(activity) if slot == "does" and self._last == 1 else activity

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
        if slot == "thing":
            return phrases.thing(rng, words)
        if slot == "pet":
            return f"{self._possessive} {phrases.pet(rng, words)}"
        if slot == "ing2":
            return rng.choice(_ANIMALS_DO)
        if slot == "towards":
            verb = words.draw(rng, "towards_finite")
            return third_person(verb) if self._last == 1 else verb
        return words.draw(rng, _KINDS[slot])


_PHRASES = {
    "place": phrases.place,
    "time": phrases.time,
    "style": phrases.style,
    "things": phrases.things,
    "owner": phrases.owner,
}
_KINDS = {
    "toward": "towards",
    "by": "by",
    "media": "medium",
    "ask": "asking",
    "meanwhile": "meanwhile",
    "look": "look",
    "adj": "adjective",
    "empty": "empty",
    "crowd": "crowd",
    "vague": "vague",
}
