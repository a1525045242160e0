"""Whose images a published benchmark is scored on: folders that lie there, and folders that our methods draw."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from benchmarks.ceilings import SceneGenerator
from benchmarks.generation import check_generator
from benchmarks.jobs import build
from benchmarks.published.case import Case
from benchmarks.published.drawing import Drawing, Staging, claim, draw_cases, drawer
from benchmarks.published.options import Options
from benchmarks.published.planners import Planner
from benchmarks.recorder import Recorder
from benchmarks.suite import SuiteError
from benchmarks.sweep import Configuration
from datamodules.schema.interfaces import Analyzer

IMAGES = "images"


class Source(Protocol):
    """One model's images.

    Attributes:
        method: what reports call the model.
        setting: its setting as ``key=value`` words.
        ceiling: shown for scale, not a competitor.
        paper: what the model's paper reports, by figure.
        rounds: how often every case is drawn or scored.
        undrawn: why a case has no image, by seed and key.
    """

    method: str
    setting: str
    ceiling: bool
    paper: dict[str, float]
    rounds: int
    undrawn: dict[tuple[int | None, str], str]

    def folders(
        self, cases: Sequence[Case], analyzer: Analyzer, recorder: Recorder
    ) -> Iterator[tuple[int | None, Path]]:
        """Sampling seed and folder of images, each as complete as it gets."""
        ...

    @property
    def parameters(self) -> dict[str, Any]:
        """What belongs into MLflow's parameters."""
        ...


@dataclass(frozen=True)
class Benchmark:
    """What is drawn.

    Attributes:
        folder: of the benchmark.
        digest: of what its cases ask for.
    """

    folder: Path
    digest: str


class Given:
    """A folder of images that lies there.

    Args:
        method: name of the model.
        folder: its images.
        ceiling: shown for scale, not a competitor.
    """

    rounds = 1

    def __init__(self, method: str, folder: Path, ceiling: bool = False) -> None:
        self.method, self.folder, self.ceiling = method, folder, ceiling
        self.setting = ""
        self.paper: dict[str, float] = {}
        self.undrawn: dict[tuple[int | None, str], str] = {}

    @property
    def parameters(self) -> dict[str, Any]:
        """The folder."""
        return {"folder": str(self.folder)}

    def folders(
        self, cases: Sequence[Case], analyzer: Analyzer, recorder: Recorder
    ) -> Iterator[tuple[int | None, Path]]:
        """The one folder; whatever seeds its images have are unknown."""
        yield None, self.folder


