"""BlazeFace behind SCRFD's outputs and dlib's alignment behind ArcFace's: decoded by InsightFace's own functions."""

import numpy as np
import torch
from insightface.model_zoo.scrfd import distance2bbox, distance2kps
from insightface.utils.face_align import arcface_dst
from torch import nn

from rewards.real_parts.faces import DETECTOR_SIZE, MOUTH_WIDTH, DlibAsArcFace, scrfd_level


def _corners(stride: int) -> np.ndarray:
    """Anchor points as insightface builds them: upper left corners, each cell twice."""
    n = DETECTOR_SIZE // stride
    cells = np.stack(np.mgrid[:n, :n][::-1], axis=-1).astype(np.float32).reshape(-1, 2) * stride
    return np.stack([cells] * 2, axis=1).reshape(-1, 2)


def test_insightface_decodes_blazefaces_boxes_and_landmarks() -> None:
    stride, anchor = 16, 2 * (3 * 16 + 5) + 1  # second anchor of row 3, column 5: centre (88, 56)
    regression = torch.zeros(1, 512, 16)
    landmarks = torch.tensor([[-10.0, -8], [10, -6], [1, 0], [0, 12], [-20, -5], [20, -5]])
    regression[0, anchor] = torch.cat([torch.tensor([2.0, -4, 40, 60]), landmarks.flatten()])
    logits = torch.full((1, 512, 1), -100.0)
    logits[0, anchor] = 2
    scores, boxes, points = scrfd_level(logits, regression, stride)
    assert scores.argmax().item() == anchor
    torch.testing.assert_close(scores[anchor, 0], torch.tensor(2.0).sigmoid())
    assert scores.sum() < scores[anchor, 0] + 1e-6
    box = distance2bbox(_corners(stride), boxes.numpy() * stride)[anchor]
    np.testing.assert_allclose(box, [88 + 2 - 20, 56 - 4 - 30, 88 + 2 + 20, 56 - 4 + 30], atol=1e-4)
    decoded = distance2kps(_corners(stride), points.numpy() * stride)[anchor].reshape(5, 2) - [88, 56]
    np.testing.assert_allclose(decoded[:3], landmarks[:3], atol=1e-4)
    half = np.array([20, 2]) * MOUTH_WIDTH / 2  # parallel to the eyes
    np.testing.assert_allclose(decoded[3:], [np.array([0, 12]) - half, np.array([0, 12]) + half], atol=1e-4)


def test_the_two_best_of_six_anchors_stay() -> None:
    logits = torch.randn(8, 8, 6)
    regression = torch.randn(1, 384, 16)
    scores, boxes, _ = scrfd_level(logits.reshape(1, 384, 1), regression, stride=32)
    expected = np.sort(logits.numpy().reshape(64, 6), axis=1)[:, :-3:-1]
    np.testing.assert_allclose(scores.numpy().reshape(64, 2), 1 / (1 + np.exp(-expected)), rtol=1e-5)
    best = int(logits.reshape(64, 6)[10].argmax())
    width = (boxes[20, 0] + boxes[20, 2]) * 32
    torch.testing.assert_close(width, regression[0, 60 + best, 2])


def test_arcface_crops_are_moved_to_dlibs_template() -> None:
    """The crop's own coordinates are resampled: where dlib expects an eye, ArcFace's template has one."""
    y, x = torch.meshgrid(torch.arange(112.0), torch.arange(112.0), indexing="ij")
    crop = torch.stack([x, y, torch.zeros_like(x)])[None]
    resampled = DlibAsArcFace(nn.Identity(), torch.zeros(1))((crop - 127.5) / 127.5)[0]  # type: ignore[arg-type]
    dlib = {"left eye": (47.8, 37.4), "right eye": (102.2, 37.4), "mouth": (75, 98.8)}
    arcface = {"left eye": arcface_dst[0], "right eye": arcface_dst[1], "mouth": arcface_dst[3:].mean(axis=0)}
    for name, (column, row) in dlib.items():
        seen = resampled[:2, round(row), round(column)].numpy()
        np.testing.assert_allclose(seen, arcface[name], atol=1.2, err_msg=name)


def test_the_mean_is_subtracted() -> None:
    crop = torch.rand(2, 3, 112, 112)
    mean = torch.full((1,), 7.0)
    plain = DlibAsArcFace(nn.Identity(), torch.zeros(1))(crop)  # type: ignore[arg-type]
    torch.testing.assert_close(DlibAsArcFace(nn.Identity(), mean)(crop), plain - 7)  # type: ignore[arg-type]
