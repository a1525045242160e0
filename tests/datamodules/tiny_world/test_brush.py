"""The brush: coordinates, coverage, colours."""

import numpy as np
import pytest

from datamodules.tiny_world.brush import Brush, mix, shade


def centroid(brush):
    image = brush.image().astype(float).sum(axis=2)
    rows, columns = np.mgrid[0.5 : image.shape[0], 0.5 : image.shape[1]]
    return (columns * image).sum() / image.sum(), (rows * image).sum() / image.sum()


@pytest.mark.parametrize("place", [(10.0, 12.0), (15.5, 7.25), (20.25, 20.75)])
def test_a_disc_is_centred_where_it_was_put(place):
    brush = Brush(32, 32)
    brush.disc(place, 4.0, (255, 255, 255))
    assert centroid(brush) == pytest.approx(place, abs=0.06)
    area = brush.image().astype(float).mean() / 255 * 32 * 32
    # OpenCV's smoothing widens a shape by about a quarter of a pixel.
    assert np.pi * 4.0**2 <= area <= np.pi * 4.3**2


def test_coverage_is_of_the_current_layer_only():
    brush = Brush(16, 16)
    brush.rectangle(0, 0, 16, 16, (10, 20, 30))
    brush.begin_layer()
    assert brush.pixels[..., 3].max() == 0
    brush.rectangle(4, 4, 8, 8, (200, 0, 0))
    covered = brush.pixels[..., 3] == 255
    assert covered.sum() == (4 * 2) ** 2
    assert (brush.image()[5, 5] == (200, 0, 0)).all()
    assert (brush.image()[1, 1] == (10, 20, 30)).all()


def test_gradients_run_from_the_upper_to_the_lower_colour():
    brush = Brush(8, 32)
    brush.gradient(0, 32, (0, 100, 200), (250, 100, 0))
    image = brush.image().astype(int)
    assert image[0, 3] == pytest.approx((0, 100, 200), abs=6)
    assert image[-1, 3] == pytest.approx((250, 100, 0), abs=6)
    assert (np.diff(image[:, 3, 0]) >= 0).all()


def test_bright_colours_saturate():
    brush = Brush(8, 8)
    brush.rectangle(0, 0, 8, 8, shade((200, 100, 50), 2.0))
    assert brush.image()[4, 4].tolist() == [255, 200, 100]
    brush.disc((4, 4), 3, shade((200, 100, 50), 2.0))
    assert brush.image()[4, 4].tolist() == [255, 200, 100]
    assert mix((0, 0, 0), (200, 100, 50), 0.5) == (100, 50, 25)
