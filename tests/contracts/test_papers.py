"""PAPERS.md names symbols and tests that exist."""

import ast
import importlib
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROWS = [
    (equation, symbol, test)
    for _, equation, symbol, test in re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| `([\w.]+)` \| `([\w./:]+)` \|$",
        (REPOSITORY / "PAPERS.md").read_text(),
        re.MULTILINE,
    )
]


def test_every_row_of_the_table_is_read():
    written = [line for line in (REPOSITORY / "PAPERS.md").read_text().splitlines() if line.startswith("| ")]
    assert len(ROWS) == len(written) - 1 > 10


@pytest.mark.parametrize(("equation", "symbol", "test"), ROWS)
def test_symbol_and_test_exist(equation, symbol, test):
    module, name = symbol.rsplit(".", 1)
    assert hasattr(importlib.import_module(module), name)
    file, function = test.split("::")
    tree = ast.parse((REPOSITORY / file).read_text())
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
