"""Layouts read off drafts: of true scenes through the codec they are the scenes' own; anything else is refused."""

import pytest
import torch
from torchvision.ops import box_iou

from datamodules.collate import collate
from datamodules.plan_files import read_plan, write_plan
from datamodules.schema.detections import Detections
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.ar2can.draft_reading import read_draft
from lightning_modules.ar2can.planning import layout_of
from lightning_modules.backbone.latents import load_codec
from rewards.analyzers.tiny import TinyAnalyzer
from rewards.functional.keypoints import oks


def test_scenes_drawn_through_the_codec_give_back_their_layout(tmp_path):
    scenes = collate([draw_scene(seed, "test", count=count) for seed, count in ((1, 1), (2, 3), (3, 4))])
    drawn = load_codec(None).round_trip(scenes.images).clamp(0, 1)
    for i, seen in enumerate(TinyAnalyzer().analyze(drawn)):
        valid = scenes.layout.valid[i]
        layout = layout_of("people", read_draft(seen, int(valid.sum())))
        overlap = box_iou(layout.boxes[0], scenes.layout.boxes[i][valid])
        assert overlap.diagonal().min() > 0.7, "the same people in the same order"
        true = scenes.layout.keypoints[i][valid] * torch.tensor([128, 128, 1])
        bodies = layout.keypoints[0] * torch.tensor([128, 128, 1])
        extent = true[..., :2].amax(dim=1) - true[..., :2].amin(dim=1)
        assert oks(bodies, true, extent.prod(dim=-1)).diagonal().mean() > 0.8
        write_plan(tmp_path / "plan.json", layout)
        torch.testing.assert_close(read_plan(tmp_path / "plan.json").boxes, layout.boxes, atol=1e-4, rtol=0)


def seen(*boxes):
    placed = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    keypoints = torch.arange(len(placed)).float()[:, None, None].expand(-1, 17, 3)
    return Detections(placed, torch.ones(len(placed)), keypoints=keypoints)


RIGHT, LEFT = (0.6, 0.2, 0.8, 0.4), (0.1, 0.5, 0.3, 0.7)


def test_people_stand_from_left_to_right_with_their_own_bodies():
    answer = read_draft(seen(RIGHT, LEFT), 2)
    assert answer.refusal is None
    torch.testing.assert_close(answer.boxes, torch.tensor([LEFT, RIGHT]))
    assert answer.keypoints[:, 0, 0].tolist() == [1, 0]
    assert read_draft(seen(RIGHT, LEFT)).refusal is None, "any number will do where none is asked for"


@pytest.mark.parametrize(
    ("boxes", "wanted", "refusal", "told"),
    [
        ([], 2, "nobody", "no face that can be seen where 2 are asked for"),
        ([], None, "nobody", "no face that can be seen"),
        ([LEFT], 2, "count", "with 1 person where 2 are asked for"),
        ([LEFT, RIGHT], 1, "count", "with 2 people where 1 is asked for"),
        (
            [(0.1 * k, 0.1, 0.1 * k + 0.09, 0.2) for k in range(8)],
            None,
            "many",
            "with 8 people; a plan holds 1 to 7",
        ),
        ([LEFT, (0.5, 0.5, 0.51, 0.6)], 2, "small", "less than 0.02"),
        ([LEFT, LEFT], 2, "overlapping", "in the same place"),
    ],
)
def test_what_cannot_be_used_is_said(boxes, wanted, refusal, told):
    answer = read_draft(seen(*boxes), wanted)
    assert answer.refusal == refusal
    with pytest.raises(ValueError, match=rf"'friends' was drawn .*{told}"):
        layout_of("friends", answer)
    assert len(answer.boxes) == (len(boxes) if refusal == "count" else 0)
