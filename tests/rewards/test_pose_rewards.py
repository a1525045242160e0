"""Frontality, body pose and copy-paste as rewards; their formulas are tested where they stand."""

import math
from dataclasses import replace

import pytest
import torch
from observed import DIM, observe, perfect

from datamodules.schema.detections import Detections
from rewards.body_pose import BodyPoseReward
from rewards.copy_paste import CopyPasteReward
from rewards.frontality import FrontalityReward
from rewards.functional.faces import copy_paste, frontality


def test_frontality_counts_only_where_the_prompt_asks(scenes):
    scores = FrontalityReward().score(observe(scenes))
    assert scores.isnan().tolist() == [True, False, True, False]
    expected = frontality(scenes.landmarks[1][scenes.layout.valid[1]] * 128).mean()
    assert scores[1] == pytest.approx(float(expected), abs=1e-6)
    assert float(scores[1]) > 0.8  # the scene was drawn looking at the camera
    assert FrontalityReward().score(observe(scenes, [Detections.empty(DIM)] * 4))[1] == 0
    with pytest.raises(ValueError, match="gate"):
        FrontalityReward(gate=1.0)


def test_a_perfect_pose_scores_one_and_a_missing_person_costs_by_denominator(scenes):
    truth = perfect(scenes)
    assert BodyPoseReward().score(observe(scenes, truth)).tolist() == pytest.approx([1.0] * 4)
    one = [d[:1] for d in truth]
    assert BodyPoseReward().score(observe(scenes, one)).tolist() == pytest.approx([1.0] * 4, abs=1e-5)
    shared = BodyPoseReward(denominator="references").score(observe(scenes, one))
    assert shared.tolist() == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4], abs=1e-5)
    assert BodyPoseReward().score(observe(scenes, [Detections.empty(DIM)] * 4)).tolist() == [0.0] * 4
    with pytest.raises(ValueError, match="denominator"):
        BodyPoseReward(denominator="everyone")


def turned(degrees):
    angle = math.radians(degrees)
    return torch.tensor([math.cos(angle), math.sin(angle)])


@pytest.mark.parametrize(
    ("generated", "target", "reference", "expected"),
    [(30, 0, 30, 1.0), (0, 0, 30, -1.0), (15, 0, 30, 0.0), (20, 0, 30, 1 / 3), (0.001, 0.001, 0.002, -1.0)],
)
def test_copy_paste_in_the_plane(generated, target, reference, expected):
    value = copy_paste(turned(generated), turned(target), turned(reference), epsilon=1e-6)
    assert float(value) == pytest.approx(expected, abs=2e-3)


def test_copy_paste_needs_directions_and_truth(scenes):
    assert copy_paste(torch.zeros(2), turned(0), turned(3)).isnan()
    seen = observe(scenes)
    rng = torch.Generator().manual_seed(0)
    target = torch.nn.functional.normalize(torch.randn(seen.references.shape, generator=rng), dim=-1)
    pasted = CopyPasteReward().score(replace(seen, targets=target))
    assert pasted.tolist() == pytest.approx([1.0] * 4, abs=1e-4)  # every face is its reference
    nobody = replace(seen, detections=[Detections.empty(DIM)] * 4)
    assert CopyPasteReward().score(nobody).isnan().all()
    with pytest.raises(ValueError, match="targets"):
        CopyPasteReward().score(replace(seen, targets=None))
