"""The job behind Figure D.1: Architect-A trained in several ways, its losses drawn and its plans compared."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import torch

from benchmarks.aggregate import rows_from_records, training_rows
from benchmarks.jobs import build
from benchmarks.recorder import Recorder
from benchmarks.report import Outcome
from benchmarks.suite import Suite, SuiteError
from benchmarks.sweep import Configuration, configurations
from benchmarks.training_log import Training, read_training
from benchmarks.training_run import CPU, TrainingRun, found
from datamodules.geometry.ordering import reading_order
from datamodules.plans.examples import PLAN_SPLITS, PlanExample, PlanSplit, draw_example
from lightning_modules.ar2can.layout_decoding import Answer
from lightning_modules.ar2can.layout_figures import mean_iou
from lightning_modules.ar2can.planning import language_architect

SEED_KEYS = ("seed_everything", "data.init_args.seed")


class Planner(Protocol):
    """What such a suite compares."""

    training: Training

    def check(self) -> None:
        """Read the configuration; nothing is built."""
        ...

    def train(self, seed: int, tell: Callable[[str], None]) -> object:
        """Train with a seed, unless that has been done."""
        ...

    def plan(self, prompts: Sequence[str]) -> list[Answer]:
        """Answers of what was trained last."""
        ...


class TrainedArchitect:
    """Architect-A, trained by a configuration with some changes.

    Args:
        config: the training configuration, below ``configs/`` or a path; its recipe has an ``export_folder``.
        changes: further ``key=value`` arguments of the command line.
        common: the same, put before ``changes``: what several methods of a suite share.
        hardware: trainer configuration, below ``configs/`` or a path.
        folder: where trainings are kept.
    """

    def __init__(
        self,
        config: str = "ar2can/architect_tiny.yaml",
        changes: Sequence[str] = (),
        common: Sequence[str] = (),
        hardware: str = CPU,
        folder: str = "runs/trained",
    ) -> None:
        self.changes = [*common, *changes]
        self.run = TrainingRun(found(config), self.changes, (), hardware, folder, SEED_KEYS)
        self.training = Training()
        self._trained: Path | None = None

    def check(self) -> None:
        """Read the configuration of a training; nothing is built.

        Raises:
            ValueError: if it does not accept the changes, or exports nothing.
        """
        _weights_path(self.run.written(0))

    def train(self, seed: int, tell: Callable[[str], None] = lambda _: None) -> Path:
        """Train with a seed, unless that has been done; what is planned next is planned by the result.

        Raises:
            TrainingFailed: if the training ends with an error.
            ValueError: as :meth:`check`.
        """
        run, self._trained = self.run.finished(seed, _weights_path, tell)
        self.training = read_training(run, "steps")
        return self._trained

    def plan(self, prompts: Sequence[str]) -> list[Answer]:
        """Answers to prompts.

        Raises:
            RuntimeError: before :meth:`train`.
        """
        if self._trained is None:
            raise RuntimeError("TrainedArchitect.plan: call train(seed) first")
        return language_architect(self.run.config, self._trained, self.changes).plan(prompts)


class PlanningJob:
    """Trains and asks; ``options.splits`` and ``options.prompts`` say which prompts, and how many of each split."""

    def run(self, suite: Suite, recorder: Recorder) -> None:
        """Every method in turn; one that fails is named in the report and the others go on.

        Raises:
            SuiteError: if a method or an option makes no sense.
        """
        wanted = configurations(suite)
        planners = [check_planner(configuration) for configuration in wanted]
        asked = _asked(suite)
        recorder.plan(len(wanted), sum(len(configuration.seeds) for configuration in wanted))
        for configuration, planner in zip(wanted, planners, strict=True):
            try:
                recorder.add(_outcome(configuration, planner, asked, suite, recorder))
            except Exception as error:
                recorder.fail(configuration.method, configuration.label, error)


def check_planner(configuration: Configuration) -> Planner:
    """The planner of a configuration; a mistyped class or argument is found before anything is trained.

    Raises:
        SuiteError: if it cannot be built, or does not train and plan.
    """
    key = f"methods.{configuration.method}.generator"
    try:
        planner = build(configuration.generator, key)
        if not all(hasattr(planner, name) for name in ("check", "train", "plan")):
            raise SuiteError(f"{key}: {configuration.generator.class_path} cannot train and plan")
        planner.check()
    except SuiteError:
        raise
    except ValueError as error:
        raise SuiteError(f"{key}: {error}") from error
    return cast(Planner, planner)


def _asked(suite: Suite) -> list[tuple[str, PlanExample]]:
    splits, count = suite.options.get("splits", ["test_compositions"]), suite.options.get("prompts", 200)
    if unknown := sorted(set(splits) - set(PLAN_SPLITS)):
        raise SuiteError(f"options.splits: there is no split {unknown[0]!r}; choose among {PLAN_SPLITS}")
    if not splits or not isinstance(count, int) or count < 1:
        raise SuiteError(
            f"options.splits, options.prompts: {splits} and {count}; ask for at least one prompt"
        )
    count = count if suite.limit is None else min(count, suite.limit)
    return [(s, draw_example(seed, cast(PlanSplit, s))) for s in splits for seed in range(count)]


def _outcome(
    configuration: Configuration,
    planner: Planner,
    asked: Sequence[tuple[str, PlanExample]],
    suite: Suite,
    recorder: Recorder,
) -> Outcome:
    began, method = time.perf_counter(), configuration.method
    records: list[dict[str, Any]] = []
    trainings: dict[int, Training] = {}
    for seed in configuration.seeds:
        planner.train(seed, lambda words, at=seed: recorder.tell(f"Training {method}, seed {at}: {words}"))  # type: ignore[misc]
        trainings[seed] = planner.training
        answers = planner.plan([example.prompt for _, example in asked])
        records += [
            {
                "method": method,
                "setting": configuration.label,
                "seed": seed,
                "scene": f"{split}/{place}",
                "prompt": example.prompt,
                "slices": {"split": split, "people": example.count},
                "metrics": plan_figures(example, answer),
            }
            for place, ((split, example), answer) in enumerate(zip(asked, answers, strict=True))
        ]
        recorder.step(configuration.title)
    names = {"suite": suite.name, "method": method, "setting": configuration.label}
    metrics = dict.fromkeys(name for record in records for name in record["metrics"])
    rows = rows_from_records(records, names, metrics, suite.bootstrap) + training_rows(trainings, names)
    return Outcome(
        method=method,
        setting=configuration.label,
        parameters=dict(configuration.setting),
        rows=rows,
        records=records,
        ceiling=configuration.ceiling,
        paper=configuration.paper,
        trainings=trainings,
        seconds=time.perf_counter() - began,
    )


def plan_figures(example: PlanExample, answer: Answer) -> dict[str, float | None]:
    """``plan_exact``, ``plan_iou`` and ``plan_refused`` of one prompt; None where a figure is undefined.

    Boxes are compared from left to right, in whichever order they were planned.
    """
    if example.count is None:
        return {"plan_exact": None, "plan_iou": None, "plan_refused": None}
    boxes = answer.boxes[reading_order(answer.boxes)]
    return {
        "plan_exact": float(len(boxes) == example.count),
        "plan_iou": mean_iou([boxes], [torch.from_numpy(example.boxes)]),
        "plan_refused": float(answer.refusal is not None),
    }


def _weights_path(written: dict[str, Any]) -> str:
    recipe = written["model"]["init_args"]["recipe"]
    if not recipe["export_folder"]:
        raise ValueError("config: the recipe has no export_folder, so nothing would be left of a training")
    return f"{recipe['export_folder']}/{recipe['export_name']}.safetensors"
