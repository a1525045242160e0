import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from datamodules.schema.detections import Detections
from lightning_modules.pretraining.analyzer_figures import (
    AnalyzerFigures,
    area_under_roc,
    identity_figures,
    keypoint_similarity,
)


def _truth(batch, i):
    slots = batch.valid[i]
    n = int(slots.sum())
    return Detections(
        boxes=batch.boxes[i, slots],
        scores=torch.ones(n),
        landmarks=batch.landmarks[i, slots],
        keypoints=batch.keypoints[i, slots],
        embeddings=torch.eye(128)[:n],
        person_mask=batch.masks[i].float(),
    )


def test_the_truth_is_perfect(batch):
    figures = AnalyzerFigures()
    references = torch.eye(128)[:7].expand(len(batch), 7, 128)
    figures.update([_truth(batch, i) for i in range(len(batch))], batch, references)
    got = figures.compute()
    for name in ("face_f1", "exact_count", "oks", "mask_iou", "keypoint_visibility", "identity_same"):
        assert got[name] == pytest.approx(1.0)
    assert got["landmark_nme"] == 0


def test_missing_and_invented_faces_cost(batch):
    figures = AnalyzerFigures()
    found = [_truth(batch, i) for i in range(len(batch))]
    total = int(batch.valid.sum())
    found[0] = found[0][1:]
    extra = _truth(batch, 1)
    far = torch.cat([extra.boxes, torch.tensor([[0.0, 0.9, 0.05, 1.0]])])
    found[1] = Detections(boxes=far, scores=torch.ones(len(far)))
    found[2] = Detections.empty()
    missed = 1 + int(batch.valid[2].sum())
    figures.update(found, batch)
    got = figures.compute()
    hits = total - missed
    assert got["face_f1"] == pytest.approx(2 * hits / (2 * hits + missed + 1))
    assert got["exact_count"] == pytest.approx(9 / 12)
    assert sum(len(v) for v in figures.exact_counts.values()) == 12


def test_matching_is_one_to_one(batch):
    doubled = [_truth(batch, i) for i in range(len(batch))]
    doubled = [Detections(boxes=d.boxes.repeat(2, 1), scores=torch.ones(2 * len(d))) for d in doubled]
    figures = AnalyzerFigures()
    figures.update(doubled, batch)
    assert figures.compute()["face_f1"] == pytest.approx(2 / 3)


def test_keypoint_similarity_is_cocos(batch):
    from pycocotools.cocoeval import COCOeval

    torch.manual_seed(0)
    image, slot = batch.persons()
    gt, extents = batch.keypoints[image, slot], batch.extents[image, slot]
    pred = gt + 0.03 * torch.randn_like(gt)
    evaluator = COCOeval(iouType="keypoints")
    evaluator.params.imgIds, evaluator.params.catIds = [1], [1]
    want = []
    for one, truth, extent in zip(pred, gt, extents, strict=True):
        area = float((extent[2] - extent[0]) * (extent[3] - extent[1]))
        flat = truth.double().flatten().tolist()
        evaluator._gts[1, 1] = [{"keypoints": flat, "area": area, "bbox": [0, 0, 1, 1], "ignore": 0, "id": 1}]
        evaluator._dts[1, 1] = [{"keypoints": one.double().flatten().tolist(), "score": 1.0, "id": 1}]
        want.append(evaluator.computeOks(1, 1)[0, 0])
    np.testing.assert_allclose(keypoint_similarity(pred, gt, extents).numpy(), want, atol=1e-4)


def test_area_under_roc_is_the_u_statistic():
    rng = np.random.default_rng(0)
    positive, negative = rng.integers(0, 9, 40) / 4, rng.integers(0, 6, 70) / 4
    want = mannwhitneyu(positive, negative).statistic / (40 * 70)
    assert area_under_roc(positive, negative) == pytest.approx(want)
    assert np.isnan(area_under_roc(positive, negative[:0]))


def test_identity_figures_of_perfect_and_of_random_embeddings():
    torch.manual_seed(0)
    e = torch.nn.functional.normalize(torch.randn(200, 128), dim=1)
    assert identity_figures(e, e)["identity_auc"] == 1.0
    assert identity_figures(e, e.flip(0))["identity_auc"] == pytest.approx(0.5, abs=0.06)
