"""The command line: from photographs to scenes and a contact sheet, and what it answers to mistakes."""

import json

import pytest
from drawn_photos import write_album
from PIL import Image

from datamodules.photographs.__main__ import main
from datamodules.photographs.scenes import FolderScenes

TINY = "rewards.analyzers.tiny.TinyAnalyzer"
SIZES = ["--size", "[128,128]", "--reference_size", "64", "--same_person", "0.62", "--smallest_view", "8"]


@pytest.fixture
def few(album, tmp_path):
    write_album(tmp_path / "photos", {n: s for n, s in album.items() if n.startswith("family1")})
    return tmp_path / "photos"


def test_a_folder_and_a_sheet(few, tmp_path, capsys):
    out = tmp_path / "out"
    command = [str(few), "--out", str(out), "--analyzer", TINY, *SIZES, "--sources.synthetic", "0"]
    command += ["--sources.multi_view", "0.6", "--preview", "3"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "5 scenes" in said
    assert "family1/portrait.png: faces seen: 1" in said
    assert len(FolderScenes(out)) == 5
    with Image.open(out / "preview.png") as sheet:
        assert sheet.size[1] > 3 * 192
    state = json.loads((out / "build.json").read_text())
    assert state["settings"]["sources"]["multi_view"] == 0.6
    assert json.loads(state["analyzer"])["class_path"] == TINY
    assert main([*command, "--analyzer.score_threshold", "0.99"]) == 1  # another analyzer that sees nobody
    assert "0 scenes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(["--size", "[100,128]"], "multiples of 16"), (["--sources.multi_view", "0.9"], "sum to 1"),
     (["--analyzer", "rewards.analyzers.tiny.Nobody"], "Nobody"), (["--no_such_option", "1"], "no_such_option")],
)  # fmt: skip
def test_mistakes_are_named(few, tmp_path, capsys, wrong, said):
    command = [str(few), "--out", str(tmp_path / "out"), "--analyzer", TINY, *SIZES, *wrong]
    try:
        code = main(command)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    captured = capsys.readouterr()
    assert said in captured.out + captured.err
    assert not (tmp_path / "out").exists()
