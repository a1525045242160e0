import pytest
import torch

from datamodules.geometry.heads import head_boxes
from datamodules.human_in_place import HumanInPlaceScenes, join

SIZE = torch.tensor([400.0, 200.0])


@pytest.fixture
def body():
    keypoints = torch.zeros(1, 17, 3)
    keypoints[..., 2] = 2
    # nose, eyes, ears 40 px apart
    pixels = torch.tensor([[100.0, 60], [90, 50], [110, 50], [80, 55], [120, 55]])
    keypoints[0, :5, :2] = pixels / SIZE
    keypoints[0, 5:, :2] = 0.9  # the body does not matter
    return keypoints


def test_head_boxes_are_squares_on_the_screen_around_the_head(body):
    box = head_boxes(body, SIZE)[0] * SIZE.repeat(2)
    torch.testing.assert_close(box, torch.tensor([78.0, 32.0, 122.0, 76.0]))  # side 44 round (100, 54)


def test_unknown_joints_do_not_count(body):
    body[0, [1, 2, 4], 2] = 0  # nose and image-left ear are left, 20.62 px apart
    body[0, [1, 2, 4], :2] = torch.nan
    box = head_boxes(body, SIZE)[0] * SIZE.repeat(2)
    half = 0.55 * (20**2 + 5**2) ** 0.5
    torch.testing.assert_close(box, torch.tensor([90 - half, 57.5 - half, 90 + half, 57.5 + half]))


def test_without_a_face_the_body_says_how_large_and_where(body):
    body[0, :5, 2] = 0
    body[0, 5:, :2] = torch.tensor([0.5, 0.5])
    body[0, 15, :2] = torch.tensor([0.5, 1.0])  # 100 px below
    box = head_boxes(body, SIZE)[0] * SIZE.repeat(2)
    torch.testing.assert_close(box, torch.tensor([192.5, 92.5, 207.5, 107.5]))
    body[..., 2] = 0
    assert head_boxes(body, SIZE).tolist() == [[0.0] * 4]


def test_heads_of_the_tiny_world_are_where_it_draws_them():
    layout = join([HumanInPlaceScenes("val", 12, (1, 2, 3))[i] for i in range(12)]).layout
    guessed = head_boxes(layout.keypoints[layout.valid], torch.tensor([128.0, 128.0]))
    true = layout.boxes[layout.valid]
    centre = (guessed[:, :2] + guessed[:, 2:] - true[:, :2] - true[:, 2:]) / 2
    assert float((centre.norm(dim=1) / (true[:, 3] - true[:, 1])).max()) < 0.25
