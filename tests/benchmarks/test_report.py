"""The report as data."""

import json
import math
import os
from dataclasses import fields, replace

import pytest
import torch

from benchmarks.report import Outcome, Report, Row, finite, write_json
from datamodules.whole_files import write_whole

ROW = Row("s", "m", "steps=4", None, "quality", 0.5, 0.4, 0.6, 10)


def report(*rows):
    made = Report("s", "about", {"git": None}, {"analyzer": "a.B"}, planned=2)
    made.outcomes.append(Outcome("m", "steps=4", {"steps": 4}, list(rows), seconds=1.23456))
    return made


def test_rows_have_exactly_the_published_keys():
    row = report(ROW).to_dict()["rows"][0]
    assert row == {
        "suite": "s",
        "method": "m",
        "setting": "steps=4",
        "seed": None,
        "metric": "quality",
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "n": 10,
        "slice": "all",
        "expected": None,
        "met": None,
        "absent": "",
    }
    assert list(row) == [f.name for f in fields(Row)]


def test_the_report_is_strict_json(tmp_path):
    path = tmp_path / "report.json"
    write_json(path, report(ROW).to_dict())
    content = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert content["status"] == "running"
    assert (content["finished_configurations"], content["planned_configurations"]) == (1, 2)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, report(Row("s", "m", "", None, "q", math.nan, None, None, 0)).to_dict())
    assert json.loads(path.read_text()) == content, "a refused report must leave the old one whole"


def test_a_row_says_whether_it_is_what_was_expected():
    met, missed = (replace(ROW, expected="≥ 0.5", met=verdict) for verdict in (True, False))
    assert (ROW.verdict, met.verdict, missed.verdict) == ("", "≥ 0.5 met", "≥ 0.5 missed")
    assert report(ROW, missed).outcomes[0].expectations() == [missed]


def test_undefined_figures_become_null():
    assert finite(math.nan) is None
    assert finite(math.inf) is None
    assert finite(0.25) == 0.25


def test_a_crash_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    write_whole(path, b"old")

    def crash(_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"new and longer")
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    write_whole(path, b"newest")
    assert path.read_bytes() == b"newest"
    assert os.listdir(tmp_path) == ["report.json"]  # noqa: PTH208


def test_lookup_by_metric_slice_and_seed():
    other = Row("s", "m", "", 1, "quality", 0.1, None, None, 5)
    part = Row("s", "m", "", None, "quality", 0.2, None, None, 5, "people=10")
    nine = Row("s", "m", "", None, "quality", 0.3, None, None, 5, "people=9")
    made = report(other, part, nine, ROW)
    outcome = made.outcomes[0]
    assert outcome.row("quality") is ROW
    assert outcome.row("quality", seed=1) is other
    assert outcome.row("quality", "people=10") is part
    assert outcome.row("missing") is None
    assert made.slices() == ["people=9", "people=10"]
    assert made.metrics() == ["quality"]


def test_the_spread_is_over_seeds_of_the_whole():
    seeds = [
        replace(ROW, seed=seed, value=value) for seed, value in ((0, 0.1), (1, 0.4), (2, None), (3, 0.6))
    ]
    outcome = report(ROW, *seeds, replace(ROW, seed=4, value=9.0, slice="people=3")).outcomes[0]
    assert outcome.spread("quality") == pytest.approx(torch.tensor([0.1, 0.4, 0.6]).std().item())
    assert report(ROW, seeds[0]).outcomes[0].spread("quality") is None
