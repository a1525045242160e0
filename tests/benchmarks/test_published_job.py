"""Published benchmarks from command line to report: scored, resumed, interrupted, judged by a server."""

import itertools
import json

import numpy as np
import pytest
import torch
from blob_world import BlobAnalyzer, ContrastScorer
from published_world import (
    COUNTS,
    PAINTER,
    SIMPLE,
    arguments,
    judge_server,
    lines,
    run_suite,
    suite_of,
    value,
    write_multi_human,
    write_multi_id,
)
from scipy import stats

from benchmarks import run
from benchmarks.files import read_image
from benchmarks.published.tiny import encoded

MANY = 10**6


@pytest.fixture(autouse=True)
def no_mlflow(monkeypatch):
    """A new database takes seconds, and is tested with the generating suite."""
    monkeypatch.setattr("benchmarks.recorder.Recorder.track", lambda self: None)


@pytest.fixture
def testbench(tmp_path):
    """MultiHuman-Testbench of discs; two images by another model: one without anybody, one of other people."""
    drawn = write_multi_human(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "1.png").write_bytes(encoded(drawn[1].background, ".png"))
    (other / "2.png").write_bytes(encoded(drawn[4].image, ".png"))
    return tmp_path


def brute_identity(folder, model, k):
    """Identity of one image by trying all matchings."""
    analyzer = BlobAnalyzer()
    people = json.loads((folder / "metadata.json").read_text())[k]["people"]
    references = [analyzer.embed_faces(read_image(folder / p, MANY)[0][None])[0] for p in people]
    found = analyzer.analyze(read_image(folder / model / f"{k}.png", MANY)[0][None])[0].embeddings
    pairs = min(len(references), len(found))
    totals = [
        sum(float(references[r] @ found[c]) for r, c in zip(rows, columns, strict=True))
        for rows in itertools.combinations(range(len(references)), pairs)
        for columns in itertools.permutations(range(len(found)), pairs)
    ]
    return max(totals) / len(references)


def test_any_models_images_are_scored(testbench):
    report = run_suite("multi_human", testbench, "--images", str(testbench / "good"))
    assert value(report, "count_exact")["value"] == 1
    assert value(report, "identity_anywhere")["value"] == pytest.approx(1, abs=1e-3)
    assert value(report, "identity_anywhere", part="people=3")["n"] == COUNTS.count(3)
    assert value(report, "action_s")["absent"] == "no judge"
    assert report["judges"]["analyzer"] == "blob_world.BlobAnalyzer"
    found = lines(testbench)
    assert list(found) == [f"good/{k}.png" for k in range(len(COUNTS))]
    assert found["good/3.png"]["judged_by"]["preference"] == "blob_world.ContrastScorer"
    parts = [
        [x["metrics"][m] for x in found.values()] for m in ("count_exact", "identity_anywhere", "preference")
    ]
    united = value(report, "unified_no_actions")
    assert united["value"] == pytest.approx(stats.gmean([np.mean(p) for p in parts]))
    assert united["low"] <= united["value"] <= united["high"]
    assert "scorers.actions" in " ".join(report["notes"])
    assert "no judge" in (testbench / "out/report.html").read_text()


def test_missing_images_are_counted_and_planted_mistakes_are_seen(testbench):
    report = run_suite("multi_human", testbench, "--images", str(testbench / "other"))
    found = lines(testbench)
    assert found["other/1.png"]["metrics"]["identity_anywhere"] == 0
    assert found["other/1.png"]["metrics"]["count_exact"] == 0
    assert found["other/2.png"]["metrics"]["identity_anywhere"] == pytest.approx(
        brute_identity(testbench, "other", 2), abs=1e-6
    )
    assert found["other/2.png"]["metrics"]["identity_anywhere"] < 0.7
    assert value(report, "identity_anywhere", method="other")["n"] == 2
    missing = [e["file"] for e in report["excluded_files"] if e["status"] == "missing"]
    assert missing == [f"other/{k}.png" for k in (0, *range(3, len(COUNTS)))]
    note = next(n for n in report["notes"] if n.startswith("other: of 8 images"))
    assert "6 missing" in note
    assert "of the 2 scored alone" in note


