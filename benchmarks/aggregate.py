"""From one record per image to rows: means per slice and seed, with bootstrap intervals over scenes.

The unit that is resampled is the scene. Images of one scene under several sampling seeds are averaged first, so an
interval over all seeds does not pretend that three samples of one prompt are three prompts.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.report import Row, finite
from benchmarks.training_log import Training
from rewards.functional.frechet import feature_distance
from rewards.functional.intervals import bootstrap_mean
from rewards.functional.kernel import kernel_distance


def rows_from_records(
    records: Sequence[Mapping[str, Any]], names: Mapping[str, str], metrics: Iterable[str], resamples: int
) -> list[Row]:
    """All rows of one configuration.

    Args:
        records: one per image: ``scene``, ``seed``, ``slices`` (mapping such as ``{"people": 3}``) and ``metrics``
            (mapping from name to value; None where undefined).
        names: ``suite``, ``method`` and ``setting`` of every row.
        metrics: which metrics.
        resamples: bootstrap resamples; 0 leaves the intervals out.

    Returns:
        For every metric: all scenes and each slice, for all seeds together (seed None) and each seed alone; slices of
        a seed have no interval.
    """
    chosen = list(selections(records))
    rows = []
    for metric in metrics:
        for seed, part, of_part in chosen:
            drawn = resamples if seed is None or part == "all" else 0
            rows.append(_row(of_part, metric, {**names, "seed": seed}, part, drawn))
    return rows


def selections(
    records: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[int | None, str, list[Mapping[str, Any]]]]:
    """Seed (None for all together), part (``all`` or one slice) and their records, in the order of rows."""
    seeds = list(dict.fromkeys(r["seed"] for r in records))
    parts = sorted(
        {(key, value) for r in records for key, value in r["slices"].items() if value is not None}, key=str
    )
    for seed in dict.fromkeys([None, *seeds]):
        of_seed = [r for r in records if seed is None or r["seed"] == seed]
        yield seed, "all", of_seed
        for key, value in parts:
            yield seed, f"{key}={value}", [r for r in of_seed if r["slices"].get(key) == value]


def scene_table(records: Iterable[Mapping[str, Any]], metrics: Sequence[str]) -> Float[Tensor, "n k"]:
    """Mean over the seeds of each scene, scenes in order of appearance; NaN where a scene has no value."""
    values: dict[str, list[list[float]]] = {}
    for record in records:
        row = values.setdefault(record["scene"], [[] for _ in metrics])
        for found, metric in zip(row, metrics, strict=True):
            value = record["metrics"].get(metric)
            if value is not None:
                found.append(value)
    rows = [[sum(v) / len(v) if v else math.nan for v in row] for row in values.values()]
    return torch.tensor(rows, dtype=torch.float64).reshape(-1, len(metrics))


def scene_means(records: Iterable[Mapping[str, Any]], metric: str) -> Float[Tensor, " n"]:
    """Mean over the seeds of each scene, scenes in order of appearance; scenes without a value are left out."""
    means = scene_table(records, [metric])[:, 0]
    return means[~means.isnan()]


@dataclass(frozen=True)
class TrueFeatures:
    """Analyzer features of true images of other scenes.

    Attributes:
        values: one row per image.
        slices: what an image shows, such as ``{"people": 3}``.
    """

    values: Float[Tensor, "m d"]
    slices: Sequence[Mapping[str, Any]]

    def of(self, part: str) -> Float[Tensor, "k d"]:
        """All of them, or those of one slice, ``people=3``."""
        chosen = [
            part == "all" or part in {f"{key}={value}" for key, value in held.items()} for held in self.slices
        ]
        return self.values[torch.tensor(chosen, dtype=torch.bool)]


def distance_rows(
    records: Sequence[Mapping[str, Any]],
    features: Sequence[Float[Tensor, " d"]],
    true: TrueFeatures | None,
    names: Mapping[str, Any],
) -> list[Row]:
    """Fréchet and kernel distance for all seeds and each, of all images and of each slice.

    No intervals: the Fréchet distance grows as the set shrinks, and a bootstrap of it would be centred elsewhere.

    Args:
        records: as for :func:`rows_from_records`.
        features: of the records' images, in their order; none leaves the rows out.
        true: of true images; a slice is compared with its own.
        names: as for :func:`rows_from_records`.
    """
    if true is None or not features:
        return []
    placed = [{"seed": r["seed"], "slices": r["slices"], "place": i} for i, r in enumerate(records)]
    stacked = torch.stack(list(features))
    sets = [
        (seed, part, stacked[[r["place"] for r in of_part]], true.of(part))
        for seed, part, of_part in selections(placed)
    ]
    rows = []
    for metric, distance in (("frechet", feature_distance), ("kernel", _kernel)):
        for seed, part, values, against in sets:
            enough = min(len(values), len(against)) > 1
            value = finite(float(distance(values, against))) if enough else None
            rows.append(
                Row(
                    **{**names, "seed": seed},
                    metric=metric,
                    value=value,
                    low=None,
                    high=None,
                    n=len(values),
                    slice=part,
                )
            )
    return rows


def training_rows(trainings: dict[int, Training], names: dict[str, Any]) -> list[Row]:
    """How long trainings took: each seed's, and the mean."""
    minutes = {seed: t.seconds / 60 for seed, t in trainings.items() if t.seconds is not None}
    if not minutes:
        return []
    values = [(None, sum(minutes.values()) / len(minutes)), *minutes.items()]
    return [
        Row(**names, seed=seed, metric="training_minutes", value=value, low=None, high=None, n=1)
        for seed, value in values
    ]


def _kernel(values: Float[Tensor, "n d"], true_features: Float[Tensor, "m d"]) -> float:
    return kernel_distance(values, true_features).mean


def _row(
    records: Sequence[Mapping[str, Any]], metric: str, names: Mapping[str, Any], part: str, resamples: int
) -> Row:
    values = scene_means(records, metric)
    value = finite(float(values.mean())) if len(values) else None
    low = high = None
    if resamples and len(values) > 1:
        interval = bootstrap_mean(values, resamples=resamples)
        low, high = finite(interval.low), finite(interval.high)
    return Row(**names, metric=metric, value=value, low=low, high=high, n=len(values), slice=part)
