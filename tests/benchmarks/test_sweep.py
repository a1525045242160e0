"""Settings and grids to configurations."""

import itertools

import pytest

from benchmarks.suite import Component, Method, Suite, SuiteError
from benchmarks.sweep import configurations, expand


def test_grid_is_the_full_product_in_written_order():
    grid = {"context": ["text", "canvas"], "steps": [4, 10, 28]}
    expected = [{"context": c, "steps": s} for c, s in itertools.product(grid["context"], grid["steps"])]
    assert expand([], grid) == expected


def test_rows_are_crossed_with_the_grid():
    rows = [{"context": "text"}, {"context": "pose", "guidance": 2.0}]
    found = expand(rows, {"steps": [4, 8]})
    assert found == [
        {"context": "text", "steps": 4},
        {"context": "text", "steps": 8},
        {"context": "pose", "guidance": 2.0, "steps": 4},
        {"context": "pose", "guidance": 2.0, "steps": 8},
    ]


def test_nothing_to_vary_is_one_empty_setting():
    assert expand([], {}) == [{}]


@pytest.mark.parametrize(
    ("settings", "grid", "words"),
    [
        ([], {"steps": 4}, "grid.steps"),
        ([], {"steps": []}, "non-empty"),
        ([{"steps": 1}], {"steps": [1, 2]}, "also set"),
        ([{"steps": 1}, {"steps": 1}], {}, "twice"),
        ([], {"steps": [4, 4]}, "'steps=4' occurs twice"),
    ],
)
def test_contradictions_are_refused(settings, grid, words):
    with pytest.raises(SuiteError, match=words):
        expand(settings, grid)


def test_configurations_keep_method_order_seeds_and_leave_out_nulls():
    suite = Suite(
        name="s",
        seeds=[3, 4],
        methods={
            "b": Method(generator=Component("x.Y"), grid={"steps": [1, 2]}),
            "gone": None,
            "a": Method(generator=Component("x.Z"), seeds=[7]),
        },
    )
    found = configurations(suite)
    assert [(c.method, c.label, c.seeds) for c in found] == [
        ("b", "steps=1", (3, 4)),
        ("b", "steps=2", (3, 4)),
        ("a", "", (7,)),
    ]
    assert found[0].title == "b · steps=1"
    assert found[2].title == "a"


def test_an_error_names_the_method():
    with pytest.raises(SuiteError, match=r"methods\.b: grid\.steps"):
        configurations(Suite(name="s", methods={"b": Method(generator=Component("x.Y"), grid={"steps": 3})}))
