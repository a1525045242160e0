import numpy as np
import pytest
import torch
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter

from lightning_modules.pretraining.degradations import (
    MASKED,
    PLAIN,
    augment,
    block_cosine,
    blur,
    cosine_basis,
    degrade,
    token_shuffle,
)


@pytest.fixture
def images():
    coarse = torch.rand(4, 3, 24, 24)
    return torch.nn.functional.interpolate(coarse, size=128, mode="bicubic").clamp(0, 1)


@pytest.fixture
def masks():
    masks = torch.zeros(4, 128, 128, dtype=torch.bool)
    masks[:, 20:110, 40:90] = True
    return masks


@pytest.mark.parametrize("name", [*PLAIN, *MASKED])
def test_severity_is_what_it_says(name, images, masks):
    before = images.clone()
    assert torch.equal(degrade(name, images, torch.zeros(4), masks), before)
    errors = []
    for severity in (0.15, 0.5, 1.0):
        drawn = []
        for _ in range(4):
            worse = degrade(name, images, torch.full((4,), severity), masks)
            assert worse.shape == images.shape
            assert worse.min() >= -1e-5
            assert worse.max() <= 1 + 1e-5
            drawn.append((worse - images).square().mean())
        errors.append(torch.stack(drawn).mean().item())
    assert 0 < errors[0] < errors[1] < errors[2]
    assert torch.equal(images, before)


def test_blur_is_scipys(images):
    got = blur(images, torch.full((4,), 0.6))
    want = gaussian_filter(images.numpy(), (0, 0, 1.5, 1.5), mode="mirror", truncate=4.0)
    np.testing.assert_allclose(got.numpy(), want, atol=2e-3)


def test_cosine_blocks_are_scipys(images):
    got = block_cosine(images, torch.full((4,), 0.4))
    order = np.arange(8)
    step = 0.4 * (0.2 + 3 * (order[:, None] + order) / 14) + 1e-4
    block = images[1, 2, 40:48, 64:72].numpy()
    coefficients = np.round(dctn(block, norm="ortho") / step) * step
    np.testing.assert_allclose(
        got[1, 2, 40:48, 64:72].numpy(), idctn(coefficients, norm="ortho").clip(0, 1), atol=1e-4
    )
    torch.testing.assert_close(cosine_basis(8) @ cosine_basis(8).T, torch.eye(8, dtype=torch.float64))


def test_shuffling_moves_whole_tokens(images):
    worse = token_shuffle(images, torch.ones(4))
    tokens = [
        x.unfold(2, 16, 16).unfold(3, 16, 16).flatten(2, 3).mean((-1, -2)).sum(1) for x in (images, worse)
    ]
    moved = (tokens[0] - tokens[1]).abs() > 1e-5
    assert moved.sum(1).tolist() == [32] * 4
    torch.testing.assert_close(tokens[0].sort(1).values, tokens[1].sort(1).values)


def test_augmentation_leaves_a_share_untouched(images):
    many = images.repeat(16, 1, 1, 1)
    untouched = (augment(many, share=0.5) == many).flatten(1).all(1).float().mean().item()
    assert 0.2 < untouched < 0.6
    assert torch.equal(augment(many, share=0.0), many)


def test_unknown_faults_are_named(images, masks):
    with pytest.raises(ValueError, match=r"'melt'.*ghost"):
        degrade("melt", images, torch.ones(4), masks)


def test_faults_are_the_same_under_autocast(images, masks):
    severity = torch.full((4,), 0.5)
    want = degrade("blur", images, severity, masks)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(degrade("blur", images, severity, masks), want)
