"""Rows that only published benchmarks have: the unified score, and why a figure is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.aggregate import scene_table, selections
from benchmarks.published.metrics import ACTIONS
from benchmarks.report import Row, finite
from rewards.functional.intervals import bootstrap_combined
from rewards.functional.outliers import within_fences
from rewards.functional.unified import unified_score

PARTS = ("count_exact", "identity_anywhere", "preference")
UNIFIED = {"unified": (*PARTS, "action"), "unified_no_actions": PARTS}
"""Figures whose means are united; all of them lie in [0, 1], preference for scorers whose zero means nothing good."""
_OF_ACTIONS = {"action", "action_s", "action_c", "unified"}
Records = Sequence[Mapping[str, Any]]


def unified_rows(records: Records, names: Mapping[str, Any], resamples: int) -> list[Row]:
    """Geometric mean of the figures of each slice, with a bootstrap interval over cases that keeps them paired."""
    rows = []
    for name, parts in UNIFIED.items():
        for seed, part, chosen in selections(records):
            table = scene_table(chosen, parts)
            value = finite(float(unified_score(table.nanmean(dim=0)))) if len(table) else None
            low = high = None
            if value is not None and resamples and len(table) > 1 and (seed is None or part == "all"):
                interval = bootstrap_combined(table, unified_score, resamples=resamples)
                low, high = finite(interval.low), finite(interval.high)
            rows.append(
                Row(
                    **names, seed=seed, metric=name, value=value, low=low, high=high, n=len(table), slice=part
                )
            )
    return rows


def with_reasons(rows: Sequence[Row], records: Records, scorers: set[str]) -> list[Row]:
    """The same rows; one without a value says why where that can be told."""
    failed = any(record["metrics"].get("questions_failed") for record in records)

    def reason(row: Row) -> str:
        if "preference" not in scorers and row.metric in UNIFIED:
            return "no preference"
        if row.metric in _OF_ACTIONS:
            return "no judge" if ACTIONS not in scorers else "judge failed" if failed else "not asked"
        return ""

    return [replace(row, absent=reason(row)) if row.value is None else row for row in rows]


def without_outliers(records: Records) -> tuple[list[Mapping[str, Any]], dict[str, int]]:
    """The records without the values beyond Tukey's fences, figure by figure, as MultiID-Bench's script drops them.

    Returns:
        The records, and by figure how many values were dropped.
    """
    metrics = list(dict.fromkeys(name for record in records for name in record["metrics"]))
    kept: list[dict[str, Any]] = [dict(record["metrics"]) for record in records]
    dropped = {}
    for metric in metrics:
        values = scene_table([{**r, "scene": i} for i, r in enumerate(records)], [metric])[:, 0]
        outside = ~within_fences(values) & ~values.isnan()
        for index in outside.nonzero()[:, 0].tolist():
            kept[index][metric] = None
        dropped[metric] = int(outside.sum())
    return [{**r, "metrics": figures} for r, figures in zip(records, kept, strict=True)], dropped
