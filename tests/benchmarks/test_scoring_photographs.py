"""A folder of real photographs scored by real face and body networks, as a user scores a model's images."""

import json
import shutil

import pytest

from benchmarks import run
from rewards.real_parts.fetch import find_part

PEOPLE = {"sample1.jpg": 3, "sample4.jpg": 4, "sample5.jpg": 5, "obama.jpg": 1}
WRONG = {"biden.jpg": 2}  # one person is there


@pytest.mark.realparts
def test_heads_of_photographs_are_counted_through_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "benchmarks.recorder.Recorder.track", lambda self: None
    )  # a new database takes seconds
    (tmp_path / "images").mkdir()
    rows = []
    for name, people in {**PEOPLE, **WRONG}.items():
        shutil.copy(find_part("photos") / name, tmp_path / "images" / name)
        rows.append({"file": name, "prompt": f"a photograph of {people} people", "people": people})
    (tmp_path / "prompts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    folders = ["--images", str(tmp_path / "images"), "--prompts", str(tmp_path / "prompts.jsonl")]
    judges = ["analyzer=rewards.analyzers.combined.photo_analyzer"]
    judges += [f"scorers.{name}=null" for name in ("image_text", "quality", "judge")]
    assert run.main(["--suite", "score", *folders, "--output", str(tmp_path / "out"), *judges]) == 0
    images = [json.loads(line) for line in (tmp_path / "out/images.jsonl").read_text().splitlines()]
    assert {x["file"]: x["metrics"]["faces"] for x in images} == {**PEOPLE, "biden.jpg": 1}
    report = json.loads((tmp_path / "out/report.json").read_text())
    exact = next(r for r in report["rows"] if (r["metric"], r["slice"]) == ("count_exact", "all"))
    assert exact["value"] == pytest.approx(4 / 5)
    assert not any(r["metric"] == "judge" for r in report["rows"]), (
        "scorers of the tiny world look at no photograph"
    )