class Drawn:
    """A method of the suite in one setting, drawn for each of its seeds.

    Args:
        configuration: method, setting and seeds.
        planner: where people stand.
        benchmark: what is drawn.
        options: of the suite.
        output: folder of the results; images go to ``images/<method and setting>/seed_<seed>``.

    Raises:
        SuiteError: if the method, an argument or a setting does not exist.
    """

    def __init__(
        self,
        configuration: Configuration,
        planner: Planner,
        benchmark: Benchmark,
        options: Options,
        output: Path,
    ) -> None:
        check_generator(configuration)
        self.configuration, self.planner, self.options = configuration, planner, options
        self.benchmark = benchmark
        self.method, self.setting = configuration.method, configuration.label
        self.ceiling, self.paper = configuration.ceiling, dict(configuration.paper)
        self.rounds = 2 * len(configuration.seeds)
        self.output = output / IMAGES / _slug(configuration.title)
        self.undrawn: dict[tuple[int | None, str], str] = {}
        self._generator: SceneGenerator | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The setting."""
        return dict(self.configuration.setting)

    def folders(
        self, cases: Sequence[Case], analyzer: Analyzer, recorder: Recorder
    ) -> Iterator[tuple[int | None, Path]]:
        """Draw what each seed's folder lacks."""
        words = f"Drawing {self.configuration.title}"[:48]
        for seed in self.configuration.seeds:
            folder = self.output / f"seed_{seed}"
            done = self.draw(cases, folder, seed, analyzer, lambda: recorder.step(words), recorder.tell)
            self.undrawn.update({(seed, key): reason for key, reason in done.undrawn.items()})
            recorder.note(f"{self.configuration.title}, seed {seed}: {done}.")
            yield seed, folder

    def draw(
        self,
        cases: Sequence[Case],
        folder: Path,
        seed: int,
        analyzer: Analyzer,
        step: Callable[[], None],
        tell: Callable[[str], None],
    ) -> Drawing:
        """Draw what a folder lacks, with one seed.

        Args:
            cases: all of them.
            folder: of the images.
            seed: sampling seed.
            analyzer: finds the faces in the references.
            step: called after each case.
            tell: is told how far a training is, where the method is trained first.
        """
        staging = Staging(self.planner, analyzer, self.benchmark.folder, self.options.size)
        claim(folder, self._how(seed, analyzer))
        lacking = any(not case.find(folder).is_file() for case in cases)
        draw = drawer(self._loaded(seed, tell), self.configuration.setting) if lacking else _nothing
        return draw_cases(cases, folder, staging, draw, seed, step)

    def _loaded(self, seed: int, tell: Callable[[str], None]) -> SceneGenerator:
        """The generator, trained first where it is one that is trained for each seed."""
        if self._generator is None:
            self._generator = build(self.configuration.generator, f"methods.{self.method}")
        train = getattr(self._generator, "train", None)
        if train is not None:
            train(seed, lambda words: tell(f"Training {self.method}, seed {seed}: {words}"))
        return self._generator

    def _how(self, seed: int, analyzer: Analyzer) -> dict[str, Any]:
        """Everything that decides the images beside the benchmark's own files."""
        made = self.configuration.generator
        return {
            "generator": made.class_path,
            "init_args": made.init_args,
            "setting": self.configuration.setting,
            "seed": seed,
            "planner": [self.options.planner.class_path, self.options.planner.init_args],
            "faces found by": type(analyzer).__name__,
            "size": self.options.size,
            "benchmark": self.benchmark.digest,
        }


def built_planner(options: Options) -> Planner:
    """The planner of a suite.

    Raises:
        SuiteError: if it cannot be built, or is none.
    """
    try:
        planner = build(options.planner, "options.planner")
    except SuiteError:
        raise
    except ValueError as error:
        raise SuiteError(f"options.planner: {error}") from error
    if not hasattr(planner, "plan"):
        raise SuiteError(f"options.planner: {options.planner.class_path} has no method 'plan'")
    return cast(Planner, planner)


def given_folders(folder: Path, cases: Sequence[Case]) -> list[Source]:
    """One source if the folder holds images of the cases itself, else one for each folder in it that does.

    Raises:
        SuiteError: if there is no image of any case.
    """
    if not folder.is_dir():
        raise SuiteError(f"images.folder: {str(folder)!r} is not a folder")
    if not all(_missing(case, folder) for case in cases):
        return [Given(folder.resolve().name, folder)]
    below = [p for p in sorted(folder.iterdir()) if p.is_dir()]
    found: list[Source] = [Given(p.name, p) for p in below if not all(_missing(c, p) for c in cases)]
    if not found:
        names = ", ".join(case.images[0] for case in cases[:3])
        raise SuiteError(
            f"images.folder: neither {str(folder)!r} nor a folder in it holds an image of the benchmark; they are "
            f"called {names} …"
        )
    return found


def _missing(case: Case, folder: Path) -> bool:
    return not case.find(folder).is_file()


def _nothing(*_: object) -> Any:
    raise RuntimeError("draw_cases: an image that was there has gone")


def _slug(title: str) -> str:
    """A folder's name of a method and setting."""
    words = [word for word in title.replace("·", " ").split() if word]
    return "_".join("".join(c if c.isalnum() or c in "=.-" else "-" for c in word) for word in words)
