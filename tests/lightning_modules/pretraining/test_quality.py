import numpy as np
import pytest
import torch
from PIL import Image

from lightning_modules.backbone.latents import load_codec
from lightning_modules.pretraining.quality import LATENT, QualityPretraining, clean_auc, damage_map


def test_each_image_gets_its_own_fault(batch):
    module = QualityPretraining("quality_scorer", ["blur", "noise"], width=8)
    kinds, severity = torch.arange(12) % 2, torch.ones(12)
    worse = module._with_fault(batch, kinds, severity)
    # Noise raises the difference between neighbouring pixels, blur lowers it.
    rough = [(x[..., 1:] - x[..., :-1]).abs().mean((1, 2, 3)) for x in (batch.images, worse)]
    assert torch.equal(rough[1] > rough[0], kinds == 1)
    assert torch.equal(module._with_fault(batch, kinds, torch.zeros(12)), batch.images)


@pytest.mark.parametrize("name", LATENT)
def test_faults_of_latents_grow_with_severity(name, batch):
    module = QualityPretraining("quality_scorer", [name], width=8, codec="shipped")
    module.setup("fit")
    kinds = torch.zeros(len(batch), dtype=torch.long)
    fine = load_codec().round_trip(batch.images)
    errors = []
    for severity in (0.0, 0.3, 1.0):
        torch.manual_seed(0)
        worse = module._with_fault(batch, kinds, torch.full((len(batch),), severity))
        errors.append(float((worse - fine).square().mean()))
    assert errors[0] < 1e-9
    assert 1e-5 < errors[1] < 0.5 * errors[2]


def test_an_offset_of_latents_shows_as_a_grid():
    """The same change of every token repeats every 16 pixels; of a flat image nothing else is left."""
    tokens = torch.zeros(3, 64, 64)
    moved = LATENT["latent_offset"](tokens, torch.ones(3, 1, 1))
    assert moved.std(dim=1).max() == 0
    assert float(moved.std()) == pytest.approx(0.3, rel=0.15)
    image = load_codec().decode(moved, (128, 128))[:, :, 32:96, 32:96]
    assert float((image - image.roll(16, dims=-1)).abs()[..., 16:].mean()) < 0.1 * float(image.std())


def test_generated_images_are_bad_examples(batch, tmp_path):
    array = np.full((128, 128, 3), 200, np.uint8)
    Image.fromarray(array).save(tmp_path / "one.png")
    module = QualityPretraining(
        "quality_judge", ["blur"], width=8, generated_folder=str(tmp_path), generated_severity=0.7
    )
    module.setup("fit")
    images, target = module._with_generated(batch.images, torch.ones(12))
    assert len(images) == len(target) == 14
    assert images[12:].eq(200 / 255).all()
    assert target[12:].tolist() == pytest.approx([0.3, 0.3])


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no"):
        QualityPretraining("quality_judge", ["blur"], generated_folder=str(tmp_path)).setup("fit")


def test_damage_is_the_error_of_each_cell(batch):
    worse = batch.images.clone()
    worse[:, :, 8:16, 24:32] = 1 - worse[:, :, 8:16, 24:32]
    damage = damage_map(worse, batch.images)
    error = (worse - batch.images)[:, :, 8:16, 24:32].square().mean((1, 2, 3)).sqrt()
    torch.testing.assert_close(damage[:, 1, 3], (error / 0.25).clamp(max=1))
    damage[:, 1, 3] = 0
    assert damage.eq(0).all()


def test_clean_auc_counts_pairs():
    clean, worse = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 2.5])
    assert clean_auc(clean, worse).item() == pytest.approx(4 / 6)
