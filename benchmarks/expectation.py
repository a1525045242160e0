"""What a figure is expected to reach: written in a suite as ``>= 1.75``, shown with the verdict beside the figure."""

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
