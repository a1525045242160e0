"""Who may import whom: the contracts of pyproject.toml."""

import ast
import os

import pytest
from importlinter.cli import lint_imports

OURS = {"datamodules", "rewards", "lightning_modules", "callbacks", "benchmarks"}


@pytest.fixture
def at_root(repository, monkeypatch):
    monkeypatch.chdir(repository)
    return repository


def test_import_contracts_hold(at_root, capsys):
    code = lint_imports(config_filename="pyproject.toml", no_cache=True)
    assert code == 0, capsys.readouterr().out


def test_contracts_see_a_violation(tmp_path, monkeypatch, capsys):
    """The same layers over packages in which rewards imports lightning_modules."""
    for package in ("upper", "lower"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "lower" / "wrong.py").write_text("import upper\n")
    (tmp_path / "contracts.ini").write_text(
        "[importlinter]\nroot_packages=\n  upper\n  lower\n"
        "[importlinter:contract:1]\nname=layers\ntype=layers\nlayers=\n  upper\n  lower\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert lint_imports(config_filename="contracts.ini", no_cache=True) == 1
    assert "lower.wrong -> upper" in capsys.readouterr().out.replace("\n", " ")


def test_nothing_is_pickled(repository):
    sources = [path for package in OURS for path in (repository / package).rglob("*.py")]
    assert len(sources) > 20
    for path in sources:
        assert not roots(path) & {"pickle", "dill", "cloudpickle", "joblib", "shelve"}, path


def roots(path: os.PathLike) -> set[str]:
    """Top-level names that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names
