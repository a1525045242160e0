"""Fréchet distance against closed forms, scipy's matrix root and torchmetrics' FID."""

import numpy as np
import pytest
import torch
from scipy import linalg
from torchmetrics.image.fid import _compute_fid

from rewards.functional.frechet import feature_distance, frechet_distance, gaussian_moments


def features(n, d, seed):
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(d, d, generator=generator, dtype=torch.float64)
    return torch.randn(n, d, generator=generator, dtype=torch.float64) @ mixing + seed


def test_moments_are_numpys():
    mean, covariance = gaussian_moments(features(50, 6, 0).float())
    assert mean.dtype == covariance.dtype == torch.float64
    single = features(50, 6, 0).float().double().numpy()
    np.testing.assert_allclose(mean, single.mean(0), atol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(single, rowvar=False), atol=1e-10)


def test_independent_axes_have_a_closed_form():
    """Axis by axis, the distance of N(m, s²) and N(n, t²) is (m - n)² + (s - t)²."""
    m, n = torch.tensor([0.0, 1.0, -2.0]), torch.tensor([0.5, 1.0, 3.0])
    s, t = torch.tensor([1.0, 0.2, 3.0]), torch.tensor([2.0, 0.2, 0.0])
    expected = ((m - n) ** 2 + (s - t) ** 2).sum().item()
    distance = frechet_distance(m, torch.diag(s**2), n, torch.diag(t**2))
    assert distance.item() == pytest.approx(expected, rel=1e-6)


def test_the_distance_is_that_of_scipys_root_and_of_torchmetrics():
    a, b = gaussian_moments(features(400, 16, 1)), gaussian_moments(features(300, 16, 2))
    root = linalg.sqrtm(a[1].numpy() @ b[1].numpy()).real
    expected = ((a[0] - b[0]) ** 2).sum() + a[1].trace() + b[1].trace() - 2 * np.trace(root)
    ours = frechet_distance(*a, *b).item()
    assert ours == pytest.approx(expected.item(), rel=1e-9)
    assert ours == pytest.approx(_compute_fid(a[0], a[1], b[0], b[1]).item(), rel=1e-9)
    assert ours == pytest.approx(
        feature_distance(features(400, 16, 1), features(300, 16, 2)).item(), rel=1e-9
    )


def test_a_set_is_at_distance_zero_from_itself_even_without_full_rank():
    few = features(8, 32, 3)
    scale = gaussian_moments(few)[1].trace().item()
    assert 0 <= feature_distance(few, few).item() < 1e-6 * scale


def test_the_distance_is_symmetric_and_blind_to_a_common_shift_and_rotation():
    a, b = features(100, 8, 1), features(100, 8, 2)
    rotation = torch.linalg.qr(features(8, 8, 5)).Q
    base = feature_distance(a, b).item()
    assert feature_distance(b, a).item() == pytest.approx(base, rel=1e-9)
    assert feature_distance(a @ rotation + 3, b @ rotation + 3).item() == pytest.approx(base, rel=1e-9)


def test_one_dimension_works_and_one_feature_is_refused():
    a = torch.tensor([[0.0], [2.0]])
    assert feature_distance(a, a + 3).item() == pytest.approx(9.0)
    with pytest.raises(ValueError, match="features"):
        feature_distance(a[:1], a)
