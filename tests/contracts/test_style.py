"""What ruff and mypy cannot say: sizes, names, docstrings, doctests."""

import ast
import doctest
import importlib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("datamodules", "rewards", "lightning_modules", "callbacks", "benchmarks")
SOURCES = sorted(path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))
MAX_LINES = 300
PURE = ("datamodules/geometry", "rewards/functional", "lightning_modules/flow")
MAX_PURE_LINES = 150
SAY_NOTHING = {"utils", "util", "common", "helpers", "helper", "misc"}


def relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_files_are_found():
    assert {relative(p).split("/")[0] for p in SOURCES} == set(PACKAGES)


def test_files_answer_one_question():
    too_long = {
        relative(path): lines
        for path in [*SOURCES, *(REPOSITORY / "tests").rglob("*.py")]
        if (lines := len(path.read_text().splitlines()))
        > (MAX_PURE_LINES if relative(path).startswith(PURE) else MAX_LINES)
    }
    assert not too_long


def test_names_say_something():
    assert not [relative(p) for p in SOURCES if {p.stem, p.parent.name} & SAY_NOTHING]


def test_modules_say_what_they_are():
    silent = [
        relative(p)
        for p in SOURCES
        if (tree := ast.parse(p.read_text())).body and p.stem != "__init__" and not ast.get_docstring(tree)
    ]
    assert not silent


def test_annotations_are_evaluated():
    """jaxtyping's checkers read annotations at run time."""
    late = [
        relative(p)
        for p in SOURCES
        for node in ast.walk(ast.parse(p.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    assert not late


@pytest.mark.parametrize("path", [p for p in SOURCES if ">>>" in p.read_text()], ids=relative)
def test_examples_in_docstrings_hold(path):
    name = relative(path).removesuffix(".py").replace("/", ".")
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
