"""``--suite speed`` from the command to report and MLflow, on networks of a few thousand numbers."""

import json

import mlflow
import pytest

from benchmarks import run
from benchmarks.speed.groups import GroupEpochs
from benchmarks.speed.judging import JudgedGroups
from benchmarks.suite import SuiteError
from benchmarks.suite_file import load_suite
from benchmarks.tracking import tracking_uri
from lightning_modules.ar2can.artist import GRPOArtistModule

SIZES = {"heads": 2, "head_dim": 32, "double_blocks": 1, "single_blocks": 1, "text_tokens": 4}
SMALL = [f"options.{part}.{key}={value}" for part in ("flux", "tiny") for key, value in SIZES.items()]
SMALL += ["options.flux.side=12", "options.tiny.side=3", "options.tiny.batch=2", "repeats=3"]
RATIOS = [
    "boxes_vs_one_canvas",
    "boxes_vs_canvases_3",
    "boxes_vs_canvases_7",
    "boxes_2_to_7",
    "cached_vs_joint",
    "cached_vs_branch",
    "cached_vs_causal",
    "cache_once",
    "window_time",
    "window_memory",
    "window_trajectory",
    "window_time_checkpointed",
    "kontext_pipeline",
]
TIMES = {name for name in RATIOS if name not in {"window_memory", "window_trajectory"}}
BARS = [
    "workloads.canvases.ratios.boxes_vs_one_canvas.expected='>= 1000'",
    "workloads.canvases.ratios.boxes_vs_canvases_7.expected='>= 1.01'",
]


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speed")
    arguments = ["--suite", "speed", "--output", str(folder), *SMALL, *BARS]
    arguments += ["workloads.groups=null", "workloads.judging=null"]
    assert run.main(arguments) == 0, "a bar that is missed is no failure"
    return folder


@pytest.fixture(scope="module")
def report(output):
    return json.loads((output / "report.json").read_text())


def row(report, name, metric="ratio"):
    found = [r for r in report["rows"] if (r["method"], r["metric"]) == (name, metric)]
    assert len(found) == 1, (name, metric)
    return found[0]


def test_every_ratio_is_there_with_its_flop_ratio(report):
    assert report["status"] == "finished"
    assert report["summed_up"].startswith("median over rounds")
    assert [c["method"] for c in report["configurations"]] == RATIOS
    for name in RATIOS:
        found = row(report, name)
        assert found["value"] > 0
        if name in TIMES:
            assert found["low"] <= found["value"] <= found["high"]
            assert found["n"] == 3
            assert row(report, name, "flop_ratio")["value"] > 0
    assert {r["method"] for r in report["rows"] if r["metric"] == "flop_ratio"} == TIMES
    assert {r["metric"] for r in report["rows"]} == {"ratio", "flop_ratio"}, "no absolute figures"


def test_ratios_point_the_way_they_are_named(report):
    assert row(report, "boxes_vs_one_canvas", "flop_ratio")["value"] > 1
    three, seven = (row(report, f"boxes_vs_canvases_{n}", "flop_ratio")["value"] for n in (3, 7))
    assert seven > three > row(report, "boxes_vs_one_canvas", "flop_ratio")["value"]
    assert row(report, "boxes_2_to_7", "flop_ratio")["value"] > 1
    assert row(report, "window_time", "flop_ratio")["value"] > 1.5
    assert row(report, "kontext_pipeline", "flop_ratio")["value"] == pytest.approx(1, rel=0.05)
    assert row(report, "window_memory")["value"] == pytest.approx(0.3, abs=0.002)
    assert row(report, "window_trajectory")["value"] == pytest.approx(4 / 11, abs=0.002)


def test_bars_and_verdicts(report):
    bars = {name: (row(report, name)["expected"], row(report, name)["met"]) for name in RATIOS}
    assert bars["boxes_vs_one_canvas"] == ("≥ 1000", False)
    assert bars["boxes_vs_canvases_7"] == ("≥ 1.01", True)
    assert bars["window_memory"] == ("≤ 0.3", True)
    assert bars["window_trajectory"] == (None, None)


def test_the_page_and_mlflow_say_the_same(output, report):
    page = (output / "report.html").read_text()
    assert '<span class="badge bad">≥ 1000 missed</span>' in page
    assert '<span class="badge good">≥ 1.01 met</span>' in page
    assert "Median over rounds, quartiles beneath." in page
    assert "95 %" not in page
    mlflow.set_tracking_uri(tracking_uri(output))
    runs = mlflow.search_runs(experiment_names=["speed"]).set_index("params.method")
    assert set(RATIOS) <= set(runs.index)
    one = runs.loc["boxes_vs_one_canvas"]
    expected = row(report, "boxes_vs_one_canvas")
    assert one["metrics.ratio"] == pytest.approx(expected["value"])
    assert one["metrics.ratio/high"] == pytest.approx(expected["high"])
    assert one["metrics.flop_ratio"] == pytest.approx(
        row(report, "boxes_vs_one_canvas", "flop_ratio")["value"]
    )
    assert (one["metrics.ratio/met"], runs.loc["window_memory"]["metrics.ratio/met"]) == (0, 1)
    assert (one["params.over"], one["params.under"]) == ("one_canvas.cpu", "faces_3.cpu")


