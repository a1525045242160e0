"""The answer of Architect-A as tokens: how the count comes about, then ``<SoL> <C> ... <C> <EoL>`` (section 3.3.1).

    3 + 2 = 5 <SoL> <C> <C> <C> <C> <C> <EoL>
    5 + 4 = 9 <EoL>
    many <EoL>

The three layout tokens follow the vocabulary of the language model. The tally in front is ours: it makes the model say
what it added, and lets arithmetic be checked; without it the answer is the paper's, and ``<EoL>`` alone refuses.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import torch
from jaxtyping import Int
from torch import Tensor

from datamodules.plan_files import MAX_PEOPLE

Refusal: TypeAlias = Literal["nobody", "many", "open"]
LAYOUT_TOKENS = 3
REFUSAL_TALLIES: dict[str, Refusal] = {"0": "nobody", "many": "many", "some": "open"}
LARGEST = 20
"""The largest number that a tally can hold; those above seven are refused."""
_TERMS = re.compile(r"\d+(\s*[+-]\s*\d+)*")


@dataclass(frozen=True)
class LayoutTokens:
    """Ids of what an answer may hold: words of tallies, and the layout tokens behind the vocabulary.

    Attributes:
        words: size of the vocabulary.
        spoken: the words that tallies are made of, ascending.
    """

    words: int
    spoken: tuple[int, ...] = ()

    @cached_property
    def said(self) -> Int[Tensor, " v"]:
        """All that an answer may hold, in the order of its scores: words of tallies, start, end, box."""
        return torch.tensor([*self.spoken, self.start, self.end, self.box], device="cpu")

    @property
    def start(self) -> int:
        """``<SoL>``, start of the layout."""
        return self.words

    @property
    def end(self) -> int:
        """``<EoL>``, end of the layout."""
        return self.words + 1

    @property
    def box(self) -> int:
        """``<C>``, one person's box."""
        return self.words + 2

    def answer(self, tally: list[int], count: int | None) -> list[int]:
        """The answer for ``count`` people; only ``<EoL>`` follows the tally where there is nobody to place.

        Raises:
            ValueError: if the tally holds what no tally is made of.
        """
        if strange := set(tally) - set(self.spoken):
            raise ValueError(f"tally: holds the words {sorted(strange)}, of which no tally is made")
        if count is None:
            return [*tally, self.end]
        return [*tally, self.start, *[self.box] * count, self.end]


@dataclass(frozen=True)
class Tally:
    """What the words in front of a layout say.

    Attributes:
        count: people to place, if the words tell.
        refusal: why nobody is placed, if the words say that.
        mended: whether a wrong sum was put right.
    """

    count: int | None = None
    refusal: Refusal | None = None
    mended: bool = False


def words_of_tallies(write: Callable[[str], Sequence[int]]) -> tuple[int, ...]:
    """The words of every tally with numbers up to ``LARGEST``.

    Args:
        write: the words of a text.
    """
    return tuple(sorted({word for text in _tallies() for word in write(text)}))


def _tallies() -> Iterator[str]:
    yield from REFUSAL_TALLIES
    for number in range(LARGEST + 1):
        yield f"{number} + {number} - {number} = {number}"


def refusal_of(tally: str) -> Refusal | None:
    """Why nobody is placed after a tally; None where somebody is, or where the words are no tally.

    >>> refusal_of("5 + 4 = 9"), refusal_of("some"), refusal_of("3 + 2 = 5")
    ('many', 'open', None)
    """
    read = read_tally(tally)
    return None if read is None else read.refusal


def read_tally(text: str) -> Tally | None:
    """Read "3 + 2 = 5"; the terms count, not the sum. None if the text is no tally.

    >>> read_tally("3 + 2 = 5"), read_tally("3 + 2 = 6")
    (Tally(count=5, refusal=None, mended=False), Tally(count=5, refusal=None, mended=True))
    >>> read_tally("many"), read_tally("five")
    (Tally(count=None, refusal='many', mended=False), None)
    """
    text = text.strip()
    if text in REFUSAL_TALLIES:
        return Tally(refusal=REFUSAL_TALLIES[text])
    terms, _, total = (part.strip() for part in text.partition("="))
    count = sum_of(terms)
    if count is None:
        return None
    mended = bool(total) and total != str(count)
    if count < 1:
        return Tally(refusal="nobody", mended=mended)
    if count > MAX_PEOPLE:
        return Tally(refusal="many", mended=mended)
    return Tally(count, mended=mended)


def sum_of(terms: str) -> int | None:
    """What terms add up to; None if the text is something else.

    >>> sum_of("3 + 2"), sum_of("8 - 3"), sum_of("3 + 2 = 5")
    (5, 5, None)
    """
    if not _TERMS.fullmatch(terms):
        return None
    return sum(int(term.replace(" ", "")) for term in re.findall(r"[+-]?\s*\d+", terms))
