"""The job ``generate``: held-out scenes through every method and setting, timed, judged and compared."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.aggregate import TrueFeatures, distance_rows, rows_from_records, training_rows
from benchmarks.ceilings import SceneGenerator
from benchmarks.gain import with_expectations
from benchmarks.jobs import build, check_arguments, locate
from benchmarks.panel import Panel, tiny_warning
from benchmarks.pictures import encode
from benchmarks.recorder import Recorder
from benchmarks.report import Badge, Outcome, Row, Sample
from benchmarks.suite import Suite, SuiteError
from benchmarks.sweep import Configuration, configurations
from benchmarks.training_log import Training
from datamodules.collate import collate
from datamodules.schema.scene import Scene, SceneBatch
from rewards.observation import KnownFaces

_SEED_STRIDE = 100_003  # batches of one run get seeds that no other run of a small sampling seed gets

BADGES = (
    ("identity", "id", 0.6),
    ("identity_anywhere", "id", 0.6),
    ("similarity_reference", "ref", None),
    ("similarity_truth", "truth", None),
    ("oks", "oks", 0.6),
    ("judge", "judge", None),
)
"""Figures under a picture: what they are called there, and from where on they are good."""


@dataclass
class Held:
    """The scenes of a suite, drawn once for all methods."""

    batches: list[SceneBatch]
    known: list[KnownFaces | None]
    true_features: TrueFeatures | None

    @property
    def size(self) -> int:
        """Number of scenes."""
        return sum(map(len, self.batches))


class GenerationJob:
    """Runs ``kind: generate``."""

    def run(self, suite: Suite, recorder: Recorder) -> None:
        """Every configuration in turn; one that fails is named in the report and the others go on."""
        wanted = configurations(suite)
        for configuration in wanted:
            check_generator(configuration)
        warning = tiny_warning(suite)
        if warning:
            recorder.note(warning)
        recorder.step("Drawing scenes", 0)
        held, panel = prepare(suite)
        per_seed = len(held.batches)
        recorder.plan(len(wanted), sum(len(c.seeds) for c in wanted) * per_seed)
        generator: tuple[str, SceneGenerator] | None = None
        for configuration in wanted:
            try:
                recorder.step(f"Loading {configuration.method}", 0)
                if generator is None or generator[0] != configuration.method:
                    generator = None  # frees the last model before the next one is built
                    generator = (configuration.method, _load(configuration, held, recorder))
                outcome = _Run(configuration, suite, held, panel).outcome(generator[1], recorder)
                others = recorder.report.outcomes
                recorder.add(
                    with_expectations(outcome, others, configuration.against, configuration.expected)
                )
            except Exception as error:
                recorder.fail(configuration.method, configuration.label, error)


def _load(configuration: Configuration, held: Held, recorder: Recorder) -> SceneGenerator:
    """Build a generator and let it draw one scene, so that what loads at first use is not timed as generation."""
    generator: SceneGenerator = build(configuration.generator, f"methods.{configuration.method}")
    _train(generator, configuration, configuration.seeds[0], recorder)
    generator.generate(held.batches[0].select(torch.tensor([0])), seed=0, **configuration.setting)
    return generator


def _train(
    generator: SceneGenerator, configuration: Configuration, seed: int, recorder: Recorder
) -> Training | None:
    """Methods with a ``train`` are trained for every seed; what they draw is drawn by that training."""
    train = getattr(generator, "train", None)
    if train is None:
        return None
    train(seed, lambda words: recorder.tell(f"Training {configuration.method}, seed {seed}: {words}"))
    return cast(Any, generator).training


def prepare(suite: Suite) -> tuple[Held, Panel]:
    """Draw the scenes and build the panel; scenes beyond the held-out ones give the true features and distractors."""
    plan = suite.scenes
    size = plan.size if suite.limit is None else min(plan.size, suite.limit)
    draw = locate(plan.source, "scenes.source")
    try:
        drawn: Sequence[Scene] = draw(
            split=plan.split, size=size + plan.reference_size, counts=tuple(plan.counts), seed=plan.seed
        )
    except ValueError as error:
        raise SuiteError(f"scenes: {error}") from error
    batches = [
        collate([drawn[i] for i in range(s, min(s + suite.batch_size, size))])
        for s in range(0, size, suite.batch_size)
    ]
    others = [drawn[i] for i in range(size, size + plan.reference_size)]
    prompts = [*(p for b in batches for p in b.prompts), *(scene.prompt for scene in others)]
    panel = Panel(suite, prompts)
    return Held(batches, [panel.known(b) for b in batches], _true_features(others, panel)), panel


def _true_features(scenes: Sequence[Scene], panel: Panel) -> TrueFeatures | None:
    """None if there are no scenes, or the analyzer has no features."""
    features = panel.features(torch.stack([scene.image for scene in scenes])) if scenes else None
    if features is None:
        return None
    return TrueFeatures(features, [{"people": len(scene.persons)} for scene in scenes])


def check_generator(configuration: Configuration) -> None:
    """A mistyped class, argument or setting is found before anything is generated."""
    key = f"methods.{configuration.method}"
    target = locate(configuration.generator.class_path, f"{key}.generator")
    check_arguments(target, configuration.generator.init_args, f"{key}.generator.init_args")
    generate = getattr(target, "generate", None)
    if generate is None:
        raise SuiteError(f"{key}.generator: {configuration.generator.class_path} has no method 'generate'")
    check_arguments(
        generate, configuration.setting, f"{key} setting '{configuration.label}'", ("self", "batch", "seed")
    )
    if hasattr(target, "check"):
        try:
            build(configuration.generator, f"{key}.generator").check()
        except ValueError as error:
            raise SuiteError(f"{key}.generator: {error}") from error


class _Run:
    """One configuration: all seeds, all batches."""

    def __init__(self, configuration: Configuration, suite: Suite, held: Held, panel: Panel) -> None:
        self.configuration, self.suite, self.held, self.panel = configuration, suite, held, panel
        self.records: list[dict[str, Any]] = []
        self.samples: list[Sample] = []
        self.features: list[Tensor] = []
        self.trainings: dict[int, Training] = {}
        self._beside: Sequence[Float[Tensor, "b 3 h w"]] = ()

    def outcome(self, generator: SceneGenerator, recorder: Recorder) -> Outcome:
        """Generate, time, judge, and sum up."""
        began = time.perf_counter()
        for seed in self.configuration.seeds:
            training = _train(generator, self.configuration, seed, recorder)
            if training is not None:
                self.trainings[seed] = training
            for index in range(len(self.held.batches)):
                drawn = [self._draw(generator, index, seed, draw) for draw in range(self.suite.draws)]
                apart = spread([images for images, _ in drawn])
                for draw, (images, beside) in enumerate(drawn):
                    self._judge(images, (index, seed, draw), {**apart, **beside})
                recorder.step(self.configuration.title)
        return Outcome(
            method=self.configuration.method,
            setting=self.configuration.label,
            parameters=dict(self.configuration.setting),
            rows=self._rows(),
            samples=self.samples,
            records=self.records,
            ceiling=self.configuration.ceiling,
            paper=self.configuration.paper,
            trainings=self.trainings,
            seconds=time.perf_counter() - began,
        )

    def _draw(
        self, generator: SceneGenerator, index: int, seed: int, draw: int
    ) -> tuple[Float[Tensor, "b 3 h w"], dict[str, float | Float[Tensor, " b"]]]:
        """Images of a batch in [0, 1], the seconds that each took, and what the generator has to say of them."""
        batch = self.held.batches[index]
        noise = seed * _SEED_STRIDE + draw * len(self.held.batches) + index
        started = time.perf_counter()
        with torch.no_grad():
            images = generator.generate(batch, seed=noise, **self.configuration.setting)
        seconds = (time.perf_counter() - started) / len(batch)
        if not draw:  # the one the gallery shows
            self._beside = getattr(generator, "beside", ())
        _check_images(images, batch)
        return images.float().clamp(0, 1), {**getattr(generator, "figures", {}), "seconds": seconds}

    def _judge(
        self,
        images: Float[Tensor, "b 3 h w"],
        place: tuple[int, int, int],
        beside: dict[str, float | Float[Tensor, " b"]],
    ) -> None:
        """Score images of one batch, seed and draw; ``beside`` holds figures that are known already."""
        index, seed, draw = place
        batch = self.held.batches[index]
        people = batch.layout.counts().tolist()
        figures = self.panel.judge(images, batch.prompts, people, batch, self.held.known[index])
        features = self.panel.features(images) if self.held.true_features is not None else None
        if features is not None:
            self.features.extend(features)
        for i, values in enumerate(figures):
            told = {name: float(v[i] if isinstance(v, Tensor) else v) for name, v in beside.items()}
            metrics = {**values, **{name: v if isfinite(v) else None for name, v in told.items()}}
            self.records.append(
                {
                    "method": self.configuration.method,
                    "setting": self.configuration.label,
                    "seed": seed,
                    "draw": draw,
                    "scene": batch.scene_ids[i],
                    "prompt": batch.prompts[i],
                    "slices": {"people": people[i]},
                    "metrics": metrics,
                }
            )
            shown = len(self.samples) < self.suite.gallery and seed == self.configuration.seeds[0]
            if shown and not draw:
                self.samples.append(_sample(images[i], batch, i, metrics, self._beside))

    def _rows(self) -> list[Row]:
        names = {
            "suite": self.suite.name,
            "method": self.configuration.method,
            "setting": self.configuration.label,
        }
        metrics = dict.fromkeys(name for record in self.records for name in record["metrics"])
        rows = rows_from_records(self.records, names, metrics, self.suite.bootstrap)
        rows += distance_rows(self.records, self.features, self.held.true_features, names)
        return rows + training_rows(self.trainings, names)


def spread(drawn: Sequence[Float[Tensor, "b 3 h w"]]) -> dict[str, Float[Tensor, " b"]]:
    """``diversity``: standard deviation over the draws of a scene, root mean square over pixels; of one draw none."""
    if len(drawn) < 2:
        return {}
    return {"diversity": torch.stack(list(drawn)).var(dim=0).flatten(1).mean(dim=1).sqrt()}


def _check_images(images: Float[Tensor, "b 3 h w"], batch: SceneBatch) -> None:
    if images.ndim != 4 or images.shape[:2] != (len(batch), 3):
        raise ValueError(f"generate: expected {len(batch)} RGB images, got shape {tuple(images.shape)}")
    if not torch.isfinite(images).all():
        raise ValueError("generate: the images contain NaN or infinite values")


def _sample(
    image: Float[Tensor, "3 h w"],
    batch: SceneBatch,
    place: int,
    values: dict[str, float | None],
    beside: Sequence[Float[Tensor, "b 3 h w"]],
) -> Sample:
    people = int(batch.layout.counts()[place])
    faces = batch.references[place][batch.layout.valid[place]]
    return Sample(
        scene=batch.scene_ids[place],
        prompt=batch.prompts[place],
        image=encode(image),
        badges=badges(values, people),
        references=tuple(encode(face) for face in faces),
        beside=tuple(encode(pictures[place]) for pictures in beside),
    )


def badges(values: dict[str, float | None], people: int | None) -> tuple[Badge, ...]:
    """Short verdicts on one image: faces found of those asked for, identity, pose, quality."""
    found = []
    if values.get("faces") is not None:
        asked = "" if people is None else f"/{people}"
        exact = values.get("count_exact")
        found.append(Badge(f"{values['faces']:.0f}{asked} faces", None if exact is None else exact == 1))
    for name, label, enough in BADGES:
        value = values.get(name)
        if value is not None:
            found.append(Badge(f"{label} {value:.2f}", None if enough is None else value >= enough))
    return tuple(found)
