"""Suppression of persons found twice, against torchvision."""

import torch
from torchvision.ops import box_area, box_iou

from rewards.real_parts.bodies import contained_in_better


def test_contained_boxes_equal_a_loop() -> None:
    corners = torch.rand(40, 2) * 60
    boxes = torch.cat([corners, corners + 5 + torch.rand(40, 2) * 60], dim=1)
    scores = torch.rand(40)
    iou, area = box_iou(boxes, boxes), box_area(boxes)
    expected = []
    for i in range(40):
        shared = [
            float(iou[i, j] * (area[i] + area[j]) / (1 + iou[i, j]) / min(area[i], area[j]))
            for j in range(40)
            if scores[j] > scores[i]
        ]
        expected.append(float(max(shared, default=0) > 0.5))
    assert 5 < sum(expected) < 35
    assert contained_in_better(boxes, scores, 0.5).tolist() == expected


def test_empty_boxes_suppress_nobody() -> None:
    boxes = torch.tensor([[5.0, 5, 5, 5], [0, 0, 10, 10]])
    assert contained_in_better(boxes, torch.tensor([0.9, 0.5]), 0.85).tolist() == [0, 0]
