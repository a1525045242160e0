"""The codec's trainer: its start, its weights per pixel, and that it learns."""

from dataclasses import replace

import pytest
import torch
from quiet_trainer import quiet_trainer
from torch.nn import functional as F

from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.backbone.autoencoder import PATCH, PatchAutoencoder
from lightning_modules.pretraining.codec import CodecModule, CodecRecipe, CodecViews, views_of


@pytest.fixture(scope="module")
def scene():
    return draw_scene(3, "train", count=3)


def fit(model, data, steps, **options):
    trainer = quiet_trainer(max_steps=steps, check_val_every_n_epoch=None, **options)
    trainer.fit(model, data)


def test_it_starts_at_the_best_linear_code(scene):
    """What is left of the patches is the variance beyond the first 16 principal components, by SVD."""
    images = torch.stack([scene.image, scene.background]) * 2 - 1
    codec = PatchAutoencoder(width=8, fine_width=8, fine_blocks=1)
    codec.start_at_principal_components(images)
    with torch.no_grad():
        error = (codec(images) - images).square().sum()
    patches = F.pixel_unshuffle(images, PATCH).permute(0, 2, 3, 1).reshape(-1, 192)
    beyond = torch.linalg.svdvals(patches - patches.mean(0))[16:].square().sum()
    assert float(error) == pytest.approx(float(beyond), rel=1e-3)


def test_views_and_their_classes(scene):
    images, classes = views_of(scene)
    assert images.shape == (5, 3, 128, 128)
    assert classes[0].unique().tolist() == [0, 1, 2]
    x0, y0, x1, y1 = (scene.persons[0].box * 128).round().int().tolist()
    assert bool((classes[0, y0:y1, x0:x1] == 2).all())
    assert not classes[1].any()
    nobody = classes[0] == 0
    difference = (images[0].int() - images[1].int()).abs().amax(0)
    assert (difference[nobody] > 40).float().mean() < 0.02  # the background shows where nobody stands


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_of_scenes_among_crops(share):
    data = CodecViews(train_size=2, val_size=1, batch_size=2, crop=128, workers=0, scene_share=share)
    data.setup("fit")
    scenes = data.views["train"][0][:, 0]
    for _ in range(4):
        (images, _), *_ = data.train_dataloader()
        for image in images:
            assert any(torch.equal(image, scene) for scene in scenes) == bool(share)


def test_a_share_beyond_one_is_refused():
    with pytest.raises(ValueError, match=r"scene_share: 1\.5 is not a share"):
        CodecViews(scene_share=1.5)


def test_a_few_steps_beat_the_linear_code(tmp_path):
    torch.manual_seed(0)
    data = CodecViews(train_size=6, val_size=4, batch_size=6, crop=32, workers=0)
    data.setup("fit")
    model = CodecModule(
        PatchAutoencoder(width=32, fine_width=32, fine_blocks=1),
        CodecRecipe(warmup_steps=5, muon_learning_rate=5e-3),
        output=str(tmp_path / "out"),
    )
    batch = (data.views["train"][0][:, 0], data.views["train"][1][:, 0])
    linear = PatchAutoencoder(width=32, fine_width=32, fine_blocks=1)
    linear.start_at_principal_components(data.views["train"][0].flatten(0, 1).float() / 127.5 - 1)
    before = float(CodecModule(linear, CodecRecipe(latent_noise=0.0)).loss(*batch))
    fit(model, data, 300, num_sanity_val_steps=-1, default_root_dir=tmp_path)
    model.recipe = replace(model.recipe, latent_noise=0.0)
    model.codec.float()  # it is written, and left, in bfloat16
    assert float(model.loss(*batch)) < 0.97 * before  # measured: 0.952; untrained it is 1
    written = PatchAutoencoder.from_pretrained(tmp_path / "out", torch_dtype=torch.float32)
    latents = written.encode(data.views["val"][0][:, 0].float() / 127.5 - 1).latent_dist.mode()
    scaled = (latents - written.config.shift_factor) * written.config.scaling_factor
    assert float(scaled.mean()) == pytest.approx(0, abs=0.02)
    assert float(scaled.std()) == pytest.approx(1, abs=0.02)


def test_a_deeper_decoder_starts_as_the_old_one_and_keeps_its_latents(scene, tmp_path):
    torch.manual_seed(0)
    old = PatchAutoencoder(width=16, fine_width=16, fine_blocks=1, scaling_factor=2.0)
    for parameter in old.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    old.save_pretrained(tmp_path / "old")
    new = PatchAutoencoder(width=16, decoder_blocks=2, fine_width=16, fine_blocks=3)
    model = CodecModule(
        new,
        CodecRecipe(warmup_steps=5, latent_noise=0.0),
        start=str(tmp_path / "old"),
        output=str(tmp_path / "new"),
    )
    images = scene.image[None] * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(new(images), old(images))
        latents = old.encode(images).latent_dist.mode()
        before = (old(images) - images).square().mean()
    data = CodecViews(train_size=6, val_size=4, batch_size=6, crop=32, workers=0)
    data.setup("fit")
    fit(model, data, 200, limit_val_batches=1)
    written = PatchAutoencoder.from_pretrained(tmp_path / "new")
    assert written.config.scaling_factor == 2.0
    with torch.no_grad():
        torch.testing.assert_close(written.encode(images).latent_dist.mode(), latents, atol=2e-2, rtol=2e-2)
        assert (written(images) - images).square().mean() < 0.7 * before
        added = written.decoder[2].conv2.weight
        assert bool(added.any())


def test_a_decoder_that_is_too_small_is_refused(tmp_path):
    PatchAutoencoder(width=16, fine_width=16, fine_blocks=2).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="has 2 blocks; the new decoder has only 1"):
        CodecModule(PatchAutoencoder(width=16, fine_width=16, fine_blocks=1), start=str(tmp_path))
    with pytest.raises(ValueError, match="other widths"):
        CodecModule(PatchAutoencoder(width=24, fine_width=16, fine_blocks=2), start=str(tmp_path))
