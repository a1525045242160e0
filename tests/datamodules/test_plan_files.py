"""Plans as files: what is written is read, and what cannot be drawn is refused with a reason."""

import json
from dataclasses import replace

import pytest
import torch

from datamodules.collate import collate
from datamodules.plan_files import PlanError, read_plan, row_of_faces, write_plan
from datamodules.tiny_world.scenes import draw_scene

BOX = [0.1, 0.2, 0.3, 0.4]


def written(tmp_path, content):
    path = tmp_path / "plan.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_what_is_written_is_read(tmp_path):
    layout = collate([draw_scene(1, "val", count=2), draw_scene(2, "val", count=4)]).layout
    for index, count in ((0, 2), (1, 4)):
        write_plan(tmp_path / "plan.json", layout, index)
        plan = read_plan(tmp_path / "plan.json")
        assert plan.counts().tolist() == [count]
        for part in ("boxes", "keypoints", "depths"):
            expected = getattr(layout, part)[index, :count]
            torch.testing.assert_close(getattr(plan, part)[0], expected, atol=1e-5, rtol=0)


def test_depth_and_body_may_be_left_out(tmp_path):
    plan = read_plan(written(tmp_path, {"people": [{"box": BOX}, {"box": [0.2, 0.2, 0.4, 0.4], "depth": 2}]}))
    assert plan.depths is not None
    assert plan.depths.tolist() == [[0, 2]]
    assert not plan.keypoints.any()
    write_plan(tmp_path / "again.json", replace(plan, depths=None))
    assert json.loads((tmp_path / "again.json").read_text())["people"][0] == {"box": BOX}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ([BOX], "expected"),
        ({"people": []}, "0 people"),
        ({"people": [{"box": BOX}] * 8}, "8 people"),
        ({"people": [{"box": BOX}, {"depth": 1}]}, r"people\[1\]: expected an object with box"),
        ({"people": [{"box": BOX, "face": 1}]}, r"unknown: \['face'\]"),
        ({"people": [{"box": BOX[:3]}]}, "four finite numbers"),
        ('{"people": [{"box": [0.1, NaN, 0.3, 0.4]}]}', "four finite numbers"),
        ({"people": [{"box": [True, 0.2, 0.3, 0.4]}]}, "four finite numbers"),
        ({"people": [{"box": [-0.1, 0.2, 0.3, 0.4]}]}, "leaves the image"),
        ({"people": [{"box": [0.1, 0.2, 1.3, 0.4]}]}, "leaves the image"),
        ({"people": [{"box": [0.3, 0.2, 0.1, 0.4]}]}, "x0 < x1"),
        (
            {"people": [{"box": BOX}, {"box": [0.5, 0.5, 0.7, 0.7]}, {"box": BOX}]},
            r"people\[0\] and people\[2\]",
        ),
        ({"people": [{"box": BOX, "depth": 0.5}]}, "depth"),
        ({"people": [{"box": BOX, "depth": -1}]}, "depth"),
        ({"people": [{"box": BOX, "keypoints": [[0, 0, 0]] * 3}]}, "17 times"),
        ({"people": [{"box": BOX, "keypoints": [[0.5, 40, 2]] * 17}]}, r"keypoints\[0\]: \[0.5, 40, 2\]"),
        ({"people": [{"box": BOX, "keypoints": [[0.5, 0.5, 3]] * 17}]}, "v is 0 to 2"),
        ({"people": [{"box": BOX}], "size": 3}, "and nothing else"),
        ('{"people": [{"box": [' + "9" * 400 + ", 0.2, 0.3, 0.4]}]}", "four finite numbers"),
        ('{"people": [{"box": [' + "9" * 5000 + ", 0.2, 0.3, 0.4]}]}", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tmp_path, content, message):
    with pytest.raises(PlanError, match=message):
        read_plan(written(tmp_path, content))
    with pytest.raises(PlanError, match=r"nowhere\.json"):
        read_plan(tmp_path / "nowhere.json")


@pytest.mark.parametrize("count", range(1, 8))
def test_a_row_is_a_plan_of_boxes_that_do_not_touch(tmp_path, count):
    row = row_of_faces(count)
    write_plan(tmp_path / "row.json", row)
    boxes = read_plan(tmp_path / "row.json").boxes[0]
    assert bool((boxes[1:, 0] > boxes[:-1, 2]).all())
    assert row.counts().tolist() == [count]


def test_a_row_of_nobody():
    for count in (0, 8):
        with pytest.raises(PlanError, match="1 to 7"):
            row_of_faces(count)
