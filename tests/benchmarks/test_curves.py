"""Training curves: the right lines, bands and panels."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmarks.curves import _line, training_curves
from benchmarks.drawing import COLOURS
from benchmarks.report import Outcome
from benchmarks.training_log import Training

SEEDS = {
    0: Training(60.0, {"val/face": [(0, 0.1), (5, 0.4), (10, 0.6)], "val/total": [(0, 0.0)]}),
    1: Training(60.0, {"val/face": [(0, 0.3), (5, 0.5)], "policy/divergence": [(0, 0.0)]}),
}


def outcome(method, trainings):
    return Outcome(method, "", {}, [], trainings=trainings)


def test_a_line_is_the_mean_and_the_band_the_range_of_the_seeds_that_came_so_far():
    axis = Figure().subplots()
    _line(axis, SEEDS, "val/face", "tuned", "#000000")
    (line,) = axis.lines
    np.testing.assert_allclose(np.column_stack(line.get_data()), [[0, 0.2], [5, 0.45], [10, 0.6]])
    (band,) = axis.collections
    corners = {tuple(np.round(c, 6)) for c in band.get_paths()[0].vertices}
    assert {(0, 0.1), (0, 0.3), (5, 0.4), (5, 0.5), (10, 0.6)} <= corners


def test_panels_are_the_figures_that_were_logged_the_validated_total_first():
    caption, drawn = training_curves([outcome("base", {}), outcome("tuned", SEEDS), outcome("other", SEEDS)])
    assert "band from the lowest to the highest" in caption
    words = ("Total, validated", "Face, validated", "Distance from the start")
    assert all(word in drawn for word in words)
    assert drawn.index(words[0]) < drawn.index(words[1]) < drawn.index(words[2])
    assert "Spread within groups" not in drawn
    assert "tuned" in drawn
    assert "base" not in drawn
    assert COLOURS[0] not in drawn, "the untrained method's, on this page"
    assert COLOURS[1] in drawn
    assert COLOURS[2] in drawn


@pytest.mark.parametrize("outcomes", [[], [outcome("base", {})], [outcome("t", {0: Training(3.0)})]])
def test_nothing_trained_is_no_plot(outcomes):
    assert training_curves(outcomes)[1] == ""
