import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from rewards.analyzers.alignment import TEMPLATE, align_faces, fit_similarity


def _apply(a, b, points):
    z = a * torch.view_as_complex(points.contiguous()) + b
    return torch.view_as_real(z)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.2, 5), st.floats(-3, 3), st.floats(-50, 50))
def test_exact_similarities_are_recovered_as_by_opencv(seed, scale, angle, shift):
    rng = np.random.default_rng(seed)
    source = rng.uniform(0, 40, (5, 2))
    rotation = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = source @ rotation.T + [shift, -2 * shift]
    a, b = fit_similarity(torch.tensor(source)[None], torch.tensor(target)[None])
    matrix, _ = cv2.estimateAffinePartial2D(source, target, method=cv2.LMEDS)
    np.testing.assert_allclose([a.real[0], a.imag[0]], matrix[:, 0], atol=1e-4)
    np.testing.assert_allclose([b.real[0], b.imag[0]], matrix[:, 2], atol=1e-2)


def test_noisy_fits_are_least_squares():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(5, 2)) * 10, rng.normal(size=(5, 2)) * 10

    def residual(p):
        turned = source @ np.array([[p[0], p[1]], [-p[1], p[0]]])
        return (turned + p[2:] - target).ravel()

    best = least_squares(residual, [1.0, 0.0, 0.0, 0.0]).x
    a, b = fit_similarity(torch.tensor(source)[None], torch.tensor(target)[None])
    got = [a.real[0].item(), a.imag[0].item(), b.real[0].item(), b.imag[0].item()]
    np.testing.assert_allclose(got, best, atol=1e-5)


def test_coinciding_points_give_the_centroid():
    a, b = fit_similarity(torch.ones(1, 5, 2), torch.rand(1, 5, 2))
    assert torch.isfinite(torch.view_as_real(a)).all()
    assert torch.isfinite(torch.view_as_real(b)).all()


@pytest.mark.parametrize("size", [(128, 128), (64, 192)])
def test_crops_equal_opencvs_warp(size):
    h, w = size
    torch.manual_seed(0)
    coarse = torch.rand(2, 3, 9, 9)
    images = torch.nn.functional.interpolate(coarse, size=size, mode="bicubic").clamp(0, 1)
    landmarks = torch.tensor([[30.0, 25], [42, 28], [35, 34], [29, 39], [38, 42]]) / torch.tensor([w, h])
    crop = align_faces(images, torch.tensor([1]), landmarks[None], 40)[0]
    template = torch.tensor(TEMPLATE)
    a, b = fit_similarity(template[None] * 40, (landmarks * torch.tensor([w, h]))[None])
    # cv2 counts from pixel centres, we from pixel corners.
    shift = (a[0] - 1) * (0.5 + 0.5j) + b[0]
    matrix = np.array([[a.real[0], -a.imag[0], shift.real], [a.imag[0], a.real[0], shift.imag]], np.float64)
    warped = cv2.warpAffine(
        images[1].permute(1, 2, 0).numpy(), matrix, (40, 40),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    np.testing.assert_allclose(crop.permute(1, 2, 0).numpy(), warped, atol=0.02)


def test_landmarks_land_on_the_template_whatever_the_rotation():
    size = 40
    template = torch.tensor(TEMPLATE)
    a = torch.polar(torch.tensor([22.0]), torch.tensor([0.7]))
    landmarks = _apply(
        a[:, None], torch.complex(torch.tensor([50.0]), torch.tensor([60.0]))[:, None], template[None]
    )
    dots = torch.zeros(1, 5, 128, 128)
    y, x = torch.meshgrid(torch.arange(128) + 0.5, torch.arange(128) + 0.5, indexing="ij")
    for k, (px, py) in enumerate(landmarks[0]):
        dots[0, k] = torch.exp(-((x - px) ** 2 + (y - py) ** 2) / 4)
    crops = align_faces(dots, torch.tensor([0]), landmarks / 128, size)
    mass = crops[0] / crops[0].sum((1, 2), keepdim=True)
    axis = (torch.arange(size) + 0.5) / size
    centre = torch.stack([(mass.sum(1) * axis).sum(1), (mass.sum(2) * axis).sum(1)], dim=-1)
    torch.testing.assert_close(centre, template, atol=0.01, rtol=0)