def test_each_folder_is_a_model(testbench):
    models = testbench / "models"
    models.mkdir()
    for name in ("good", "other"):
        (testbench / name).rename(models / name)
    report = run_suite("multi_human", testbench, "--images", str(models), "--limit", "3")
    assert {r["method"] for r in report["rows"]} == {"good", "other"}
    assert value(report, "identity_anywhere")["n"] == 3


def interrupt_at(monkeypatch, call):
    calls = itertools.count()
    original = ContrastScorer.score

    def score(self, images, prompts):
        if next(calls) == call:
            raise KeyboardInterrupt
        return original(self, images, prompts)

    monkeypatch.setattr(ContrastScorer, "score", score)


def test_what_is_taken_up_again_ends_the_same(testbench, monkeypatch):
    images = ("--images", str(testbench / "good"))
    whole = run_suite("multi_human", testbench, *images)
    (testbench / "out").rename(testbench / "whole")
    with monkeypatch.context() as patched:
        interrupt_at(patched, 4)
        part = run_suite("multi_human", testbench, *images, status=run.INTERRUPTED)
    assert part["status"] == "interrupted"
    assert value(part, "preference")["n"] == 4
    path = testbench / "out/images.jsonl"
    path.write_bytes(path.read_bytes()[:-30])  # a crash in the middle of a line
    calls = []
    original = ContrastScorer.score
    monkeypatch.setattr(
        ContrastScorer, "score", lambda self, *given: calls.append(1) or original(self, *given)
    )
    again = run_suite("multi_human", testbench, *images)
    assert len(calls) == len(COUNTS) - 3
    assert again["rows"] == whole["rows"]
    assert lines(testbench) == {
        x["file"]: x for x in map(json.loads, (testbench / "whole/images.jsonl").read_text().splitlines())
    }
    (testbench / "good/2.png").write_bytes((testbench / "good/1.png").read_bytes())
    (testbench / "faces/4_0.png").write_bytes((testbench / "faces/0_0.png").read_bytes())
    calls.clear()
    run_suite("multi_human", testbench, *images)
    assert len(calls) == 2, "an image that changed, and one of which a reference changed"


def test_a_judge_that_fails_is_reported_and_asked_again(testbench):
    images = ("--images", str(testbench / "good"))
    with judge_server() as server:
        server.answers = {"place 1?": "nine", "place 3?": "4", "place 6?": "", "place 7?": ""}
        report = run_suite("multi_human", testbench, server.scorer, *images)
        found = lines(testbench)
        assert found["good/1.png"]["metrics"]["action"] is None
        assert found["good/1.png"]["metrics"]["questions_failed"] == 2
        assert found["good/3.png"]["metrics"]["action_s"] == pytest.approx(0.5)
        assert value(report, "action_s")["value"] == pytest.approx((1 + 1 + 0.5 + 1) / 4)
        assert value(report, "action_s")["n"] == SIMPLE - 1
        assert value(report, "action_c")["value"] == 1
        assert value(report, "action_c")["n"] == 1
        note = next(n for n in report["notes"] if "without a digit" in n)
        assert "left 7 questions" in note
        assert "is not one digit" in note
        server.answers, server.asked = {}, []
        report = run_suite("multi_human", testbench, server.scorer, *images)
        assert len(server.asked) == 7, "only the images that were not judged whole"
        assert value(report, "action_c")["n"] == len(COUNTS) - SIMPLE
        assert value(report, "unified")["value"] > 0
        assert not [n for n in report["notes"] if "without a digit" in n]
        server.answers = {"?": "no idea"}
        report = run_suite("multi_human", testbench, server.scorer.replace("model: m", "model: n"), *images)
    assert value(report, "action_s")["absent"] == "judge failed"
    assert value(report, "unified_no_actions")["value"] > 0


