"""Suites as files: one YAML, its overrides, and errors that name the typo and the nearest valid key.

This file is read before anything heavy: it imports OmegaConf and the standard library alone.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from benchmarks.suite import Suite, SuiteError, check, nearest

SUITE_FOLDER = Path(__file__).parent / "suites"


def available_suites() -> dict[str, str]:
    """Names of the packaged suites and the first line of their descriptions."""
    found = {}
    for path in sorted(SUITE_FOLDER.glob("*.yaml")):
        description = str(OmegaConf.select(OmegaConf.load(path), "description") or "").strip()
        found[path.stem] = description.splitlines()[0] if description else ""
    return found


def load_suite(name: str, overrides: Sequence[str] = ()) -> tuple[Suite, dict[str, Any]]:
    """The suite called ``name`` (or at that path) with ``key.path=value`` overrides applied.

    Returns:
        The suite, and the plain dictionary that goes into reports and MLflow.

    Raises:
        SuiteError: unknown suite, unknown key (with the nearest valid one), or a value of the wrong type.
    """
    path = _find(name)
    try:
        written = OmegaConf.load(path)
    except Exception as error:
        raise SuiteError(f"{path}: not a readable YAML file: {error}") from error
    if not isinstance(written, DictConfig):
        raise SuiteError(f"{path}: a suite is a mapping of keys, got {type(written).__name__}")
    written.setdefault("name", path.stem)
    for override in overrides:
        _apply(written, override)
    _expand_shorthand(written)
    try:
        config = OmegaConf.merge(OmegaConf.structured(Suite), written)
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        suite = OmegaConf.to_object(config)
    except ConfigKeyError as error:
        raise SuiteError(f"{path.name}: {unknown_key(error)}") from error
    except OmegaConfBaseException as error:
        key = error.full_key or ""
        raise SuiteError(f"{path.name}: {key}: {str(error).splitlines()[0]}") from error
    assert isinstance(suite, Suite)
    check(suite, path.name)
    return suite, plain  # type: ignore[return-value]


def unknown_key(error: ConfigKeyError) -> str:
    """What an error message says of a key that a schema does not have."""
    valid = [f.name for f in fields(error.object_type)] if is_dataclass(error.object_type) else []
    return f"unknown key {error.full_key!r}{nearest(str(error.key), valid)}"


def _find(name: str) -> Path:
    path = Path(name)
    if path.suffix in {".yaml", ".yml"}:
        if not path.is_file():
            raise SuiteError(f"suite file {name!r} does not exist")
        return path
    packaged = SUITE_FOLDER / f"{name}.yaml"
    if not packaged.is_file():
        names = available_suites()
        raise SuiteError(f"unknown suite {name!r}{nearest(name, names)} (a path must end in .yaml)")
    return packaged


def _apply(config: DictConfig, override: str) -> None:
    """Set one ``key.path=value`` in a suite as written, refusing keys that nobody would read."""
    key, equals, _ = override.partition("=")
    if not equals or not re.fullmatch(r"[\w-]+(\.[\w-]+)*", key):
        raise SuiteError(f"override {override!r}: write key.path=value")
    try:
        value = OmegaConf.select(OmegaConf.from_dotlist([override]), key)
    except Exception as error:
        raise SuiteError(f"override {override!r}: the value is not valid YAML: {error}") from error
    parts = key.split(".")
    _check_path(config, parts)
    parent: Any = config
    for part in parts[:-1]:
        parent = _step(parent, part)
    last = int(parts[-1]) if isinstance(parent, ListConfig) else parts[-1]
    parent[last] = value


def _step(parent: Any, part: str) -> Any:
    """Go down one level, opening a missing level and a component written as a bare class path."""
    if isinstance(parent, ListConfig):
        return parent[int(part)]
    child = parent.get(part)
    if child is None:
        parent[part] = {}
    elif isinstance(child, str):
        parent[part] = {"class_path": child}
    return parent[part]


def _check_path(config: DictConfig, parts: list[str]) -> None:
    """Refuse a dotted key that the schema does not have, or that is a near miss of a key already there."""
    schema: Any = Suite
    node: Any = config
    for depth, part in enumerate(parts):
        here = ".".join(parts[: depth + 1])
        present = [str(k) for k in node] if isinstance(node, DictConfig) else []
        if isinstance(node, ListConfig):
            if not part.isdigit() or int(part) >= len(node):
                raise SuiteError(f"unknown key {here!r}: a list of {len(node)}, numbered from 0")
        elif is_dataclass(schema):
            valid = [f.name for f in fields(schema)]
            if part not in valid:
                raise SuiteError(f"unknown key {here!r}{nearest(part, valid)}")
        elif part not in present and _looks_mistyped(
            part, present, free=schema is None, is_last=depth == len(parts) - 1
        ):
            raise SuiteError(f"unknown key {here!r}{nearest(part, present)}")
        schema = _schema_below(schema, part)
        node = node[int(part)] if isinstance(node, ListConfig) else _child(node, part)


def _looks_mistyped(part: str, present: list[str], free: bool, is_last: bool) -> bool:
    """Free keys may be new unless they nearly are an old one; a new scorer or method must be given whole."""
    return bool(difflib.get_close_matches(part, present, n=1, cutoff=0.7)) if free else not is_last


def _child(node: Any, part: str) -> Any:
    return node.get(part) if isinstance(node, DictConfig) else None


def _schema_below(schema: Any, part: str) -> Any:
    """What the schema holds under ``part``: a dataclass, a dictionary of them, or None below which keys are free."""
    if is_dataclass(schema):
        kind: Any = next(f.type for f in fields(schema) if f.name == part)
    else:
        kind = get_args(schema)[1] if get_origin(schema) is dict else None
    required = [argument for argument in get_args(kind) if argument is not type(None)]
    if isinstance(kind, UnionType) and len(required) == 1:
        kind = required[0]
    of_dataclasses = get_origin(kind) is dict and get_args(kind)[1] is not Any
    return kind if is_dataclass(kind) or of_dataclasses else None


def _expand_shorthand(config: DictConfig) -> None:
    """A component may be written as its class path alone."""
    for key in ("analyzer",):
        if isinstance(config.get(key), str):
            config[key] = {"class_path": config[key]}
    for key, inner in (("scorers", None), ("methods", "generator"), ("workloads", "cases")):
        for name, value in (config.get(key) or {}).items():
            if inner is None and isinstance(value, str):
                config[key][name] = {"class_path": value}
            elif inner and isinstance(value, DictConfig) and isinstance(value.get(inner), str):
                config[key][name][inner] = {"class_path": value[inner]}
