"""Records to rows: means over scenes, and intervals equal to scipy's."""

import numpy as np
import pytest
import torch
from scipy import linalg, stats

from benchmarks.aggregate import TrueFeatures, distance_rows, rows_from_records, scene_means

NAMES = {"suite": "s", "method": "m", "setting": "steps=4"}
RESAMPLES = 400


def record(scene, seed, people, **metrics):
    return {"scene": scene, "seed": seed, "slices": {"people": people}, "metrics": metrics}


@pytest.fixture
def records():
    rng = np.random.default_rng(3)
    return [
        record(
            f"scene{i}",
            seed,
            1 + i % 3,
            quality=float(rng.normal()),
            oks=None if i % 4 == 0 else float(rng.random()),
        )
        for seed in (0, 1)
        for i in range(24)
    ]


def table(records, seed=None, people=None, metric="quality"):
    """Plain numpy: scenes by seeds."""
    scenes = dict.fromkeys(r["scene"] for r in records)
    picked = [
        [
            r["metrics"][metric]
            for r in records
            if r["scene"] == s and seed in (None, r["seed"]) and r["metrics"][metric] is not None
        ]
        for s in scenes
        if people is None or next(r for r in records if r["scene"] == s)["slices"]["people"] == people
    ]
    return np.array([np.mean(v) for v in picked if v])


@pytest.mark.parametrize(
    ("seed", "people", "part"), [(None, None, "all"), (1, None, "all"), (None, 2, "people=2")]
)
@pytest.mark.parametrize("metric", ["quality", "oks"])
def test_value_and_interval_equal_scipy(records, seed, people, part, metric):
    rows = rows_from_records(records, NAMES, ["quality", "oks"], RESAMPLES)
    row = next(r for r in rows if (r.metric, r.seed, r.slice) == (metric, seed, part))
    data = table(records, seed, people, metric)
    expected = stats.bootstrap(
        (data,),
        np.mean,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
        vectorized=True,
    ).confidence_interval
    assert row.n == len(data)
    assert row.value == pytest.approx(data.mean())
    assert (row.low, row.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_seeds_of_a_scene_are_one_unit(records):
    """Repeating every image under more seeds must not narrow the interval."""
    again = [{**r, "seed": r["seed"] + 10} for r in records]
    once = rows_from_records(records, NAMES, ["quality"], RESAMPLES)[0]
    twice = rows_from_records(records + again, NAMES, ["quality"], RESAMPLES)[0]
    assert (once.value, once.low, once.high, once.n) == pytest.approx(
        (twice.value, twice.low, twice.high, twice.n)
    )


def test_every_slice_and_seed_is_there_once(records):
    rows = rows_from_records(records, NAMES, ["quality"], 0)
    assert [(r.seed, r.slice) for r in rows] == [
        (None, "all"),
        (None, "people=1"),
        (None, "people=2"),
        (None, "people=3"),
        *[(seed, part) for seed in (0, 1) for part in ("all", "people=1", "people=2", "people=3")],
    ]
    assert all(r.low is None and r.high is None for r in rows)
    assert all((r.suite, r.method, r.setting) == ("s", "m", "steps=4") for r in rows)


def test_slices_of_a_seed_are_means_without_intervals(records):
    rows = rows_from_records(records, NAMES, ["quality"], RESAMPLES)
    row = next(r for r in rows if (r.seed, r.slice) == (1, "people=2"))
    assert row.value == pytest.approx(table(records, seed=1, people=2).mean())
    assert (row.low, row.high) == (None, None)


def test_one_seed_gives_no_second_copy_of_the_same_rows():
    rows = rows_from_records(
        [record("a", None, None, q=1.0), record("b", None, None, q=3.0)], NAMES, ["q"], 10
    )
    assert [(r.seed, r.slice, r.value, r.n) for r in rows] == [(None, "all", 2.0, 2)]


def test_undefined_everywhere_is_none_and_one_value_has_no_interval():
    records = [record("a", 0, 1, q=None, p=2.0), record("b", 0, 1, q=None, p=None)]
    by_metric = {
        r.metric: r
        for r in rows_from_records(records, NAMES, ["q", "p"], 50)
        if r.slice == "all" and r.seed is None
    }
    assert (by_metric["q"].value, by_metric["q"].n) == (None, 0)
    assert (by_metric["p"].value, by_metric["p"].low, by_metric["p"].high, by_metric["p"].n) == (
        2.0,
        None,
        None,
        1,
    )
    assert len(scene_means(records, "q")) == 0


@pytest.mark.parametrize(
    ("seed", "people", "part"),
    [(None, None, "all"), (1, None, "all"), (None, 2, "people=2"), (0, 3, "people=3")],
)
def test_distances_of_a_slice_are_to_true_images_of_that_slice(records, seed, people, part):
    rng = np.random.default_rng(5)
    features, true = rng.normal(size=(len(records), 4)), rng.normal(1.0, 2.0, size=(30, 4))
    counts = [1 + i % 4 for i in range(30)]
    held = TrueFeatures(torch.from_numpy(true), [{"people": c} for c in counts])
    rows = distance_rows(records, list(torch.from_numpy(features)), held, NAMES)
    row = next(r for r in rows if (r.metric, r.seed, r.slice) == ("frechet", seed, part))
    ours = features[[seed in (None, r["seed"]) and people in (None, r["slices"]["people"]) for r in records]]
    against = true[[people in (None, c) for c in counts]]
    a, b = np.cov(ours.T), np.cov(against.T)
    expected = np.sum((ours.mean(0) - against.mean(0)) ** 2) + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    assert row.n == len(ours)
    assert row.value == pytest.approx(expected, rel=1e-5)


def test_without_features_there_are_no_distances(records):
    assert distance_rows(records, [], TrueFeatures(torch.zeros(0, 4), []), NAMES) == []
    assert distance_rows(records, [torch.zeros(4)] * len(records), None, NAMES) == []
    alone = TrueFeatures(torch.zeros(1, 4), [{"people": 1}])
    rows = distance_rows(records, [torch.zeros(4)] * len(records), alone, NAMES)
    assert {r.value for r in rows} == {None}