def test_a_reference_without_a_face_leaves_identity_unknown(testbench):
    (testbench / "faces/0_0.png").write_bytes(b"no image")
    grey = torch.full((3, 16, 16), 0.5)
    (testbench / "faces/3_0.png").write_bytes(encoded(grey, ".png"))
    report = run_suite("multi_human", testbench, "--images", str(testbench / "good"))
    assert value(report, "identity_anywhere")["n"] == len(COUNTS) - 2
    assert value(report, "count_exact")["n"] == len(COUNTS)
    partly = [e for e in report["excluded_files"] if e["status"] == "partly scored"]
    assert [e["file"] for e in partly] == ["good/0.png", "good/3.png"]
    assert "shows no face" in partly[1]["reason"]
    assert "reference 0_0.png" in partly[0]["reason"]
    assert "identity is undefined" in partly[0]["reason"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["options.data=none.json"], "no file 'none.json'"),
        (["options.dta=1"], "did you mean 'data'"),
        (["options.size=100"], "multiple of 16"),
        (["--images", "none"], "not a folder"),
        (["--images", "."], "an image of the benchmark; they are called 0.png"),
        (["scorers.actions=blob_world.ContrastScorer", "--images", "GOOD"], "cannot be asked questions"),
        (["analyzer=null", "--images", "GOOD"], "needs one that finds and embeds faces"),
        (["scorers.preference=rewards.scorers.clip.CLIPScorer"], "missing 'source'"),
        (
            [
                "scorers.preference={class_path: rewards.scorers.hpsv2.HPSv2Scorer, init_args: {checkpoint: no.pt}}",
                "--images",
                "GOOD",
            ],
            "scorers.preference: ",
        ),
        (
            ["options.planner=benchmarks.published.planners.PlanFile", "methods.artist=null", PAINTER],
            "PlanFiles",
        ),
        (
            [
                "options.planner={class_path: benchmarks.published.planners.PlanFiles, init_args: {otherwise: x}}",
                PAINTER,
            ],
            "choose row or refuse",
        ),
    ],
)
def test_mistakes_are_exit_status_2(testbench, capsys, monkeypatch, more, words):
    monkeypatch.chdir(testbench)
    more = [str(testbench / "good") if part == "GOOD" else part for part in more]
    if "--images" not in more and PAINTER not in more:
        more += ["--images", str(testbench / "good")]
    if more[:2] == ["--images", "."]:
        monkeypatch.chdir(testbench / "faces")
    assert run.main(arguments("multi_human", testbench, *more)) == 2
    assert words in capsys.readouterr().err


def test_multi_id_is_scored_with_and_without_outliers(tmp_path):
    drawn = write_multi_id(tmp_path)
    good = tmp_path / "good"
    (good / "case_3/out.jpg").write_bytes(encoded(drawn[0].image, ".jpg"))
    more = ("--images", str(good), "options.outliers=true")
    report = run_suite("multi_id", tmp_path, *more)
    found = lines(tmp_path)
    whole = value(report, "similarity_truth", setting="")
    kept = value(report, "similarity_truth", setting="without outliers")
    figures = [found[f"good/case_{k}/out.jpg"]["metrics"]["similarity_truth"] for k in range(4)]
    assert figures[:3] == pytest.approx([1, 1, 1], abs=1e-3)
    assert figures[3] < 0.9
    assert whole["value"] == pytest.approx(np.mean(figures))
    assert kept["value"] == pytest.approx(np.mean(figures[:3]))
    assert (whole["n"], kept["n"]) == (4, 3)
    assert any("dropped as outliers: " in n and "similarity_truth 1" in n for n in report["notes"])
    assert value(report, "image_text", setting="")["n"] == 4
    assert "unified" not in {r["metric"] for r in report["rows"]}


def test_images_may_lie_in_the_cases_themselves_and_be_png(tmp_path):
    drawn = write_multi_id(tmp_path)
    cases = tmp_path / "cases"
    (cases / "case_0/out.png").write_bytes(encoded(drawn[0].image, ".png"))
    report = run_suite("multi_id", tmp_path, "--images", str(cases))
    assert value(report, "similarity_reference", method="cases")["n"] == 1
    assert len([e for e in report["excluded_files"] if e["status"] == "missing"]) == 3


def test_suites_may_be_run_in_turn(testbench, monkeypatch):
    ran = []
    monkeypatch.setattr(run, "_run", lambda suite, config, output: ran.append((suite.name, output)) or 1)
    assert run.main(["--suite", "multi_human", "--suite", "multi_id", "--output", "x"]) == 1
    assert [(name, str(output)) for name, output in ran] == [
        ("multi_human", "x/multi_human"),
        ("multi_id", "x/multi_id"),
    ]
    ran.clear()
    assert run.main(["--suite", "multi_human", "--suite", "multi_idd"]) == 2
    assert not ran
    assert suite_of("multi_id", testbench).kind == "multi_id"
