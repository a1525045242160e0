"""Views of faces against torchvision's rotation, flip and crop, and against dots that are found again by colour."""

import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as TF

from datamodules.geometry.views import VIEW_MARGIN, ViewChange, face_view
from datamodules.tiny_world.scenes import draw_scene

HEIGHT, WIDTH, SIZE = 180, 240, 96
BOX = torch.tensor([90 / WIDTH, 50 / HEIGHT, 140 / WIDTH, 110 / HEIGHT])  # 50 x 60 px around (115, 80)
DOTS = ((104.5, 70.5), (124.5, 68.5), (116.5, 82.5), (106.5, 94.5), (122.5, 96.5))
COLOURS = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1]])
CHANGES = [
    ViewChange(),
    ViewChange(rotation_deg=15),
    ViewChange(rotation_deg=-11),
    ViewChange(flip=True),
    ViewChange(rotation_deg=13, flip=True),
    ViewChange(rotation_deg=-15, flip=True),
]


@pytest.fixture(scope="module")
def dotted():
    rows, columns = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
    image = torch.zeros(3, HEIGHT, WIDTH)
    for (x, y), colour in zip(DOTS, COLOURS, strict=True):
        image[:, (columns - x) ** 2 + (rows - y) ** 2 <= 9] = colour[:, None]
    return image, torch.tensor(DOTS) / torch.tensor([WIDTH, HEIGHT])


def by_torchvision(image, change):
    """The same view by rotate, crop, resize and flip of torchvision."""
    side = VIEW_MARGIN * 60
    turned = TF.rotate(
        image, -change.rotation_deg, InterpolationMode.BILINEAR, center=[115.0, 80.0], fill=[0.0] * 3
    )
    view = TF.resized_crop(
        turned, round(80 - side / 2), round(115 - side / 2), int(side), int(side), [SIZE, SIZE]
    )
    return TF.hflip(view) if change.flip else view


def place_of(view, colour):
    """Centroid of the pixels of a colour, in [0, 1] of the view."""
    close = (view - colour[:, None, None]).abs().amax(dim=0) < 0.3
    rows, columns = close.nonzero(as_tuple=True)
    assert len(rows) > 5
    return (torch.stack([columns, rows]).float().mean(dim=1) + 0.5) / view.shape[-1]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_pixels_and_landmarks_are_torchvisions(dotted, change):
    image, landmarks = dotted
    seen = face_view(image, BOX, landmarks, SIZE, change)
    expected = by_torchvision(image, change)
    assert (seen.image - expected).abs().mean() < 2e-3
    order = (1, 0, 2, 4, 3) if change.flip else range(5)  # which dot is now the left eye, ...
    for landmark, dot in zip(seen.landmarks, order, strict=True):
        assert (landmark - place_of(expected, COLOURS[dot])).abs().max() * SIZE < 0.5


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_landmarks_stay_in_image_order(change):
    for person in draw_scene(3, "train", count=5, frontal=True).persons:
        seen = face_view(torch.rand(3, 128, 128), person.box, person.landmarks, 64, change).landmarks
        assert seen[0, 0] < seen[1, 0]  # eyes
        assert seen[3, 0] < seen[4, 0]  # mouth corners
        assert seen[:2, 1].max() < seen[2, 1] < seen[3:, 1].min()


def test_the_box_is_in_the_middle_and_as_large_as_the_margin_says(dotted):
    image, landmarks = dotted
    box = face_view(image, BOX, landmarks, SIZE, ViewChange(rotation_deg=10, flip=True)).box
    low, high = box[:2] * VIEW_MARGIN * 60, box[2:] * VIEW_MARGIN * 60
    assert torch.allclose(high - low, torch.tensor([50.0, 60.0]))
    assert torch.allclose(low + high, torch.full((2,), VIEW_MARGIN * 60))


def test_brightness_is_a_factor_and_stays_in_range(dotted):
    image, landmarks = dotted
    plain = face_view(image * 0.5, BOX, landmarks, SIZE).image
    for factor in (0.8, 1.2, 3.0):
        lit = face_view(image * 0.5, BOX, landmarks, SIZE, ViewChange(brightness=factor)).image
        assert torch.allclose(lit, (plain * factor).clamp(0, 1))


def test_a_large_face_is_averaged_not_thinned_out():
    stripes = (torch.arange(400) % 2).float().expand(3, 400, 400)  # one pixel white, one black
    view = face_view(stripes, torch.tensor([0.3, 0.3, 0.7, 0.7]), torch.rand(5, 2), 32).image
    assert (view - 0.5).abs().max() < 0.1


def test_beyond_the_border_the_edge_is_repeated():
    image = torch.rand(3, 40, 40)
    image[:, :, 0] = 0.25
    view = face_view(image, torch.tensor([0.0, 0.4, 0.2, 0.6]), torch.rand(5, 2), 64).image
    assert torch.allclose(view[:, :, :12], torch.tensor(0.25), atol=1e-6)


def test_impossible_views_are_refused(dotted):
    image, landmarks = dotted
    with pytest.raises(ValueError, match="size"):
        face_view(image, BOX, landmarks, 0)
    with pytest.raises(ValueError, match="box"):
        face_view(image, torch.full((4,), 0.5), landmarks, SIZE)
