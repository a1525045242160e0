"""From one record per image to rows: means per slice and seed, with bootstrap intervals over scenes.

The unit that is resampled is the scene. Images of one scene under several sampling seeds are averaged first, so an
interval over all seeds does not pretend that three samples of one prompt are three prompts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
    seeds = list(dict.fromkeys(r["seed"] for r in records))
    parts = sorted(
        {(key, value) for r in records for key, value in r["slices"].items() if value is not None}, key=str
    )
    rows = []
    for metric in metrics:
        for seed in dict.fromkeys([None, *seeds]):
            of_seed = [r for r in records if seed is None or r["seed"] == seed]
            rows.append(_row(of_seed, metric, {**names, "seed": seed}, "all", resamples))
            for key, value in parts:
                of_part = [r for r in of_seed if r["slices"].get(key) == value]
                drawn = resamples if seed is None else 0
                rows.append(_row(of_part, metric, {**names, "seed": seed}, f"{key}={value}", drawn))
    return rows


def scene_means(records: Iterable[Mapping[str, Any]], metric: str) -> Float[Tensor, " n"]:
    """Mean over the seeds of each scene, scenes in order of appearance; scenes without a value are left out."""
    values: dict[str, list[float]] = defaultdict(list)
    for record in records:
        value = record["metrics"].get(metric)
        if value is not None:
            values[record["scene"]].append(value)
    return torch.tensor([sum(v) / len(v) for v in values.values()], dtype=torch.float64)


def distance_rows(
    features: dict[int, list[Tensor]], true_features: Float[Tensor, "m d"] | None, names: dict[str, Any]
) -> list[Row]:
    """Fréchet and kernel distance for each seed and for all together.

    No intervals: the Fréchet distance grows as the set shrinks, and a bootstrap of it would be centred elsewhere.
    """
    if true_features is None or not features:
        return []
    of_seed = {seed: torch.cat(parts) for seed, parts in features.items()}
    sets: list[tuple[int | None, Tensor]] = [(None, torch.cat(list(of_seed.values()))), *of_seed.items()]
    rows = []
    for metric, distance in (("frechet", feature_distance), ("kernel", _kernel)):
        for seed, values in sets:
            value = finite(float(distance(values, true_features))) if len(values) > 1 else None
            rows.append(
                Row(**names, seed=seed, metric=metric, value=value, low=None, high=None, n=len(values))
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
