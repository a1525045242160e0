"""A folder of images, good and bad, scored file by file."""

import json
import os

import numpy as np
import pytest
import torch
from blob_world import ContrastScorer, scenes
from PIL import Image

from benchmarks import run
from benchmarks.pictures import to_pil

JUDGES = [
    "analyzer=blob_world.BlobAnalyzer",
    "scorers={contrast: blob_world.ContrastScorer, image_text: blob_world.ColourWordScorer}",
    "images.max_pixels=100000",
    "bootstrap=50",
]


@pytest.fixture(autouse=True)
def no_mlflow(monkeypatch):
    """A new database takes seconds, and is tested with the generating suite."""
    monkeypatch.setattr("benchmarks.recorder.Recorder.track", lambda self: None)


@pytest.fixture
def folder(tmp_path):
    """Two models' images; good ones of several makes, and one of every bad kind."""
    drawn = scenes("test", 8, (1, 2, 3, 4), 0)
    where = tmp_path / "images"
    for model in ("one", "two"):
        (where / model).mkdir(parents=True)
    rows = []
    for i, scene in enumerate(drawn):
        name = f"{('one', 'two')[i % 2]}/{i}.png"
        to_pil(scene.image).save(where / name)
        rows.append({"file": name, "prompt": scene.prompt, "people": len(scene)})
    picture = to_pil(drawn[0].image)
    picture.convert("RGBA").save(where / "one/alpha.png")
    picture.quantize(16).save(where / "one/palette.png")
    Image.fromarray(np.full((20, 30), 40000, np.uint16)).save(where / "one/deep.png")
    picture.resize((96, 32)).save(where / "one/wide.jpg")
    picture.convert("CMYK").save(where / "one/cmyk.jpg")
    Image.new("RGB", (400, 300)).save(where / "one/huge.png")
    (where / "one/corrupt.png").write_bytes((where / "one/alpha.png").read_bytes()[:100])
    (where / "one/notes.txt").write_text("not an image")
    rows.append({"file": "one/gone.png", "prompt": "nobody is here"})
    (tmp_path / "prompts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def score(folder, *more, status=0):
    arguments = [
        "--suite",
        "score",
        "--images",
        str(folder / "images"),
        "--prompts",
        str(folder / "prompts.jsonl"),
    ]
    assert run.main([*arguments, "--output", str(folder / "out"), *JUDGES, *more]) == status
    return json.loads((folder / "out/report.json").read_text())


def lines(folder):
    return {x["file"]: x for x in map(json.loads, (folder / "out/images.jsonl").read_text().splitlines())}


def test_the_bad_are_named_and_counted_and_the_rest_is_scored(folder):
    report = score(folder)
    assert {(e["file"], e["status"]) for e in report["excluded_files"]} == {
        ("one/cmyk.jpg", "unsupported"),
        ("one/huge.png", "huge"),
        ("one/corrupt.png", "corrupt"),
        ("one/gone.png", "missing"),
    }
    assert all(e["reason"] for e in report["excluded_files"])
    converted = {e["file"]: e["note"] for e in report["converted_files"]}
    assert set(converted) == {"one/alpha.png", "one/palette.png", "one/deep.png"}
    assert any(note.startswith("Files: 12 scored") for note in report["notes"])
    by_method = {r["method"]: r for r in report["rows"] if (r["metric"], r["slice"]) == ("contrast", "all")}
    assert {method: r["n"] for method, r in by_method.items()} == {"one": 8, "two": 4}
    exact = {r["method"]: r for r in report["rows"] if (r["metric"], r["slice"]) == ("count_exact", "all")}
    assert {m: (r["value"], r["n"]) for m, r in exact.items()} == {"one": (1.0, 4), "two": (1.0, 4)}
    page = (folder / "out/report.html").read_text()
    assert "4 files left out" in page
    assert "one/gone.png" in page


def test_each_line_says_what_was_found(folder):
    score(folder)
    found = lines(folder)
    assert len(found) == 16
    assert found["one/2.png"]["metrics"]["faces"] == 3
    assert found["one/2.png"]["metrics"]["image_text"] == 1.0
    assert found["one/wide.jpg"]["metrics"].keys() == {"faces", "contrast"}
    with Image.open(folder / "images/one/2.png") as opened:
        pixels = torch.from_numpy(np.array(opened)).permute(2, 0, 1)[None] / 255
    assert found["one/2.png"]["metrics"]["contrast"] == pytest.approx(
        ContrastScorer().score(pixels, [""]).item()
    )
    assert (found["one/wide.jpg"]["width"], found["one/wide.jpg"]["height"]) == (96, 32)


class Counted:
    """Counts how many images are judged."""

    def __init__(self, monkeypatch):
        self.calls = 0
        original = ContrastScorer.score

        def score(scorer, images, prompts):
            self.calls += 1
            return original(scorer, images, prompts)

        monkeypatch.setattr(ContrastScorer, "score", score)

    def since(self):
        calls, self.calls = self.calls, 0
        return calls


def test_a_second_run_scores_only_what_changed(folder, monkeypatch):
    counted = Counted(monkeypatch)
    score(folder, "--limit", "9")
    first = counted.since()
    before = lines(folder)
    report = score(folder)
    assert counted.since() == 12 - first
    assert {f: lines(folder)[f] for f in before} == before
    rows = report["rows"]

    # a crash in the middle of a line, a touched file, a file that turned up
    path = folder / "out/images.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    cut = list(lines_of(path))[-1]
    to_pil(scenes("test", 1, (2,), 50)[0].image).save(folder / "images/two/1.png")
    to_pil(scenes("test", 1, (2,), 51)[0].image).save(folder / "images/one/gone.png")
    report = score(folder)
    assert counted.since() == 3
    assert cut in lines(folder)
    assert not [e for e in report["excluded_files"] if e["status"] == "missing"]
    assert len(path.read_text().splitlines()) == 16, "one line per file, the outdated ones dropped"
    assert report["rows"] != rows

    score(folder)
    assert counted.since() == 0


def lines_of(path):
    """File names, of whole lines and of a broken last one."""
    return [text.split('"file": "')[1].split('"')[0] for text in path.read_text().splitlines()]


def test_other_judges_do_not_inherit_scores(folder, monkeypatch):
    counted = Counted(monkeypatch)
    score(folder)
    first = counted.since()
    score(folder, "analyzer.init_args.min_pixels=9")
    assert counted.since() == first
    assert [p.name for p in (folder / "out").glob("images.*.jsonl")], (
        "the old judges' lines are set aside, not lost"
    )


def test_an_image_a_judge_cannot_take_is_named(folder, monkeypatch):
    original = ContrastScorer.score

    def picky(scorer, images, prompts):
        if images.shape[-1] == 96:
            raise RuntimeError("too wide for me")
        return original(scorer, images, prompts)

    monkeypatch.setattr(ContrastScorer, "score", picky)
    report = score(folder)
    entry = next(e for e in report["excluded_files"] if e["file"] == "one/wide.jpg")
    assert entry["status"] == "not judged"
    assert "too wide for me" in entry["reason"]
    assert len(report["excluded_files"]) == 5


def test_an_interruption_reports_what_was_scored(folder, monkeypatch):
    original = ContrastScorer.score
    calls = iter(range(100))

    def interrupted(scorer, images, prompts):
        if next(calls) == 6:
            raise KeyboardInterrupt
        return original(scorer, images, prompts)

    monkeypatch.setattr(ContrastScorer, "score", interrupted)
    report = score(folder, status=130)
    assert report["status"] == "interrupted"
    scored = [x for x in lines(folder).values() if x["status"] == "scored"]
    assert len(scored) == 6
    assert (
        sum(
            r["n"]
            for r in report["rows"]
            if (r["metric"], r["slice"], r["seed"]) == ("contrast", "all", None)
        )
        == 6
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "needs --images DIR"),
        (["--images", "no/such/folder"], "is not a folder"),
        (["--images", os.devnull], "is not a folder"),
    ],
)
def test_what_is_missing_is_said(tmp_path, capsys, arguments, words):
    assert run.main(["--suite", "score", "--output", str(tmp_path / "out"), *JUDGES, *arguments]) == 2
    assert words in capsys.readouterr().err


def test_an_empty_folder_is_an_error(tmp_path, capsys):
    (tmp_path / "images").mkdir()
    arguments = [
        "--suite",
        "score",
        "--images",
        str(tmp_path / "images"),
        "--output",
        str(tmp_path / "out"),
        *JUDGES,
    ]
    assert run.main(arguments) == 2
    assert "no image files" in capsys.readouterr().err
