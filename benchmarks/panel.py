"""The panel of judges of one suite: analyzer, scorers and metric functions, applied to a batch of images."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.jobs import build, locate
from benchmarks.metrics import Metric, Observation, copy_paste
from benchmarks.published.asked import Asked
from benchmarks.suite import Component, Suite, SuiteError
from datamodules.schema.interfaces import Analyzer, Scorer
from datamodules.schema.scene import SceneBatch
from rewards.observation import KnownFaces, reference_embeddings, target_embeddings

TINY_WARNING = (
    "Judged by the tiny world's own analyzers and scorers ({names}), trained on its renders. Their figures compare "
    "methods within this report; they are not the papers' figures, which rest on RetinaFace, ArcFace, HPS and the like."
)


class Panel:
    """Judges of a suite, built once.

    Args:
        suite: names the analyzer, the scorers and the metrics.
        distractors: prompts that retrieval metrics may draw from.
    """

    def __init__(self, suite: Suite, distractors: Sequence[str] = ()) -> None:
        self.analyzer = _built(suite.analyzer, Analyzer, "analyzer") if suite.analyzer else None
        self.scorers: dict[str, Scorer] = {
            name: _built(component, Scorer, f"scorers.{name}")
            for name, component in suite.scorers.items()
            if component is not None
        }
        self.metrics: list[Metric] = [locate(path, f"metrics[{i}]") for i, path in enumerate(suite.metrics)]
        self.distractors = tuple(dict.fromkeys(distractors))

    def known(self, scenes: SceneBatch) -> KnownFaces | None:
        """Who the people of the scenes are, by reference and, where a metric asks, by true face."""
        if self.analyzer is None:
            return None
        compared = copy_paste in self.metrics
        return KnownFaces(
            reference_embeddings(self.analyzer, scenes),
            target_embeddings(self.analyzer, scenes) if compared else None,
        )

    def judge(
        self,
        images: Float[Tensor, "b 3 h w"],
        prompts: Sequence[str | None],
        people: Sequence[int | None],
        scenes: SceneBatch | None = None,
        known: KnownFaces | None = None,
    ) -> list[dict[str, float | None]]:
        """All figures of each image; None where a figure is undefined for it."""
        return self.figures(
            self.observe(
                images,
                prompts=tuple(prompts),
                people=tuple(people),
                scenes=scenes,
                references=None if known is None else known.references,
                targets=None if known is None else known.targets,
            )
        )

    def judge_case(
        self, image: Float[Tensor, "3 h w"], prompt: str, people: int, asked: Asked
    ) -> tuple[dict[str, float | None], list[str]]:
        """All figures of one image of a published benchmark, and what its judges have to say about them."""
        seen = self.observe(image[None], prompts=(prompt,), people=(people,), asked=(asked,))
        return self.figures(seen)[0], seen.notes

    @torch.no_grad()
    def observe(self, images: Float[Tensor, "b 3 h w"], **known: Any) -> Observation:
        """Let the analyzer look at images; ``known`` holds the other fields of an ``Observation``."""
        detections = None if self.analyzer is None else self.analyzer.analyze(images)
        return Observation(
            images, detections=detections, scorers=self.scorers, distractors=self.distractors, **known
        )

    @torch.no_grad()
    def figures(self, seen: Observation) -> list[dict[str, float | None]]:
        """All figures of each image of an observation; None where a figure is undefined for it."""
        figures: list[dict[str, float | None]] = [{} for _ in range(len(seen))]
        for metric in self.metrics:
            for name, values in metric(seen).items():
                for figure, value in zip(figures, values.tolist(), strict=True):
                    figure[name] = value if math.isfinite(value) else None
        return figures

    @torch.no_grad()
    def features(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"] | None:
        """Analyzer features for Fréchet distances; None if the analyzer has none."""
        extract = getattr(self.analyzer, "features", None)
        return None if extract is None else extract(images).double().cpu()


def tiny_warning(suite: Suite) -> str | None:
    """What a report must say when a tiny model judges; None if none does."""
    components = [suite.analyzer, *suite.scorers.values()]
    paths = [c.class_path for c in components if c is not None]
    names = [
        p.rsplit(".", 1)[-1]
        for p in paths
        if p.startswith(("rewards.analyzers.tiny", "rewards.scorers.tiny"))
    ]
    return TINY_WARNING.format(names=", ".join(names)) if names else None


def _built(component: Component, protocol: type, key: str) -> Any:
    """A judge, or why it cannot be had: weights that are not where they should be, a package that is not installed."""
    try:
        built = build(component, key)
    except SuiteError:
        raise
    except (ValueError, ModuleNotFoundError) as error:
        raise SuiteError(f"{key}: {error}") from error
    if not isinstance(built, protocol):
        raise SuiteError(f"{key}: {type(built).__name__} does not offer what {protocol.__name__} asks for")
    return built
