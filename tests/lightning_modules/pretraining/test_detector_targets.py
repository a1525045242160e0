import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.cocoeval import COCOeval

from datamodules.geometry.skeleton import SIGMAS
from lightning_modules.pretraining.detector_targets import (
    centre_cells,
    detector_targets,
    focal_loss,
    keypoint_loss,
    mask_loss,
)
from rewards.analyzers.tiny import decode_faces
from rewards.analyzers.tiny_networks import BOX_UNIT, DetectorOutput

GRID = 32


def _people(seed, n=3, b=2):
    g = torch.Generator().manual_seed(seed)
    centre = torch.rand(b, n, 2, generator=g) * 0.8 + 0.1
    size = torch.rand(b, n, 2, generator=g) * 0.1 + 0.1
    boxes = torch.cat([centre - size / 2, centre + size / 2], dim=-1)
    landmarks = centre[:, :, None] + (torch.rand(b, n, 5, 2, generator=g) - 0.5) * size[:, :, None]
    valid = torch.rand(b, n, generator=g) < 0.7
    return boxes, landmarks, valid


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10_000))
def test_targets_equal_loops(seed):
    boxes, landmarks, valid = _people(seed)
    targets = detector_targets(boxes, landmarks, valid)
    for i in range(2):
        faces = [k for k in range(3) if valid[i, k]]
        cells = {}
        for k in faces:
            x1, y1, x2, y2 = boxes[i, k].tolist()
            cells[k] = (math.floor((x1 + x2) / 2 * GRID), math.floor((y1 + y2) / 2 * GRID))
        for y in range(GRID):
            for x in range(GRID):
                squared = {k: (x - cx) ** 2 + (y - cy) ** 2 for k, (cx, cy) in cells.items()}
                heat = 0.0
                for k, d in squared.items():
                    sigma = max(0.5, float(boxes[i, k, 2] - boxes[i, k, 0]) * GRID * 0.18)
                    heat = max(heat, math.exp(-d / (2 * sigma**2)))
                assert targets.heatmap[i, y, x].item() == pytest.approx(heat, abs=1e-5)
                owner = min(squared, key=squared.get, default=None)
                near = owner is not None and max(abs(x - cells[owner][0]), abs(y - cells[owner][1])) <= 1
                assert bool(targets.positive[i, y, x]) == near
                if near:
                    cx, cy = (x + 0.5) / GRID, (y + 0.5) / GRID
                    x1, y1, x2, y2 = boxes[i, owner].tolist()
                    want = [cx - x1, cy - y1, x2 - cx, y2 - cy]
                    for px, py in landmarks[i, owner].tolist():
                        want += [px - cx, py - cy]
                    got = (targets.regression[i, :, y, x] * BOX_UNIT).tolist()
                    assert got == pytest.approx(want, abs=1e-5)


def test_decoding_perfect_maps_gives_the_truth_back():
    boxes = torch.tensor([[[0.1, 0.1, 0.3, 0.32], [0.6, 0.5, 0.75, 0.7], [0.5, 0.52, 0.66, 0.7]]])
    landmarks = boxes.unflatten(-1, (2, 2)).mean(2, keepdim=True) + torch.linspace(-0.05, 0.05, 10).view(5, 2)
    valid = torch.ones(1, 3, dtype=torch.bool)
    targets = detector_targets(boxes, landmarks, valid)
    logits = torch.logit(targets.heatmap, eps=1e-6)
    output = DetectorOutput(
        logits,
        targets.regression[:, :4],
        targets.regression[:, 4:],
        torch.zeros(1, 128, 128),
        torch.zeros(1, 1, 32, 32),
    )
    faces = decode_faces(output, score_threshold=0.9)
    order = faces.boxes[:, 0].argsort()
    truth = boxes[0, :, 0].argsort()
    torch.testing.assert_close(faces.boxes[order], boxes[0, truth])
    torch.testing.assert_close(faces.landmarks[order], landmarks[0, truth])


