"""Regions against OpenCV's and against a flood fill by hand; skin against OpenCV's colours."""

import cv2
import numpy as np
import pytest
import torch

from rewards.functional.blobs import SKIN_CB, SKIN_CR, BlobShape, blobs, skin_map


def disc(height, width, *places):
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    inside = torch.zeros(height, width, dtype=torch.bool)
    for row, column, radius in places:
        inside |= (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
    return inside.float()


def flooded(inside):
    """Boxes in pixels and areas, by flood fill with eight neighbours."""
    left = {(int(y), int(x)) for y, x in inside.nonzero()}
    found = []
    while left:
        edge, region = [left.pop()], []
        while edge:
            y, x = edge.pop()
            region.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            edge += near
        ys, xs = zip(*region, strict=True)
        found.append((min(xs), min(ys), max(xs) + 1, max(ys) + 1, len(region)))
    return sorted(found)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.35])
def test_regions_are_opencvs_and_a_flood_fills(share):
    rng = torch.Generator().manual_seed(int(100 * share))
    for _ in range(10):
        values = (torch.rand(30, 40, generator=rng) < share).float()
        _, _, statistics, _ = cv2.connectedComponentsWithStats(values.byte().numpy(), connectivity=8)
        theirs = sorted((x, y, x + w, y + h, a) for x, y, w, h, a in statistics[1:].tolist())
        assert theirs == flooded(values)
        scale = torch.tensor([40, 30, 40, 30])
        ours = sorted(tuple(box) for box in (blobs(values) * scale).round().int().tolist())
        assert ours == sorted(region[:4] for region in theirs)
        for least in (2, 5):
            kept = [region[:4] for region in theirs if region[4] >= least]
            chosen = blobs(values, BlobShape(min_area=least / 1200))
            assert sorted(tuple(b) for b in (chosen * scale).round().int().tolist()) == sorted(kept)


def test_only_what_has_the_size_and_the_shape_counts():
    values = disc(60, 80, (20, 15, 8), (20, 50, 8))
    values[45:48, 5:75] = 1.0  # an arm
    values[2, 2] = 1.0  # a speck
    values[30:58, 30:78] = torch.maximum(values[30:58, 30:78], disc(28, 48, (14, 36, 13)))  # a wall
    assert len(blobs(values)) == 4
    assert len(blobs(values, BlobShape(min_area=0.01, max_area=0.08, max_aspect=2, min_fill=0.6))) == 2
    assert len(blobs(values, BlobShape(opening=2))) == 3
    box = blobs(values, BlobShape(max_area=0.08, min_area=0.01))[0]
    torch.testing.assert_close(box * torch.tensor([80, 60, 80, 60]), torch.tensor([7.0, 12, 24, 29]))


def test_a_thin_bridge_is_cut():
    values = disc(40, 60, (20, 15, 9), (20, 44, 9))
    values[20, 15:44] = 1.0
    assert len(blobs(values)) == 1
    assert len(blobs(values, BlobShape(opening=1))) == 2


def test_the_threshold_is_exclusive_and_nan_is_nothing():
    values = torch.tensor([[0.4, 0.0, 0.41], [0.0, 0.0, 0.0], [torch.nan, 0.0, 0.9]])
    assert len(blobs(values, BlobShape(threshold=0.4))) == 2
    assert blobs(torch.zeros(5, 5)).shape == (0, 4)
    assert blobs(torch.ones(5, 5)).tolist() == [[0, 0, 1, 1]]


def test_skin_is_where_opencvs_chrominance_says():
    colours = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    colours[:8] = [228, 178, 130]
    cr, cb = np.moveaxis(cv2.cvtColor(colours, cv2.COLOR_RGB2YCrCb).astype(float)[..., 1:], -1, 0)
    ours = skin_map(torch.from_numpy(colours).permute(2, 0, 1)[None] / 255)[0].bool().numpy()
    expected = (cb >= SKIN_CB[0]) & (cb <= SKIN_CB[1]) & (cr >= SKIN_CR[0]) & (cr <= SKIN_CR[1])
    borders = [np.abs(part - end) <= 1 for part, ends in ((cb, SKIN_CB), (cr, SKIN_CR)) for end in ends]
    clear = ~np.any(borders, axis=0)
    assert (ours == expected)[clear].all()
    assert ours[:8].all()
    assert 0.01 < ours[8:].mean() < 0.3


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"threshold": 1.0}, "threshold: 1.0"),
        ({"min_area": 0.5, "max_area": 0.2}, "min_area, max_area"),
        ({"opening": -1}, "opening -1"),
        ({"max_aspect": 0.5}, "max_aspect 0.5"),
    ],
)
def test_impossible_shapes(wrong, named):
    with pytest.raises(ValueError, match=named):
        BlobShape(**wrong)
