from dataclasses import replace

import numpy as np
import pytest
import torch

from datamodules.schema.detections import Detections
from lightning_modules.pretraining.analyzer_figures import AnalyzerFigures, identity_figures


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


def test_bodies_are_measured_by_cocos_similarity(batch):
    from pycocotools.cocoeval import COCOeval

    torch.manual_seed(0)
    found = [_truth(batch, i) for i in range(len(batch))]
    moved = [replace(d, keypoints=d.keypoints + 0.03 * torch.randn_like(d.keypoints)) for d in found]
    figures = AnalyzerFigures()
    figures.update(moved, batch)
    evaluator = COCOeval(iouType="keypoints")
    evaluator.params.imgIds, evaluator.params.catIds = [1], [1]
    want = []
    for i, detections in enumerate(moved):
        for pred, truth, extent in zip(
            detections.keypoints, found[i].keypoints, batch.extents[i, batch.valid[i]], strict=True
        ):
            area = float((extent[2] - extent[0]) * (extent[3] - extent[1]))
            gt = {
                "keypoints": truth.double().flatten().tolist(),
                "area": area,
                "bbox": [0, 0, 1, 1],
                "ignore": 0,
            }
            evaluator._gts[1, 1] = [gt | {"id": 1}]
            evaluator._dts[1, 1] = [{"keypoints": pred.double().flatten().tolist(), "score": 1.0, "id": 1}]
            want.append(evaluator.computeOks(1, 1)[0, 0])
    np.testing.assert_allclose(figures.matched["oks"], want, atol=1e-4)
    assert figures.compute()["oks_strict"] < figures.compute()["oks"]


def test_identity_figures_of_perfect_and_of_random_embeddings():
    torch.manual_seed(0)
    e = torch.nn.functional.normalize(torch.randn(200, 128), dim=1)
    assert identity_figures(e, e)["identity_auc"] == 1.0
    assert identity_figures(e, e.flip(0))["identity_auc"] == pytest.approx(0.5, abs=0.06)
