"""The report: shares, statistics of layouts, and the command."""

import json

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from datamodules.plans.examples import PlanExample, draw_example
from lightning_modules.ar2can.architect_baselines import few_shot_counts, shots
from lightning_modules.ar2can.layout_decoding import Answer
from lightning_modules.ar2can.layout_figures import layout_statistics, mean_iou, reference_iou
from lightning_modules.ar2can.report_architect import PAPER, answer_figures, main, shares
from lightning_modules.language.model import LanguageModel


def example(prompt, count, family="simple", tally=""):
    boxes = np.zeros((count or 0, 4), np.float32)
    for k in range(count or 0):
        boxes[k] = [0.1 * k, 0.2, 0.1 * k + 0.1, 0.4]
    return PlanExample(prompt, count, tally or str(count), boxes, family, "")


def test_shares_are_of_countable_prompts_by_kind():
    examples = [
        example("three friends", 3),
        example("two men and a dog", 2),
        example("three women and a man", 4, "sum"),
        example("an empty beach", None, "none", "0"),
    ]
    found = shares(examples, [3, 1, 4, None])
    assert found["exact"] == pytest.approx(2 / 3, abs=1e-4)
    assert (found["simple"], found["hard"]) == (0.5, 1.0)
    assert found["family_sum"] == 1.0
    assert "family_none" not in found


def test_answers_are_counted_and_compared():
    examples = [
        example("three friends", 3),
        example("an empty beach", None, "none", "0"),
        example("fans", None, "open", "some"),
    ]
    answers = [
        Answer(torch.from_numpy(examples[0].boxes), mended=("stray",)),
        Answer(refusal="nobody"),
        Answer(refusal="nobody"),
    ]
    figures = answer_figures(examples, answers)
    assert figures["exact"] == 1
    assert figures["refused"] == 0.5
    assert figures["faults"] == {"stray": 1, "nobody": 1}, "the empty beach is rightly refused"
    assert figures["iou"] == 1
    assert figures["layout"] == figures["layout_corpus"]


def test_statistics_against_numpy_and_torchvision():
    plans = [torch.from_numpy(draw_example(seed, "train").boxes) for seed in range(40)]
    figures = layout_statistics(plans)
    boxes = torch.cat(plans).numpy()
    width = boxes[:, 2] - boxes[:, 0]
    assert [figures[f"width_{p}"] for p in ("05", "50", "95")] == pytest.approx(
        np.percentile(width, [5, 50, 95]).tolist(), abs=1e-4
    )
    largest = [float(box_iou(p, p).fill_diagonal_(0).max()) for p in plans if len(p) > 1]
    assert figures["overlap_mean"] == pytest.approx(np.mean(largest), abs=1e-4)
    assert figures["overlapping"] == pytest.approx(np.mean(np.array(largest) > 0), abs=1e-4)
    assert figures["crowded"] == pytest.approx(np.mean(np.array(largest) > 0.12), abs=1e-4)
    assert figures["inside"] == 1
    assert layout_statistics([torch.zeros(0, 4)]) == {}
    moved = [p + 0.05 for p in plans]
    expected = torch.cat([box_iou(a, b).diagonal() for a, b in zip(moved, plans, strict=True)]).mean()
    assert mean_iou(moved, plans) == pytest.approx(float(expected), abs=1e-4)
    assert mean_iou([torch.zeros(0, 4)], plans[:1]) is None


def test_a_crowded_plan_is_one_of_two_faces_that_overlap_by_more_than_an_eighth():
    apart = torch.tensor([[0.1, 0.1, 0.3, 0.3], [0.5, 0.1, 0.7, 0.3]])
    touching = torch.tensor([[0.1, 0.1, 0.3, 0.3], [0.27, 0.1, 0.47, 0.3]])  # 3 of 37 parts
    crowded = torch.tensor([[0.1, 0.1, 0.3, 0.3], [0.25, 0.1, 0.45, 0.3]])  # 5 of 35
    figures = layout_statistics([apart, touching, crowded, crowded, apart[:1]])
    assert (figures["crowded"], figures["overlapping"]) == (0.5, 0.75)


def test_reference_iou_holds_each_layout_against_another_of_as_many_people():
    one = [torch.tensor([[0.1 * k, 0.1, 0.1 * k + 0.2, 0.3]]) for k in (1, 2, 3)]
    two = torch.cat([one[0], one[2]])
    # 1/3 of neighbours half a width apart, none of the third with the first; the one plan of two has no partner
    assert reference_iou([one[0], two, one[1], one[2]]) == pytest.approx((1 / 3 + 1 / 3 + 0) / 3, abs=1e-4)
    assert reference_iou([one[0], two, torch.zeros(0, 4)]) is None


def test_shots_are_countable_training_prompts():
    assert len({s.prompt for s in shots()}) == 8
    assert all(s.count for s in shots())
    with pytest.raises(ValueError, match="chat template"):
        few_shot_counts(LanguageModel(), ["three friends"])


def test_the_command_prints_and_writes(knowing_files, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    config, weights = knowing_files
    out = tmp_path / "report.json"
    arguments = ["--config", str(config), "--weights", str(weights), "--out", str(out)]
    main(
        [*arguments, "--count", "8", "--base-count", "2", "--splits", "val", "test_templates", "handwritten"]
    )
    figures = json.loads(out.read_text())
    assert set(figures) == {"val", "test_templates", "handwritten", PAPER}
    assert [row["exact"] for row in figures[PAPER].values()] == [0.152, 0.977]
    assert {"layout", "layout_corpus", "iou", "iou_corpus"} <= set(figures["val"]["trained"])
    assert set(figures["val"]) == {"trained", "first number word", "before training"}
    shown = capsys.readouterr().out
    assert "first number word" in " ".join(shown.split())
    counts, layouts = shown.split("Faces, as shares of the image's side")
    assert "0.152" in counts
    assert "0.977" in counts
    assert layouts.count("corpus") == 2, "handwritten prompts have no layouts"
    corpus = figures["val"]["trained"]["layout_corpus"]
    assert " / ".join(f"{corpus[f'width_{q}']:.3f}" for q in ("05", "50", "95")) in layouts
    with pytest.raises(SystemExit):
        main([*arguments, "--count", "0"])
    with pytest.raises(SystemExit):
        main(["--weights", "nowhere"])
