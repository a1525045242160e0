"""Where people stand: rows, plan files, and an Architect that may plan another number of people."""

import pytest
import torch
from published_world import write_multi_human

from benchmarks.published import planners
from benchmarks.published.multi_human import read_metadata
from datamodules.plan_files import PlanError, row_of_faces, write_plan
from lightning_modules.ar2can.layout_decoding import Answer


@pytest.fixture
def case(tmp_path):
    """Two people."""
    write_multi_human(tmp_path)
    return read_metadata(tmp_path / "metadata.json")[1]


def boxes(count):
    return row_of_faces(count).boxes[0]


class Fixed:
    """An Architect that has made up its mind."""

    def __init__(self, answer):
        self.answer = answer

    def plan(self, prompts):
        return [self.answer] * len(prompts)


def architect(monkeypatch, answer, **options):
    monkeypatch.setattr(planners.planning, "architect", lambda request: Fixed(answer))
    return planners.Architect(**options)


def test_an_architects_plan_is_taken(case, monkeypatch, tmp_path):
    layout, origin = architect(monkeypatch, Answer(boxes(2))).plan(case, tmp_path)
    assert torch.equal(layout.boxes[0], boxes(2))
    assert origin == "Architect-A"


@pytest.mark.parametrize("planned", [1, 3])
def test_a_plan_for_others_is_refused_or_replaced_and_said(case, monkeypatch, tmp_path, planned):
    answer = Answer(boxes(planned))
    with pytest.raises(PlanError, match=f"planned with {planned} people where 2 are asked for"):
        architect(monkeypatch, answer).plan(case, tmp_path)
    layout, origin = architect(monkeypatch, answer, otherwise="row").plan(case, tmp_path)
    assert int(layout.counts()) == 2
    assert origin == "a row of faces instead of a plan"


def test_a_refusal_is_passed_on(case, monkeypatch, tmp_path):
    with pytest.raises(PlanError, match="does not say how many"):
        architect(monkeypatch, Answer(boxes(1)[:0], refusal="open")).plan(case, tmp_path)


def test_files_and_rows(case, tmp_path):
    assert planners.RowOfFaces().plan(case, tmp_path)[1] == "a row of faces"
    with pytest.raises(PlanError, match=r"there is no plan .*1\.json"):
        planners.PlanFiles(otherwise="refuse").plan(case, tmp_path)
    (tmp_path / "plans").mkdir()
    write_plan(tmp_path / "plans/1.json", row_of_faces(2, height=0.3))
    layout, origin = planners.PlanFiles().plan(case, tmp_path)
    assert layout.boxes[0, 0, 1] == pytest.approx(0.3 - 0.085, abs=1e-4)
    assert origin == "plan files"
    with pytest.raises(ValueError, match="otherwise"):
        planners.PlanFiles(otherwise="raw")
