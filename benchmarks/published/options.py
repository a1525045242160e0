"""The free keys of a suite of kind ``multi_human`` or ``multi_id``, checked."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from benchmarks.suite import Component, Suite, SuiteError
from benchmarks.suite_file import unknown_key

LEAST_SIZE, TOKEN = 64, 16


@dataclass
class Options:
    """What is scored, and how images for it are drawn.

    Attributes:
        data: the metadata file, or the folder of cases; None writes a small twin of the tiny world and reads that.
        root: folder that reference paths of the metadata are relative to; its own by default.
        simple: entries with simple actions; by default 1,500 as published, or as the twin was written.
        build: function that writes the twin, called with its folder; see ``benchmarks.published.tiny``.
        planner: a class of ``benchmarks.published.planners``.
        size: side of drawn images in pixels, a multiple of 16.
        outliers: show all figures once more without the values beyond Tukey's fences.
    """

    data: str | None = None
    root: str | None = None
    simple: int | None = None
    build: Component | None = None
    planner: Component = field(default_factory=lambda: Component("benchmarks.published.planners.RowOfFaces"))
    size: int = 128
    outliers: bool = False


def read_options(suite: Suite) -> Options:
    """The options of a suite.

    Raises:
        SuiteError: naming the key that is unknown or of the wrong type.
    """
    written: dict[str, Any] = {
        key: {"class_path": value} if key in {"build", "planner"} and isinstance(value, str) else value
        for key, value in suite.options.items()
    }
    try:
        merged = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Options), written))
    except ConfigKeyError as error:
        raise SuiteError(f"options: {unknown_key(error)}") from error
    except OmegaConfBaseException as error:
        raise SuiteError(f"options.{error.full_key}: {str(error).splitlines()[0]}") from error
    assert isinstance(merged, Options)
    if merged.size < LEAST_SIZE or merged.size % TOKEN:
        raise SuiteError(f"options.size: {merged.size} must be a multiple of {TOKEN}, at least {LEAST_SIZE}")
    if merged.simple is not None and merged.simple < 0:
        raise SuiteError(f"options.simple: {merged.simple} must be at least 0")
    return merged
