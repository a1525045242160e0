"""What the frame does to pixels it does to points; faces decide where it lies."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms import functional as TF

from datamodules.photographs.files import UnfitError
from datamodules.photographs.framing import frame_faces


def box_at(x, y, side, photo):
    height, width = photo
    return torch.tensor(
        [[(x - side / 2) / width, (y - side / 2) / height, (x + side / 2) / width, (y + side / 2) / height]]
    )


@pytest.mark.parametrize("photo", [(300, 500), (500, 300), (256, 256)])
@pytest.mark.parametrize("size", [(128, 128), (64, 160), (160, 64)])
def test_a_dot_is_where_its_point_is(photo, size):
    centre = (photo[1] / 2, photo[0] / 2)
    image = torch.zeros(3, *photo)
    x, y = int(centre[0]) - 4, int(centre[1]) + 3
    image[0, y - 4 : y + 5, x - 4 : x + 5] = 1
    frame = frame_faces(box_at(*centre, 20, photo), photo, size, enlarge=1)
    cut = frame.cut(image)
    assert tuple(cut.shape) == (3, *size)
    weights = cut[0] / cut[0].sum()
    rows, columns = torch.arange(size[0]) + 0.5, torch.arange(size[1]) + 0.5
    seen = torch.stack([(weights.sum(0) * columns).sum() / size[1], (weights.sum(1) * rows).sum() / size[0]])
    point = frame.points(torch.tensor([(x + 0.5) / photo[1], (y + 0.5) / photo[0]]))
    assert ((seen - point).abs() * torch.tensor([size[1], size[0]])).max() < 0.3  # pixels


def test_pixels_are_torchvisions():
    image = torch.rand(3, 300, 500)
    frame = frame_faces(box_at(250, 150, 30, (300, 500)), (300, 500), (96, 96), enlarge=1)
    expected = TF.center_crop(TF.resize(image, [96, 160], antialias=True), [96, 96])
    assert torch.allclose(frame.cut(image), expected, atol=1e-5)


@given(
    st.integers(150, 900), st.integers(150, 900), st.sampled_from([(96, 96), (64, 128), (128, 64)]),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0.02, 0.4)), min_size=1, max_size=4),
)  # fmt: skip
def test_all_faces_are_inside_or_the_photograph_is_refused(height, width, size, faces):
    boxes = torch.tensor([[x * (1 - s), y * (1 - s), x * (1 - s) + s, y * (1 - s) + s] for x, y, s in faces])
    scale = max(size[0] / height, size[1] / width)
    hull = torch.cat([boxes[:, :2].amin(0), boxes[:, 2:].amax(0)]) * torch.tensor([width, height] * 2) * scale
    extent = (hull[2:] - hull[:2]) - torch.tensor([size[1], size[0]])
    try:
        frame = frame_faces(boxes, (height, width), size, enlarge=1)
    except UnfitError:
        assert extent.max() > -2
        return
    assert extent.max() < 2
    inside = frame.points(boxes.view(-1, 2, 2)) * torch.tensor([size[1], size[0]])
    assert inside.min() > -1.1
    assert (inside.amax(dim=(0, 1)) < torch.tensor([size[1], size[0]]) + 1.1).all()


def test_a_head_at_the_top_is_kept_and_a_crowd_that_is_too_wide_refused():
    photo = (400, 200)
    high = frame_faces(box_at(100, 60, 60, photo), photo, (96, 96), enlarge=1)
    assert high.low[0] <= (60 - 0.8 * 60) * 96 / 200 + 1  # forehead and hair, which the box leaves out
    middle = frame_faces(box_at(100, 200, 60, photo), photo, (96, 96), enlarge=1)
    assert middle.low == ((192 - 96) // 2, 0)
    both = torch.cat([box_at(100, 40, 60, photo), box_at(100, 360, 60, photo)])
    with pytest.raises(UnfitError, match="outside"):
        frame_faces(both, photo, (96, 96), enlarge=1)
    with pytest.raises(UnfitError, match="enlarged"):
        frame_faces(box_at(20, 20, 10, (40, 40)), (40, 40), (96, 96), enlarge=2)
    assert frame_faces(box_at(20, 20, 10, (48, 48)), (48, 48), (96, 96), enlarge=2).scaled == (96, 96)


def test_bodies_are_cut_where_the_frame_ends():
    photo = (200, 400)
    frame = frame_faces(box_at(200, 50, 40, photo), photo, (96, 96), enlarge=1)
    body = torch.tensor([[[0.5, 0.5, 2.0], [0.1, 0.5, 2.0], [0.5, 0.9, 1.0]]])
    cut = frame.keypoints(body)[0]
    assert torch.allclose(cut[0], torch.tensor([0.5, 0.5, 2.0]))
    assert cut[1].tolist() == [0, 0, 0]
    assert cut[2, 2] == 1
