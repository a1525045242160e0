"""The type checker that shapes are checked with while tests run."""

from collections.abc import Callable

from beartype import BeartypeConf, beartype
from beartype.roar import BeartypeDecorHintPep673Exception

_CONF = BeartypeConf(is_pep484_tower=True)  # an int is a float, as to Python's typing


def checked(function: Callable) -> Callable:
    """``function`` with arguments and result checked; as it is where it names ``Self``, which needs the whole class."""
    try:
        return beartype(conf=_CONF)(function)
    except BeartypeDecorHintPep673Exception:
        return function