def test_near_duplicates_are_suppressed_per_image():
    heat = torch.full((2, 32, 32), -9.0)
    heat[0, 10, 10], heat[0, 10, 12], heat[1, 10, 11] = 5.0, 4.0, 3.0
    box = torch.ones(2, 4, 32, 32)
    output = DetectorOutput(
        heat, box, torch.zeros(2, 10, 32, 32), torch.zeros(2, 128, 128), torch.zeros(2, 1, 32, 32)
    )
    faces = decode_faces(output, score_threshold=0.4)
    assert faces.image_index.tolist() == [0, 1]
    torch.testing.assert_close(faces.scores, torch.tensor([5.0, 3.0]).sigmoid())


def test_nobody_gives_no_positive_cell():
    boxes, landmarks, _ = _people(0)
    targets = detector_targets(boxes, landmarks, torch.zeros(2, 3, dtype=torch.bool))
    assert targets.heatmap.eq(0).all()
    assert not targets.positive.any()
    assert torch.isfinite(focal_loss(torch.zeros(2, 32, 32), targets.heatmap))


def test_focal_loss_equals_the_papers_formula():
    torch.manual_seed(0)
    logits, heatmap = torch.randn(2, 4, 4), torch.rand(2, 4, 4)
    heatmap[0, 1, 1] = heatmap[1, 2, 0] = 1.0
    total = 0.0
    for logit, y in zip(logits.flatten().tolist(), heatmap.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-logit))
        total -= (1 - p) ** 2 * math.log(p) if y == 1 else (1 - y) ** 4 * p**2 * math.log(1 - p)
    assert focal_loss(logits, heatmap).item() == pytest.approx(total / 2, rel=1e-5)


def test_keypoint_loss_contains_cocos_similarity():
    torch.manual_seed(0)
    gt = torch.cat([torch.rand(1, 17, 2), torch.full((1, 17, 1), 2.0)], dim=-1)
    gt[0, 3, 2] = 0
    pred = gt[..., :2] + 0.02 * torch.randn(1, 17, 2)
    area = torch.tensor([0.12])
    evaluator = COCOeval(iouType="keypoints")
    np.testing.assert_allclose(evaluator.params.kpt_oks_sigmas, SIGMAS)
    evaluator.params.imgIds, evaluator.params.catIds = [1], [1]
    flat = torch.cat([pred, torch.ones(1, 17, 1)], dim=-1)[0].flatten().tolist()
    truth = {"keypoints": gt[0].flatten().tolist(), "area": 0.12, "bbox": [0, 0, 1, 1], "ignore": 0, "id": 1}
    evaluator._gts[1, 1] = [truth]
    evaluator._dts[1, 1] = [{"keypoints": flat, "score": 1.0, "id": 1}]
    oks = evaluator.computeOks(1, 1)[0, 0]
    e = (pred - gt[..., :2]).square().sum(-1) / (4 * torch.tensor(SIGMAS).square() * area)
    far = 0.5 * torch.log1p(torch.sqrt(e + 1e-4))
    rest = far[gt[..., 2] > 0].mean().item()
    assert keypoint_loss((pred,), gt, area, torch.tensor(SIGMAS)).item() - rest == pytest.approx(
        1 - oks, abs=1e-4
    )


def test_mask_loss_ignores_images_without_a_mask():
    torch.manual_seed(0)
    logits, masks = torch.randn(2, 8, 8), torch.rand(2, 8, 8) > 0.5
    known = torch.tensor([True, False])
    one = mask_loss(logits[:1], masks[:1], known[:1])
    torch.testing.assert_close(mask_loss(logits, masks, known), one)
    perfect = torch.where(masks, 20.0, -20.0)
    assert mask_loss(perfect, masks, torch.ones(2, dtype=torch.bool)).item() < 1e-3


def test_centre_cells_stay_inside():
    boxes = torch.tensor([[[0.9, 0.9, 1.2, 1.2], [-0.3, -0.2, 0.1, 0.1]]])
    assert centre_cells(boxes).tolist() == [[[31, 31], [0, 0]]]
