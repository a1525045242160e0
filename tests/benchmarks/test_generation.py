"""A real suite from end to end: scenes, methods, judges, report, MLflow."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch
from blob_world import BlobAnalyzer, scenes
from diffusers import AutoencoderKL
from scipy import linalg

from benchmarks import run
from benchmarks.ceilings import CodecRoundTrip, Renders
from benchmarks.generation import check_generator, spread
from benchmarks.jobs import check_arguments, locate
from benchmarks.planning import check_planner
from benchmarks.recorder import Recorder
from benchmarks.scenes import OVERLAP, shared_places, tiny_world, tiny_world_overlapping
from benchmarks.suite_file import available_suites, load_suite
from benchmarks.sweep import configurations
from benchmarks.tracking import tracking_uri
from datamodules.collate import collate

BLOBS = str(Path(__file__).with_name("blobs.yaml"))
FAILING = "methods.broken={generator: blob_world.Failing}"


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """The blob suite with a method that breaks in its midst."""
    folder = tmp_path_factory.mktemp("runs")
    assert run.main(["--suite", BLOBS, "--output", str(folder), FAILING]) == 1
    return folder


@pytest.fixture(scope="module")
def report(output):
    return json.loads((output / "report.json").read_text())


def row(report, method, metric, setting="", part="all", seed=None):
    keys = {"method": method, "metric": metric, "setting": setting, "slice": part, "seed": seed}
    found = [r for r in report["rows"] if all(r[k] == v for k, v in keys.items())]
    assert len(found) == 1, keys
    return found[0]


def test_a_broken_method_is_named_and_the_others_are_kept(report):
    assert report["status"] == "failed"
    assert [f["method"] for f in report["failures"]] == ["broken"]
    assert "no memory left" in report["failures"][0]["error"]
    assert [(c["method"], c["setting"]) for c in report["configurations"]] == [
        ("renders", ""),
        ("washed", "strength=0.2"),
        ("washed", "strength=0.9"),
    ]
    assert (report["finished_configurations"], report["planned_configurations"]) == (3, 4)


def test_figures_tell_good_from_bad(report):
    assert row(report, "renders", "count_exact")["value"] == 1.0
    assert row(report, "renders", "identity")["value"] > 0.99
    assert row(report, "washed", "identity", "strength=0.9")["value"] < 0.8
    assert (
        row(report, "washed", "frechet", "strength=0.9")["value"] > row(report, "renders", "frechet")["value"]
    )
    assert row(report, "washed", "count_exact", "strength=0.2", part="people=3")["n"] == 3


def test_seeds_stand_alone_and_together(report):
    alone = [row(report, "washed", "judge", "strength=0.9", seed=s)["value"] for s in (0, 1)]
    both = row(report, "washed", "judge", "strength=0.9")
    assert alone[0] != alone[1]
    assert both["value"] == pytest.approx(np.mean(alone))
    assert both["n"] == 12
    assert {r["seed"] for r in report["rows"] if r["method"] == "renders"} == {None, 0}
    assert row(report, "washed", "frechet", "strength=0.9", seed=1)["n"] == 12


def test_frechet_distance_equals_scipys_matrix_root(report):
    drawn = scenes("test", 24, (1, 2, 3, 4), 0)
    features = BlobAnalyzer().features(torch.stack([s.image for s in drawn])).double().numpy()
    ours, true = features[:12], features[12:]
    a, b = np.cov(ours.T), np.cov(true.T)
    root = linalg.sqrtm(a @ b).real
    expected = np.sum((ours.mean(0) - true.mean(0)) ** 2) + np.trace(a + b - 2 * root)
    assert row(report, "renders", "frechet")["value"] == pytest.approx(expected, rel=1e-3)


def test_kernel_distance_is_kids_without_bias_pair_by_pair(report):
    drawn = scenes("test", 24, (1, 2, 3, 4), 0)
    features = BlobAnalyzer().features(torch.stack([s.image for s in drawn])).double().numpy()
    ours, true = features[:12], features[12:]

    def kernel(a, b):
        return (a @ b / len(a) + 1) ** 3

    same = [
        np.mean([kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
        for x in (ours, true)
    ]
    expected = sum(same) - 2 * np.mean([kernel(a, b) for a in ours for b in true])
    assert row(report, "renders", "kernel")["value"] == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_one_line_per_image(output, report):
    lines = [json.loads(line) for line in (output / "images.jsonl").read_text().splitlines()]
    assert len(lines) == 12 + 2 * 2 * 12
    mine = [x["metrics"]["judge"] for x in lines if x["method"] == "renders"]
    assert row(report, "renders", "judge")["value"] == pytest.approx(np.mean(mine))


def test_the_page_shows_the_scenes_of_every_method(output):
    page = (output / "report.html").read_text()
    assert page.count('class="shot"') == 3 * 3
    assert "no memory left" in page


def test_mlflow_holds_a_run_per_configuration_under_one_parent(output, report):
    mlflow.set_tracking_uri(tracking_uri(output))
    runs = mlflow.search_runs(experiment_names=["blobs"])
    parents = runs[runs["tags.mlflow.parentRunId"].isna()] if "tags.mlflow.parentRunId" in runs else runs
    assert len(parents) == 1
    assert parents.iloc[0]["status"] == "FAILED"
    children = runs[runs["tags.mlflow.parentRunId"] == parents.iloc[0]["run_id"]].set_index(
        "tags.mlflow.runName"
    )
    assert set(children.index) == {"renders", "washed · strength=0.2", "washed · strength=0.9"}
    washed = children.loc["washed · strength=0.9"]
    expected = row(report, "washed", "identity", "strength=0.9")
    assert washed["metrics.identity"] == pytest.approx(expected["value"])
    assert (washed["metrics.identity/low"], washed["metrics.identity/high"]) == pytest.approx(
        (expected["low"], expected["high"])
    )
    assert washed["metrics.people_3/identity"] == pytest.approx(
        row(report, "washed", "identity", "strength=0.9", part="people=3")["value"]
    )
    assert (washed["params.method"], washed["params.strength"]) == ("washed", "0.9")

    client = mlflow.MlflowClient()
    names = {a.path for a in client.list_artifacts(washed["run_id"])}
    assert names == {"samples.png", "rows.json", "suite.yaml"}
    names = {a.path for a in client.list_artifacts(parents.iloc[0]["run_id"])}
    assert names == {"report.json", "report.html", "provenance.json", "suite.yaml"}
    assert len(mlflow.artifacts.load_image(f"runs:/{washed['run_id']}/samples.png").getbands()) == 3


@pytest.fixture
def no_mlflow(monkeypatch):
    """A new database takes seconds; what it holds is tested above."""
    monkeypatch.setattr("benchmarks.recorder.Recorder.track", lambda self: None)


def test_limit_caps_the_scenes(tmp_path, no_mlflow):
    assert run.main(["--suite", BLOBS, "--output", str(tmp_path), "--limit", "5", "methods.washed=null"]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert row(report, "renders", "judge")["n"] == 5
    assert report["status"] == "finished"


def test_several_draws_of_a_scene_tell_how_far_they_are_apart(tmp_path, no_mlflow, monkeypatch):
    """Washed adds uniform noise of half a strength: deviation 0.9 / 2 / sqrt 12, less what clipping takes."""
    shown, add = [], Recorder.add
    monkeypatch.setattr(
        Recorder, "add", lambda self, made: (shown.append(len(made.samples)), add(self, made))
    )
    overrides = ["draws=3", "limit=4", "methods.washed.grid.strength=[0.9]", "seeds=[2]", "gallery=6"]
    assert run.main(["--suite", BLOBS, "--output", str(tmp_path), *overrides]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert row(report, "washed", "diversity", "strength=0.9")["value"] == pytest.approx(
        0.45 / 12**0.5, rel=0.05
    )
    assert row(report, "renders", "diversity")["value"] == 0
    assert row(report, "washed", "judge", "strength=0.9")["n"] == 4
    lines = [json.loads(line) for line in (tmp_path / "images.jsonl").read_text().splitlines()]
    assert [x["draw"] for x in lines if x["method"] == "washed" and x["scene"] == lines[0]["scene"]] == [
        0,
        1,
        2,
    ]
    assert shown == [4, 4], "the gallery holds one image of a scene"


def test_diversity_is_the_standard_deviation_over_draws():
    drawn = torch.rand(4, 2, 3, 5, 6)
    expected = [np.sqrt(np.mean(np.var(drawn[:, i].numpy(), axis=0, ddof=1))) for i in range(2)]
    torch.testing.assert_close(spread(list(drawn))["diversity"], torch.tensor(expected))
    assert spread([drawn[0]]) == {}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("methods.washed.grid={strenth: [1]}", "unknown argument 'strenth'; did you mean 'strength'"),
        ("methods.washed.generator.init_args={pause: 1}", "unknown argument 'pause'; did you mean 'pause_s'"),
        ("methods.washed.generator=blob_world.Wshed", "blob_world has no 'Wshed'; did you mean 'Washed'"),
        ("methods.washed.generator=blob_wrld.Washed", "no module 'blob_wrld'"),
        ("methods.washed.generator=blob_world.ContrastScorer", "has no method 'generate'"),
        ("analyzer=blob_world.ContrastScorer", "ContrastScorer does not offer what Analyzer asks for"),
        ("metrics=[benchmarks.metrics.idenity]", "did you mean 'identity'"),
        ("kind=blob_world.Nothing", "blob_world has no 'Nothing'"),
    ],
)
def test_mistakes_stop_before_anything_is_generated(tmp_path, capsys, no_mlflow, override, words):
    assert run.main(["--suite", BLOBS, "--output", str(tmp_path), override]) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir()), "an earlier report would have been left as it was"


@pytest.mark.parametrize("name", sorted(available_suites()))
def test_packaged_suites_name_what_exists_and_settings_it_takes(name):
    suite, _ = load_suite(name)
    check = check_planner if suite.kind == "benchmarks.planning.PlanningJob" else check_generator
    for configuration in configurations(suite):
        check(configuration)
    workloads = [w.cases for w in suite.workloads.values()]
    for component in filter(None, (suite.analyzer, *suite.scorers.values(), *workloads)):
        check_arguments(locate(component.class_path, name), component.init_args, name)
    for path in suite.metrics:
        assert callable(locate(path, name))
    assert callable(locate(suite.scenes.source, name))


def test_the_tiny_world_gives_the_counts_asked_for():
    drawn = tiny_world(split="test", size=5, counts=(2, 4), seed=7)
    assert [len(scene) for scene in drawn] == [2, 4, 2, 4, 2]
    assert [scene.seed for scene in drawn] == [7, 8, 9, 10, 11]


def test_overlapping_layouts_are_the_first_that_share_enough_places():
    drawn = tiny_world_overlapping(split="test", size=4, counts=(4, 6), seed=3)
    assert [len(scene) for scene in drawn] == [4, 6, 4, 6]
    every = [s for s in tiny_world(split="test", size=40, counts=(4,), seed=3) if claimed_twice(s) >= OVERLAP]
    assert [s.seed for s in every[:2]] == [s.seed for s in drawn[::2]]
    with pytest.raises(ValueError, match="more people per scene"):
        tiny_world_overlapping(split="test", size=1, counts=(1,), seed=0)


def claimed_twice(scene):
    """By hand: the square of 1.4 times a box's longer side around it, rounded outwards to an 8 x 8 grid."""
    claims = np.zeros((8, 8), int)
    for person in scene.persons:
        x0, y0, x1, y1 = (person.box * 128).tolist()
        side = round(1.4 * max(x1 - x0, y1 - y0))
        left, top = round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2)
        rows, columns = (slice(max(0, low) // 16, -(-min(128, low + side) // 16)) for low in (top, left))
        claims[rows, columns] += 1
    share = (claims > 1).sum() / (claims > 0).sum()
    assert shared_places(scene) == pytest.approx(share)
    return share


def test_ceilings():
    batch = collate(scenes("test", 2, (2,), 0))
    assert torch.equal(Renders().generate(batch, seed=3), batch.images)


def test_codec_round_trip_is_decode_of_encode(tmp_path):
    torch.manual_seed(0)
    network = AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        norm_num_groups=4,
        latent_channels=16,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        shift_factor=0.1,
        scaling_factor=0.4,
    )
    network.save_pretrained(tmp_path)
    batch = collate(scenes("test", 2, (2,), 0))
    images = CodecRoundTrip(tmp_path).generate(batch, seed=0)
    with torch.no_grad():
        latents = network.encode(batch.images * 2 - 1).latent_dist.mode()
        expected = (network.decode(latents).sample / 2 + 0.5).clamp(0, 1)
    torch.testing.assert_close(images, expected, atol=1e-3, rtol=0)
    assert expected.std() > 0.05