@pytest.fixture
def quick(tmp_path, monkeypatch):
    """Arguments of a run of the canvases alone, without MLflow, whose new database takes seconds."""
    monkeypatch.setattr("benchmarks.recorder.Recorder.track", lambda self: None)
    others = [f"workloads.{name}=null" for name in ("groups", "policy", "checkpointed", "kontext")]
    return ["--suite", "speed", "--output", str(tmp_path), *others, *SMALL]


def test_the_terminal_shows_the_table(quick, capsys):
    assert run.main([*quick, *BARS]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "│ boxes_vs_one_canvas" in line]
    figures, verdict = (line.split("│")[1:-1] for line in lines)
    assert len(figures) == 3  # name, ratio, FLOP ratio
    assert verdict[-1].strip() == "≥ 1000 missed"


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("options.flux.hedas=2", "did you mean 'heads'"),
        ("options.flux.breadth=2", "unexpected keyword argument 'breadth'"),
        ("options.flux.head_dim=20", "head_dim: 20 must be a multiple of 32"),
        ("workloads.canvases.cases.init_args.face=2", "face: 2 must lie in"),
        ("workloads.canvases.cases.init_args.people=[3]", "no case 'canvases_7'"),
        ("workloads.canvases.cases.class_path=pathlib.Path", "unknown argument|no attribute 'cases'"),
    ],
)
def test_mistakes_stop_before_anything_is_measured(quick, tmp_path, capsys, override, words):
    assert run.main([*quick, override]) == 2
    error = capsys.readouterr().err
    assert any(word in error for word in words.split("|")), error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("repeats=0", "repeats must be at least 1"),
        ("workloads.policy.ratios.window_time.expected=2.3", "write a relation and a number"),
        ("workloads.policy.ratios.window_time.over=window", "not written case.quantity"),
        ("workloads.policy.ratios.window_time.ovr=window.cpu", "did you mean 'over'"),
        ("workloads.policcy.repeats=1", "did you mean 'policy'"),
        ("repeat=1", "did you mean 'repeats'"),
    ],
)
def test_mistakes_in_the_suite_are_named(override, words):
    with pytest.raises(SuiteError, match=words):
        load_suite("speed", [override])
    nothing = [
        f"workloads.{name}=null"
        for name in ("canvases", "condition", "policy", "checkpointed", "groups", "judging", "kontext")
    ]
    with pytest.raises(SuiteError, match="at least one entry under 'workloads'"):
        load_suite("speed", nothing)


def test_a_count_that_no_case_makes_fails_its_workload_alone(quick, tmp_path):
    assert run.main([*quick, "workloads.canvases.ratios.boxes_2_to_7.over=faces_7.bytes"]) == 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert [f["method"] for f in report["failures"]] == ["canvases"]
    assert "the case counts flops" in report["failures"][0]["error"]


def test_real_epochs_encode_once_per_group_and_the_counter_sees_waste(monkeypatch):
    epochs = GroupEpochs(epochs=1, groups=2, group_size=2, steps=3)
    counts = epochs.cases()["epochs"]()
    assert (counts["groups"], counts["images"], counts["prompts"]) == (2, 4, 2)
    assert counts["canvases"] == counts["people"] >= 4
    assert counts["updates"] >= 1, "the counts must cover learning"
    encode = GRPOArtistModule.encode
    monkeypatch.setattr(
        GRPOArtistModule, "encode", lambda self, scenes: (encode(self, scenes), encode(self, scenes))[1]
    )
    wasted = epochs.cases()["epochs"]()
    assert wasted["prompts"] == 2 * counts["prompts"]
    assert wasted["canvases"] == 2 * wasted["people"]


def test_a_slow_judge_is_asked_about_every_image_by_both():
    """At once for a group, while the next is drawn or before it (tests/lightning_modules/policy/test_judging.py)."""
    cases = JudgedGroups(seconds=0.01, groups=2, group_size=3, steps=2).cases()
    assert cases["overlapped"]() == cases["in_turn"]() == {"images": 6.0}
    with pytest.raises(ValueError, match="seconds: 0"):
        JudgedGroups(seconds=0, groups=1, group_size=1, steps=2)
