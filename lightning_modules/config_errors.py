"""One line instead of a page when a configuration does not parse: which key, where, and what was probably meant."""

import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, NoReturn

from jsonargparse import ArgumentError
from lightning.pytorch.cli import LightningArgumentParser
from omegaconf.errors import InterpolationKeyError, OmegaConfBaseException

_UNKNOWN_OPTION = re.compile(
    r"(?:Subcommand|Group) '(?P<owner>[\w.]+)' does not accept option '(?P<key>[^']+)'"
)
_UNKNOWN_FIELD = re.compile(r"Option '(?P<key>[^']+)' is not accepted$")
_UNKNOWN_FLAG = re.compile(r"[Uu]nrecognized arguments: --(?P<key>[\w.]+)")
_UNKNOWN_NAME = re.compile(r"module '(?P<module>[\w.]+)' has no attribute '(?P<key>\w+)'")
_WHERE = re.compile(r"""^(?:Parser key "([^"]+)"|Problem with given class_path '([^']+)'):""")
_BRACKETING = ("Does not validate against", "Subtypes:", "Errors:", "Given value type:")
_MAX_LISTED = 12


class ConciseParser(LightningArgumentParser):
    """Lightning's parser, saying what is wrong in one line and naming the nearest valid key."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Exit with status 2 and one line, or raise where a nested parser reports to its parent."""
        owner = getattr(ex, "subcommand_parser", None) or self
        message = with_suggestion(message, known_keys(owner))
        if not self.exit_on_error:
            raise ArgumentError(None, message) from ex
        sys.stderr.write(f"error: {in_one_line(message)}\n")
        raise SystemExit(2)


def known_keys(parser: LightningArgumentParser) -> list[str]:
    """Dotted names of everything a parser accepts, required arguments included."""
    return [action.dest for action in parser._actions if action.dest not in {"help", "subcommand"}]


def with_suggestion(message: str, keys: Iterable[str]) -> str:
    """The same message with the nearest valid name, if it complains about an unknown one.

    Args:
        message: what jsonargparse says.
        keys: dotted names that are accepted where the error arose.
    """
    if found := _UNKNOWN_NAME.search(message):
        names = [n for n in vars(sys.modules[found["module"]]) if not n.startswith("_")]
        return message.replace(found[0], f"{found[0]}; {nearest(found['key'], names)}")
    if found := _UNKNOWN_OPTION.search(message):
        owner = "" if message.startswith("Subcommand") else f"{found['owner']}."
        key = owner + found["key"]
    elif found := _UNKNOWN_FIELD.search(message) or _UNKNOWN_FLAG.search(message):
        key = found["key"]
    else:
        return message
    return f"unknown key '{key}'; {nearest(key, keys)}"


def nearest(wrong: str, keys: Iterable[str]) -> str:
    """What was probably meant by a dotted key: the sibling most like its first unknown part.

    >>> nearest("trainer.max_epoch", ["trainer", "trainer.max_epochs", "trainer.max_steps", "model"])
    "did you mean 'trainer.max_epochs'?"
    >>> nearest("modell.x", ["trainer.max_epochs", "model"])
    "did you mean 'model'?"
    """
    parts = [key.split(".") for key in keys]
    prefixes = {".".join(p[:n]) for p in parts for n in range(1, len(p) + 1)}
    steps = wrong.split(".")
    known = 0
    while known < len(steps) - 1 and ".".join(steps[: known + 1]) in prefixes:
        known += 1
    parent = "".join(f"{step}." for step in steps[:known])
    siblings = sorted(
        p[len(parent) :] for p in prefixes if p.startswith(parent) and "." not in p[len(parent) :]
    )
    if close := get_close_matches(steps[known], siblings, n=1):
        return f"did you mean '{parent}{close[0]}'?"
    # A key put at the wrong depth: the same last word elsewhere.
    if elsewhere := sorted(p for p in prefixes if p.rsplit(".", 1)[-1] == steps[-1]):
        return f"did you mean '{elsewhere[0]}'?"
    more = ", …" if len(siblings) > _MAX_LISTED else ""
    return f"accepted here: {', '.join(siblings[:_MAX_LISTED]) or 'nothing'}{more}"


def in_one_line(message: str) -> str:
    """Leave out what a reader of the configuration cannot act on: union types tried, page-long values."""
    lines = [line.strip().removeprefix("- ") for line in message.splitlines()]
    lines = [line for line in lines if line and not line.startswith(_BRACKETING)]
    lines = [line for line in lines if line != "Expected a <class 'NoneType'>"]
    decisive = [i for i, line in enumerate(lines) if "; did you mean" in line or "; accepted here" in line]
    if decisive:
        lines = [line for line in lines[: decisive[0] + 1] if not line.startswith("Expected a <class")]
    lines = [_WHERE.sub(lambda found: f"{found[1] or found[2]}:", line) for line in lines]
    lines = [line if len(line) <= 300 else line[:300] + " …" for line in lines]
    return " ".join(line if line.endswith((":", "?")) else f"{line}." for line in lines).rstrip(".")


def interpolation_message(error: OmegaConfBaseException, subcommand: str, keys: Iterable[str]) -> str:
    """What is wrong with a ``${…}`` reference, in the user's own key names.

    Args:
        error: raised by omegaconf.
        subcommand: the name that stands before every resolved key.
        keys: dotted names that are accepted.
    """
    where = _without(subcommand, str(error.full_key or "?"))
    found = re.search(r"\(resolved to '([^']+)'\)", str(error))
    if not isinstance(error, InterpolationKeyError) or found is None:
        return f"{where}: {str(error).splitlines()[0]}"
    target = _without(subcommand, found[1])
    return f"{where} refers to ${{{target}}}, which does not exist; {nearest(target, keys)}"


def _without(subcommand: str, key: Any) -> str:
    return str(key).removeprefix(f"{subcommand}.")
