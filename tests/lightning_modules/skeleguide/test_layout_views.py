"""Varied layouts stay true: what is drawn is what the plan says."""

from dataclasses import replace

import pytest
import torch

from datamodules.geometry.draw import draw_layouts
from datamodules.human_in_place import HumanInPlaceScenes, join
from lightning_modules.backbone.latents import load_codec
from lightning_modules.skeleguide.layout_views import LayoutVariety, as_decoded, vary

NOTHING = LayoutVariety(0, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def batch():
    return join([HumanInPlaceScenes("train", 4, (1, 2, 3, 4))[i] for i in range(4)])


def test_nothing_changes_where_nothing_is_asked_for(batch):
    same = vary(batch, NOTHING)
    assert torch.equal(same.layout_image, batch.layout_image)
    torch.testing.assert_close(same.layout.keypoints, batch.layout.keypoints)


def test_a_mirrored_sample_is_the_mirrored_picture_with_left_and_right_swapped(batch):
    mirrored = vary(batch, replace(NOTHING, mirrored=1.0))
    assert torch.equal(mirrored.source, batch.source.flip(-1))
    wrists, before = mirrored.layout.keypoints[:, :, 9], batch.layout.keypoints[:, :, 10]
    known = before[..., 2] > 0
    torch.testing.assert_close(wrists[known][:, 0], 1 - before[known][:, 0])
    back = vary(mirrored, replace(NOTHING, mirrored=1.0))
    torch.testing.assert_close(back.layout.keypoints, batch.layout.keypoints)
    torch.testing.assert_close(back.layout.boxes, batch.layout.boxes)


@pytest.mark.parametrize("name", ["moved", "edited", "thinned", "other_place"])
def test_every_variety_changes_the_picture_and_keeps_it_true(batch, name):
    torch.manual_seed(1)
    varied = vary(batch, replace(NOTHING, **{name: 1.0}))
    assert not torch.equal(varied.layout_image, batch.layout_image)
    assert torch.equal(varied.layout_image, draw_layouts(varied.layout, varied.size, varied.source))
    known = varied.layout.keypoints[..., 2] > 0
    assert bool((varied.layout.keypoints[~known] == 0).all())
    assert bool(((varied.layout.keypoints[..., :2] >= 0) & (varied.layout.keypoints[..., :2] < 1)).all())
    assert torch.equal(known.any(-1), varied.layout.valid), "nobody is planned who cannot be seen"
    if name == "moved":
        before, after = batch.layout.keypoints[3, 0], varied.layout.keypoints[3, 0]
        both = (before[:, 2] > 0) & (after[:, 2] > 0)
        ratio = (after[both][1:, :2] - after[both][0, :2]) / (before[both][1:, :2] - before[both][0, :2])
        torch.testing.assert_close(ratio, ratio[:1, :1].expand_as(ratio), rtol=1e-3, atol=1e-3)
    if name == "thinned":
        assert int(known.sum()) < int((batch.layout.keypoints[..., 2] > 0).sum())


def test_shares_are_checked():
    with pytest.raises(ValueError, match=r"edited: 1\.5 is a share"):
        LayoutVariety(edited=1.5)


def test_decoded_is_the_codecs_round_trip_and_noise_adds_error(batch):
    codec = load_codec()
    plain = as_decoded(batch.layout_image, codec)
    torch.testing.assert_close(plain, codec.round_trip(batch.layout_image))
    noisy = as_decoded(batch.layout_image, codec, noise=0.3)
    clean_error = (plain - batch.layout_image).square().mean((1, 2, 3))
    assert bool(((noisy - batch.layout_image).square().mean((1, 2, 3)) >= clean_error).all())
