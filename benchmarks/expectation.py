"""What is expected of a figure, written in a suite and shown with the verdict beside the figure.

A bound on the figure itself is written ``>= 1.75``; one on its change against another method ``+0.15`` or ``-5%``.
"""

import re
from dataclasses import dataclass
from typing import Self

_SIGNS = {">=": "≥", "<=": "≤", "==": "="}


@dataclass(frozen=True)
class Expectation:
    """A bound on one figure.

    Attributes:
        relation: ``>=``, ``<=`` or ``==``.
        bound: what the figure is compared with.
    """

    relation: str
    bound: float

    @classmethod
    def of(cls, text: str | None) -> Self | None:
        """Read ``>= 1.75``; None stays None.

        Raises:
            ValueError: if the text is not a relation and a number.
        """
        if text is None:
            return None
        found = re.fullmatch(r"\s*(>=|<=|==)\s*([-+]?\d+(?:\.\d+)?)\s*", text)
        if found is None:
            raise ValueError(f"expected: {text!r}; write a relation and a number, for example '>= 1.75'")
        return cls(found[1], float(found[2]))

    def __str__(self) -> str:
        return f"{_SIGNS[self.relation]} {self.bound:g}"

    def met(self, value: float) -> bool:
        """Whether ``value``, as measured and not as rounded, keeps the bound."""
        if self.relation == ">=":
            return value >= self.bound
        return value <= self.bound if self.relation == "<=" else value == self.bound


@dataclass(frozen=True)
class Gain:
    """The least change of a figure.

    Attributes:
        bound: in the figure's unit, or in percent of the other method's figure.
        relative: whether it is percent.
    """

    bound: float
    relative: bool = False

    @classmethod
    def of(cls, text: str) -> Self:
        """Read ``+0.15`` (at least so much above) or ``-5%`` (at most so much below).

        Raises:
            ValueError: if the text is no signed number.
        """
        found = re.fullmatch(r"\s*([-+]\d+(?:\.\d+)?)\s*(%?)\s*", text)
        if found is None:
            raise ValueError(f"{text!r}; write a change with its sign, for example '+0.15' or '-5%'")
        return cls(float(found[1]), bool(found[2]))

    def __str__(self) -> str:
        return f"≥ {self.bound:+g}{' %' if self.relative else ''}"

    def met(self, value: float, other: float, spread: float = 0.0) -> bool:
        """Whether the change keeps the bound; one that is to be gained must also exceed the spread over seeds."""
        change = value - other
        measured = 100 * change / abs(other) if self.relative and other else change
        return measured >= self.bound and (self.bound <= 0 or change > spread)


def bound_of(text: str) -> Expectation | Gain:
    """A bound on a figure, ``>= 0.7``, or on its change, ``+0.15`` or ``-5%``.

    Raises:
        ValueError: if the text is neither.
    """
    bound = Expectation.of(text) if text.lstrip()[:1] in {">", "<", "="} else Gain.of(text)
    assert bound is not None  # only a missing text states none
    return bound
