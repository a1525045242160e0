"""The codec wrapper and the tiny autoencoder."""

import pytest
import torch
from diffusers import AutoencoderKL

from lightning_modules.backbone.autoencoder import PATCH, PatchAutoencoder
from lightning_modules.backbone.latents import LatentCodec, load_codec, pack, unpack


@pytest.fixture(scope="module")
def images():
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(8, 3, 8, 8, generator=rng)
    return torch.nn.functional.interpolate(coarse, 64, mode="bicubic").clamp(0, 1)


def small(**extra):
    torch.manual_seed(0)
    return PatchAutoencoder(width=32, fine_width=16, blocks=1, **extra)


def test_starts_as_principal_component_analysis(images):
    """Before training, the round trip is the best linear one: as torch's own PCA of the patches."""
    vae = small()
    pixels = images * 2 - 1
    vae.start_at_principal_components(pixels)
    patches = torch.nn.functional.pixel_unshuffle(pixels, PATCH).permute(0, 2, 3, 1).reshape(-1, 192)
    mean = patches.mean(0)
    _, _, components = torch.linalg.svd(patches - mean, full_matrices=False)
    best = (patches - mean) @ components[:16].T @ components[:16] + mean
    with torch.no_grad():
        ours = torch.nn.functional.pixel_unshuffle(vae(pixels), PATCH).permute(0, 2, 3, 1).reshape(-1, 192)
        latents = vae.encode(pixels).latent_dist.mode()
    torch.testing.assert_close(ours, best, rtol=0, atol=1e-4)
    assert float(latents.var()) == pytest.approx(1.0, rel=0.05)


def test_posterior_is_a_point(images):
    posterior = small().encode(images).latent_dist
    assert (posterior.sample() - posterior.mode()).abs().max() < 1e-5


def test_scale_and_shift_are_undone(images):
    vae = small(scaling_factor=0.5, shift_factor=0.3)
    vae.start_at_principal_components(images * 2 - 1)
    codec = LatentCodec(vae)
    with torch.no_grad():
        raw = vae.encode(images * 2 - 1).latent_dist.mode()
        torch.testing.assert_close(codec.encode(images), pack((raw - 0.3) * 0.5))
        torch.testing.assert_close(codec.round_trip(images), ((vae(images * 2 - 1) + 1) / 2).clamp(0, 1))


def test_saved_codecs_load_by_their_own_class(tmp_path, images):
    vae = small(scaling_factor=0.5)
    vae.save_pretrained(tmp_path / "ours")
    AutoencoderKL(
        block_out_channels=(8, 8),
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=16,
    ).save_pretrained(tmp_path / "kl")
    ours, theirs = load_codec(tmp_path / "ours"), load_codec(tmp_path / "kl")
    assert isinstance(ours.vae, PatchAutoencoder)
    assert isinstance(theirs.vae, AutoencoderKL)
    with torch.no_grad():
        torch.testing.assert_close(ours.encode(images), LatentCodec(vae).encode(images))
    with pytest.raises(ValueError, match="holds no config"):
        load_codec(tmp_path)


def test_odd_sizes_are_refused():
    with pytest.raises(ValueError, match="multiples of 8"):
        small().encode(torch.zeros(1, 3, 60, 64))


def test_packing_round_trip():
    latents = torch.randn(2, 16, 6, 10)
    assert torch.equal(unpack(pack(latents), 3, 5), latents)
