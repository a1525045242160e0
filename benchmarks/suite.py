"""What a suite is: one YAML file, its overrides, and errors that name the typo and the nearest valid key.

A suite says which scenes are drawn, which methods generate them in which settings, who analyses and scores the
images, and which figures are reported. ``kind`` chooses the job: ``generate``, ``score``, or the class path of any
class with the interface of :class:`benchmarks.jobs.Job`, so a later method adds a file and a YAML, nothing else.

This file is read before anything heavy: it imports OmegaConf and the standard library alone.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from omegaconf import MISSING, DictConfig, ListConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

SUITE_FOLDER = Path(__file__).parent / "suites"
KINDS = {"generate": "benchmarks.generation.GenerationJob", "score": "benchmarks.scoring.ScoringJob"}
_FREE = {"init_args", "grid", "options"}  # dictionaries whose keys belong to somebody else's signature
_COMPONENT_KEYS = {"analyzer", "generator"}
_DICTS = {"scorers", "methods"}


class SuiteError(ValueError):
    """A suite, a key or a value that cannot be used; the message says which, and what would be valid."""


@dataclass
class Component:
    """A class and the arguments it is built with."""

    class_path: str = MISSING
    init_args: dict[str, Any] = field(default_factory=dict)


@dataclass
class ScenePlan:
    """Which scenes are drawn.

    Attributes:
        source: class path called with split, size, counts and seed; answers with a sequence of ``Scene``.
        split: train, val or test.
        size: number of scenes.
        counts: head counts, taken in turn.
        seed: first seed of the scenes; not the sampling seed.
        reference_size: true images, of other scenes, that Fréchet distances are measured against; 0 for none.
    """

    source: str = "benchmarks.scenes.tiny_world"
    split: str = "test"
    size: int = 40
    counts: list[int] = field(default_factory=lambda: [1, 2, 3, 4, 5])
    seed: int = 0
    reference_size: int = 160


@dataclass
class Folder:
    """Which image files are scored.

    Attributes:
        folder: searched in depth for image files.
        prompts: JSONL or CSV with a column ``file`` and any of ``prompt``, ``people``, ``method``.
        max_pixels: larger files are named and left out.
    """

    folder: str | None = None
    prompts: str | None = None
    max_pixels: int = 64_000_000


@dataclass
class Method:
    """One generator and the settings it is run in: every row of ``settings`` with every point of ``grid``.

    A ``ceiling`` is shown for scale and left out when the best value of a figure is marked.
    """

    generator: Component = field(default_factory=Component)
    description: str = ""
    settings: list[dict[str, Any]] = field(default_factory=list)
    grid: dict[str, Any] = field(default_factory=dict)
    seeds: list[int] | None = None
    ceiling: bool = False


@dataclass
class Suite:
    """One benchmark from scenes to report.

    Attributes:
        kind: ``generate``, ``score`` or the class path of a job.
        seeds: sampling seeds; every setting is run once per seed.
        metrics: dotted paths of functions from ``Observation`` to named per-image figures.
        gallery: scenes shown in the report.
        bootstrap: resamples behind each interval.
        limit: caps the number of scenes or files; None for all.
        options: free keys for jobs of one's own.
    """

    name: str = MISSING
    description: str = ""
    kind: str = "generate"
    scenes: ScenePlan = field(default_factory=ScenePlan)
    images: Folder = field(default_factory=Folder)
    methods: dict[str, Method | None] = field(default_factory=dict)
    analyzer: Component | None = None
    scorers: dict[str, Component | None] = field(default_factory=dict)
    metrics: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=lambda: [0])
    batch_size: int = 8
    gallery: int = 6
    bootstrap: int = 1000
    limit: int | None = None
    options: dict[str, Any] = field(default_factory=dict)


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
        valid = [f.name for f in fields(error.object_type)] if is_dataclass(error.object_type) else []
        raise SuiteError(
            f"{path.name}: unknown key {error.full_key!r}{nearest(str(error.key), valid)}"
        ) from error
    except OmegaConfBaseException as error:
        key = error.full_key or ""
        raise SuiteError(f"{path.name}: {key}: {str(error).splitlines()[0]}") from error
    assert isinstance(suite, Suite)
    _check(suite, path.name)
    return suite, plain  # type: ignore[return-value]


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


def nearest(name: str, valid: Iterable[str]) -> str:
    """The end of an error message: the closest valid name, or all of them."""
    valid = list(valid)
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; valid: {', '.join(valid)}" if valid else ""


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
    free = False
    for depth, part in enumerate(parts):
        here = ".".join(parts[: depth + 1])
        present = [str(k) for k in node] if isinstance(node, DictConfig) else []
        if isinstance(node, ListConfig):
            if not part.isdigit() or int(part) >= len(node):
                raise SuiteError(f"unknown key {here!r}: a list of {len(node)}, numbered from 0")
            free = True
        elif is_dataclass(schema):
            valid = [f.name for f in fields(schema)]
            if part not in valid:
                raise SuiteError(f"unknown key {here!r}{nearest(part, valid)}")
        elif part not in present and _looks_mistyped(part, present, free, is_last=depth == len(parts) - 1):
            raise SuiteError(f"unknown key {here!r}{nearest(part, present)}")
        free = free or part in _FREE
        schema = _schema_below(schema, part, parts[depth - 1] if depth else "")
        node = node[int(part)] if isinstance(node, ListConfig) else _child(node, part)


def _looks_mistyped(part: str, present: list[str], free: bool, is_last: bool) -> bool:
    """Free keys may be new unless they nearly are an old one; a new scorer or method must be given whole."""
    return bool(difflib.get_close_matches(part, present, n=1, cutoff=0.7)) if free else not is_last


def _child(node: Any, part: str) -> Any:
    return node.get(part) if isinstance(node, DictConfig) else None


def _schema_below(schema: Any, part: str, above: str) -> Any:
    """The dataclass found under ``part``, or None below which keys are free."""
    if above == "methods":
        return Method
    if part in _COMPONENT_KEYS or above == "scorers":
        return Component
    if schema is Suite:
        return {"scenes": ScenePlan, "images": Folder}.get(part)
    return None


def _expand_shorthand(config: DictConfig) -> None:
    """A component may be written as its class path alone."""
    for key in ("analyzer",):
        if isinstance(config.get(key), str):
            config[key] = {"class_path": config[key]}
    for key, inner in (("scorers", None), ("methods", "generator")):
        for name, value in (config.get(key) or {}).items():
            if inner is None and isinstance(value, str):
                config[key][name] = {"class_path": value}
            elif inner and isinstance(value, DictConfig) and isinstance(value.get(inner), str):
                config[key][name][inner] = {"class_path": value[inner]}


def _check(suite: Suite, file: str) -> None:
    if suite.kind not in KINDS and "." not in suite.kind:
        raise SuiteError(
            f"{file}: kind {suite.kind!r}{nearest(suite.kind, KINDS)}; or the class path of a job"
        )
    for key, value, least in (
        ("scenes.size", suite.scenes.size, 1),
        ("batch_size", suite.batch_size, 1),
        ("bootstrap", suite.bootstrap, 0),
        ("limit", 1 if suite.limit is None else suite.limit, 1),
        ("seeds (how many)", len(suite.seeds), 1),
        ("scenes.counts (how many)", len(suite.scenes.counts), 1),
    ):
        if value < least:
            raise SuiteError(f"{file}: {key} must be at least {least}, got {value}")
    if suite.kind == "generate" and not any(suite.methods.values()):
        raise SuiteError(f"{file}: a suite of kind 'generate' needs at least one entry under 'methods'")
