"""Published benchmarks drawn with a generator of ours: the naming, what is planned by whom, and taking it up again."""

import json

import numpy as np
import pytest
import torch
from blob_world import Painter
from published_world import COUNTS, PAINTER, arguments, run_suite, value, write_multi_human, write_multi_id

from benchmarks import run
from benchmarks.published import draw
from benchmarks.published.drawing import DRAWN
from benchmarks.published.tiny import encoded
from datamodules.collate import collate
from datamodules.plan_files import write_plan
from datamodules.whole_files import write_whole


@pytest.fixture(autouse=True)
def no_mlflow(monkeypatch):
    """A new database takes seconds, and is tested with the generating suite."""
    monkeypatch.setattr("benchmarks.recorder.Recorder.track", lambda self: None)


@pytest.fixture
def testbench(tmp_path):
    """MultiHuman-Testbench of discs."""
    write_multi_human(tmp_path)
    return tmp_path


def test_a_method_of_ours_is_drawn_in_the_naming_that_is_scored(testbench):
    nobody = torch.full((3, 16, 16), 0.3)
    (testbench / "faces/6_1.png").write_bytes(encoded(nobody, ".png"))
    more = (
        "methods.artist=null",
        "methods.painter={generator: blob_world.Painter, settings: [{shade: 0.3}]}",
    )
    report = run_suite("multi_human", testbench, *more, "seeds=[0,1]")
    folder = testbench / "out/images/painter_shade=0.3"
    assert sorted(p.name for p in (folder / "seed_1").glob("*.png")) == [
        f"{k}.png" for k in (0, 1, 2, 3, 4, 5, 7)
    ]
    assert value(report, "count_exact", method="painter")["value"] == 1
    assert value(report, "identity_anywhere", method="painter")["value"] == pytest.approx(1, abs=1e-2)
    undrawn = [e for e in report["excluded_files"] if e["status"] == "not drawn"]
    assert [e["file"] for e in undrawn] == [f"painter/shade=0.3/seed_{s}/6.png" for s in (0, 1)]
    assert "6_1.png" in undrawn[0]["reason"]
    assert any("drawn after plans: 7 from a row of faces instead of a plan" in n for n in report["notes"])
    rows = run_suite("multi_human", testbench, *more, "seeds=[0,1]")["rows"]
    assert rows == report["rows"]
    assert run.main(arguments("multi_human", testbench, *more, "options.size=64", "seeds=[0,1]")) == 2


def test_drawing_goes_on_where_it_stopped_and_no_half_image_has_a_name(testbench, monkeypatch):
    out = testbench / "ours"
    overrides = [a for a in arguments("multi_human", testbench, "methods.artist=null", PAINTER) if "=" in a]
    command = ["--suite", "multi_human", "--out", str(out), *overrides]
    written = []

    def dying(path, content):
        if path.suffix == ".png":
            written.append(path.name)
            if len(written) == 4:
                path.with_name(f".{path.name}.part").write_bytes(content[: len(content) // 2])
                raise KeyboardInterrupt
        write_whole(path, content)

    with monkeypatch.context() as patched:
        patched.setattr("benchmarks.published.drawing.write_whole", dying)
        assert draw.main(command) == run.INTERRUPTED
    assert sorted(p.name for p in out.glob("[0-9]*.png")) == ["0.png", "1.png", "2.png"]
    stamps = {p.name: p.stat().st_mtime_ns for p in out.glob("[0-9]*.png")}
    assert draw.main(command) == 0
    assert {name: (out / name).stat().st_mtime_ns for name in stamps} == stamps
    assert len(list(out.glob("[0-9]*.png"))) == len(COUNTS)
    assert not list(out.glob(".*.part"))
    assert json.loads((out / DRAWN).read_text())["generator"] == "blob_world.Painter"
    report = run_suite("multi_human", testbench, "--images", str(out))
    assert value(report, "count_exact", method="ours")["value"] == 1
    entries = json.loads((testbench / "metadata.json").read_text())
    entries[5]["prompt"] = "somebody else"
    (testbench / "metadata.json").write_text(json.dumps(entries))
    assert draw.main(command) == 2, "images of another prompt are not kept"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["seeds=[0,1]"], "one method in one setting with one seed"),
        (["--method", "paintr"], "did you mean 'painter'"),
        (["options.size=64"], "drawn in another way (size"),
    ],
)
def test_draw_refuses_what_would_be_mixed(testbench, capsys, more, words):
    command = [a for a in arguments("multi_human", testbench, "methods.artist=null", PAINTER) if "=" in a]
    command = ["--suite", "multi_human", "--out", str(testbench / "ours"), *command]
    if "options.size=64" in more:
        assert draw.main(command) == 0
    assert draw.main([*command, *more]) == 2
    assert words in capsys.readouterr().err


def test_plans_of_any_architect_are_drawn(testbench, monkeypatch):
    drawn = write_multi_id(testbench / "id")
    plans = testbench / "id/cases/plans"
    plans.mkdir()
    for k, scene in enumerate(drawn):
        write_plan(plans / f"case_{k}.json", collate([scene]).layout)
    (plans / "case_1.json").write_text((plans / "case_0.json").read_text())
    seen = []
    original = Painter.generate
    monkeypatch.setattr(
        Painter, "generate", lambda self, batch, **given: seen.append(batch) or original(self, batch, **given)
    )
    report = run_suite("multi_id", testbench / "id", "methods.artist=null", PAINTER)
    assert [len(batch.layout.boxes[0]) for batch in seen] == [1, 3, 2]
    assert np.allclose(seen[1].layout.boxes[0], np.stack([p.box for p in drawn[2].persons]), atol=1e-4)
    assert seen[1].prompts == (drawn[2].prompt,)
    excluded = {e["file"]: e for e in report["excluded_files"]}
    assert "plans 1 people, but the case has 2" in excluded["painter/seed_0/case_1/out.jpg"]["reason"]


def test_a_generator_that_breaks_costs_no_other(testbench):
    more = ("methods.artist=null", "methods.a={generator: blob_world.Painter}")
    broken = "methods.b={generator: {class_path: blob_world.Painter, init_args: {broken_on: place}}}"
    report = run_suite("multi_human", testbench, *more, broken, status=1)
    assert [f["method"] for f in report["failures"]] == ["b"]
    assert value(report, "count_exact", method="a")["n"] == len(COUNTS)
