"""OKS against pycocotools; matching of people against brute force."""

import itertools

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from datamodules.geometry.skeleton import SIGMAS
from rewards.functional.keypoints import extent_areas, match_people, matched_oks, mean_oks, oks


def people(count, seed, size=200.0):
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(count, 17, 2, generator=generator, dtype=torch.float64) * size
    visibility = torch.randint(0, 3, (count, 17, 1), generator=generator)
    return torch.cat([points, visibility.double()], dim=2)


def coco_oks(gt, pred, areas, boxes):
    """COCOeval.computeOks, called as its evaluation calls it; rows are predictions there."""
    annotations = [
        {
            "id": i + 1,
            "image_id": 1,
            "category_id": 1,
            "iscrowd": 0,
            "keypoints": g.flatten().tolist(),
            "num_keypoints": int((g[:, 2] > 0).sum()),
            "area": a.item(),
            "bbox": [b[0].item(), b[1].item(), (b[2] - b[0]).item(), (b[3] - b[1]).item()],
        }
        for i, (g, a, b) in enumerate(zip(gt, areas, boxes, strict=True))
    ]
    evaluation = COCOeval(iouType="keypoints")
    evaluation.cocoGt = COCO()
    evaluation._gts = {(1, 1): annotations}
    evaluation._dts = {(1, 1): [{"score": -i, "keypoints": p.flatten().tolist()} for i, p in enumerate(pred)]}
    return torch.from_numpy(evaluation.computeOks(1, 1)).T


def boxes_around(gt):
    return torch.cat([gt[..., :2].amin(1), gt[..., :2].amax(1)], dim=1)


@pytest.mark.parametrize("spread", [0.5, 5.0, 40.0])
def test_oks_is_cocos(spread):
    gt = people(5, 0)
    gt[2, :, 2] = 0  # nobody's keypoints are labelled: COCO falls back to the doubled box
    pred = torch.cat([gt, people(3, 1)])
    pred[..., :2] += spread * torch.randn(8, 17, 2, generator=torch.Generator().manual_seed(2))
    pred[6, :, :2] += 500.0
    areas = torch.tensor([900.0, 5_000.0, 12_000.0, 60.0, 20_000.0], dtype=torch.float64)
    boxes = boxes_around(gt)
    ours = oks(gt, pred, areas, boxes)
    torch.testing.assert_close(ours, coco_oks(gt, pred, areas, boxes), atol=1e-12, rtol=0)
    assert 0.0 <= ours.min() < ours.max() <= 1.0
    single = oks(gt.float(), pred.float(), areas.float(), boxes.float())
    torch.testing.assert_close(single.double(), ours, atol=1e-4, rtol=0)


def test_sigmas_are_pycocotools():
    cocos = COCOeval(iouType="keypoints").params.kpt_oks_sigmas
    np.testing.assert_allclose(np.array(SIGMAS), cocos, rtol=1e-12)


def test_kappa_is_twice_sigma():
    gt = people(1, 0)
    gt[..., 2] = 0
    gt[0, 11, 2] = 2
    pred = gt.clone()
    pred[0, 11, 0] += 10.0
    value = oks(gt, pred, torch.tensor([10_000.0])).item()
    assert value == pytest.approx(0.897, abs=5e-4)


def test_only_the_truths_visibility_counts():
    gt, pred = people(2, 0), people(2, 1)
    areas = torch.tensor([1e4, 2e4])
    other = pred.clone()
    other[..., 2] = 0
    assert torch.equal(oks(gt, pred, areas), oks(gt, other, areas))
    occluded = gt.clone()
    occluded[..., 2] = (gt[..., 2] > 0).double()
    assert torch.equal(oks(gt, pred, areas), oks(occluded, pred, areas))
    moved = gt.clone()
    moved[..., :2][gt[..., 2] == 0] += 50.0
    assert torch.equal(oks(gt, pred, areas), oks(moved, pred, areas))


def test_nobody_nothing_and_nan_have_defined_values():
    gt, areas = people(3, 0), torch.full((3,), 1e4)
    assert oks(gt, people(0, 0), areas).shape == (3, 0)
    assert oks(gt[:0], gt, areas[:0]).shape == (0, 3)
    unlabelled = gt.clone()
    unlabelled[..., 2] = 0
    assert oks(unlabelled, gt, areas).eq(0).all()
    broken = gt.clone()
    broken[0, :, 0] = torch.nan
    similarity = oks(gt, broken, areas)
    assert similarity[:, 0].eq(0).all()
    assert similarity.diagonal()[1:].eq(1).all()
    pixel = oks(gt, gt, torch.zeros(3))
    torch.testing.assert_close(pixel.diagonal(), torch.ones(3, dtype=torch.float64))
    assert torch.isfinite(pixel).all()


def test_other_skeletons_are_refused():
    with pytest.raises(ValueError, match="keypoints"):
        oks(torch.zeros(1, 16, 3), torch.zeros(1, 16, 3), torch.ones(1))


def test_extent_area_is_053_of_the_box_of_labelled_points():
    gt = people(4, 3)
    gt[3, :, 2] = 0
    for person, area in zip(gt, extent_areas(gt), strict=True):
        kept = person[person[:, 2] > 0][:, :2]
        expected = 0.53 * (kept.max(0).values - kept.min(0).values).prod().item() if len(kept) else 0.0
        assert area.item() == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 5)])
def test_people_are_matched_for_the_greatest_total(shape):
    similarity = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    n, m = shape
    size = min(shape)
    best = max(
        sum(similarity[r, c].item() for r, c in zip(rows, columns, strict=True))
        for rows in itertools.combinations(range(n), size)
        for columns in itertools.permutations(range(m), size)
    )
    scores = matched_oks(similarity)
    assert scores.sum().item() == pytest.approx(best, abs=1e-6)
    assert (scores > 0).sum() == size
    assert mean_oks(similarity).item() == pytest.approx(best / size, abs=1e-6)
    assert mean_oks(similarity, "references").item() == pytest.approx(best / n, abs=1e-6)


@pytest.mark.parametrize("shape", [(0, 0), (0, 2), (2, 0)])
def test_without_pairs_the_mean_is_zero(shape):
    similarity = torch.zeros(shape)
    assert mean_oks(similarity).item() == mean_oks(similarity, "references").item() == 0.0
    assert matched_oks(similarity).tolist() == [0.0] * shape[0]
    assert len(match_people(similarity).rows) == 0
