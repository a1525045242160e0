"""What a job is, and how the classes named in a suite are built."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from benchmarks.recorder import Recorder
from benchmarks.suite import KINDS, Component, Suite, SuiteError, nearest


class Job(Protocol):
    """One kind of benchmark; ``kind: package.module.MyJob`` in a suite runs it."""

    def run(self, suite: Suite, recorder: Recorder) -> None:
        """Do the work, handing each finished configuration to ``recorder.add``."""
        ...


def job_for(suite: Suite) -> Job:
    """The job that runs this suite."""
    return build(Component(KINDS.get(suite.kind, suite.kind)), "kind")


def locate(path: str, key: str) -> Any:
    """The class or function at a dotted path.

    Args:
        path: ``package.module.Name``.
        key: where in the suite it was written; named in errors.

    Raises:
        SuiteError: no such module or name, with the nearest name in that module.
    """
    module_path, _, name = path.rpartition(".")
    if not module_path:
        raise SuiteError(f"{key}: {path!r} is not a class path (package.module.Name)")
    try:
        module = importlib.import_module(module_path)
    except ModuleNotFoundError as error:
        # a missing dependency of an existing module must not be reported as a mistyped path
        if error.name and not f"{module_path}.".startswith(f"{error.name}."):
            raise SuiteError(
                f"{key}: {path!r} needs the package {error.name!r}, which is not installed"
            ) from error
        raise SuiteError(f"{key}: there is no module {error.name!r} (from {path!r})") from error
    if not hasattr(module, name):
        public = [n for n in vars(module) if not n.startswith("_")]
        raise SuiteError(f"{key}: {module_path} has no {name!r}{nearest(name, public)}")
    return getattr(module, name)


def build(component: Component, key: str) -> Any:
    """Instantiate a component.

    Raises:
        SuiteError: the class cannot be found, or does not take one of ``init_args``.
    """
    target = locate(component.class_path, key)
    check_arguments(target, component.init_args, f"{key}.init_args")
    return target(**component.init_args)


def check_arguments(
    target: Callable[..., Any], arguments: Mapping[str, Any], key: str, given: tuple[str, ...] = ()
) -> None:
    """Refuse keyword arguments a callable does not take, and name those it lacks.

    Args:
        target: class or function.
        arguments: what the suite passes by keyword.
        key: where in the suite they stand.
        given: parameters the caller itself supplies.
    """
    parameters = inspect.signature(target).parameters
    kinds = {p.kind for p in parameters.values()}
    names = [
        n
        for n, p in parameters.items()
        if p.kind in {p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY} and n not in given
    ]
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        for name in arguments:
            if name not in names:
                raise SuiteError(f"{key}: unknown argument {name!r}{nearest(name, names)}")
    lacking = [n for n in names if parameters[n].default is inspect.Parameter.empty and n not in arguments]
    if lacking:
        raise SuiteError(f"{key}: missing {', '.join(map(repr, lacking))}")
