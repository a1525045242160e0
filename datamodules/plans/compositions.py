"""Combinations of numbers: the tally that says how a count comes about, and which combinations training never sees."""

import hashlib
from collections.abc import Iterable, Sequence

from datamodules.plan_files import MAX_PEOPLE
from datamodules.plans.sentences import Numbers

Composition = tuple[object, ...]
_SHARE = 1 / 6


def tally_of(terms: Sequence[int], hidden: int = 0) -> str:
    """How the count comes about.

    >>> tally_of((3, 2)), tally_of((4,), hidden=1), tally_of((4,))
    ('3 + 2 = 5', '5 - 1 = 4', '4')
    """
    total = sum(terms)
    if hidden:
        return f"{total + hidden} - {hidden} = {total}"
    return f"{' + '.join(map(str, terms))} = {total}" if len(terms) > 1 else str(total)


def is_held_out(terms: Sequence[int], numbers: Numbers) -> bool:
    """Whether training never sees this combination of numbers.

    Args:
        terms: of the tally.
        numbers: parts that are told a second time, and people who are taken away.
    """
    if numbers.hidden:
        return ("minus", numbers.visible + numbers.hidden, numbers.hidden) in HELD_OUT_COMPOSITIONS
    if numbers.parts:
        return ("parts", *numbers.parts) in HELD_OUT_COMPOSITIONS
    return ("sum", *terms) in HELD_OUT_COMPOSITIONS


def divisions(total: int, terms: int) -> list[tuple[int, ...]]:
    """All ways to write a number as a sum of so many, in order.

    >>> divisions(4, 2)
    [(1, 3), (2, 2), (3, 1)]
    """
    if terms == 1:
        return [(total,)]
    return [
        (first, *rest)
        for first in range(1, total - terms + 2)
        for rest in divisions(total - first, terms - 1)
    ]


def _drawn_lots(compositions: Iterable[Composition]) -> list[Composition]:
    """A sixth, and at least one. A checksum would tell neighbouring numbers apart by rule; a digest does not."""
    ranked = sorted(compositions, key=lambda c: hashlib.sha256(repr(c).encode()).digest())
    return ranked[: max(1, round(_SHARE * len(ranked)))]


def _held_out() -> frozenset[Composition]:
    """A sixth of every total's sums of so many terms, so that no total and no length of a sum is spared.

    What people say every day is trained: sums up to three, and sums of ones alone ("Anna, Ben and Leo"). So is the
    largest number of each place (6 + 1), which no other sum of the same length has there.
    """
    chosen: list[Composition] = []
    for total in range(4, MAX_PEOPLE + 1):
        for terms in range(2, total):
            for kind in ("sum", "parts"):
                free = [d for d in divisions(total, terms) if max(d) <= MAX_PEOPLE - terms]
                chosen += _drawn_lots((kind, *division) for division in free)
    for visible in (1, *range(3, MAX_PEOPLE)):
        chosen += _drawn_lots(("minus", visible + hidden, hidden) for hidden in range(1, 5))
    return frozenset(chosen)


HELD_OUT_COMPOSITIONS = _held_out()
"""("sum", 3, 1), ("parts", 1, 5), ("minus", 6, 2): combinations that only ``test_compositions`` uses."""
