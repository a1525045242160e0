"""The simplest count: the first number word of a prompt. Nearly always right where a prompt names one group only."""

import re

from datamodules.plans.words.grammar import NUMBERS

_VALUES = {word: value for value, word in enumerate(NUMBERS)} | {
    "dozen": 12, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "hundred": 100, "hundreds": 100, "thousand": 1000, "thousands": 1000,
}  # fmt: skip
_NUMBER = re.compile(rf"\b(?:{'|'.join(_VALUES)}|\d+)\b", re.IGNORECASE)


def first_number(prompt: str) -> int:
    """The first number in words or digits; 1 if there is none.

    >>> first_number("three nurses and two patients"), first_number("a nurse in room 4"), first_number("a nurse")
    (3, 4, 1)
    """
    named = named_number(prompt)
    return 1 if named is None else named


def named_number(prompt: str) -> int | None:
    """The first number in words or digits; None if there is none."""
    found = _NUMBER.search(prompt)
    if found is None:
        return None
    return int(found.group()) if found.group().isdigit() else _VALUES[found.group().lower()]
