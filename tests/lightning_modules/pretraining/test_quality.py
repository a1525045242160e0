import numpy as np
import pytest
import torch
from PIL import Image

from lightning_modules.pretraining.quality import QualityPretraining, clean_auc, damage_map


def test_each_image_gets_its_own_fault(batch):
    module = QualityPretraining("quality_scorer", ["blur", "noise"], width=8)
    kinds, severity = torch.arange(12) % 2, torch.ones(12)
    worse = module._with_fault(batch, kinds, severity)
    # Noise raises the difference between neighbouring pixels, blur lowers it.
    rough = [(x[..., 1:] - x[..., :-1]).abs().mean((1, 2, 3)) for x in (batch.images, worse)]
    assert torch.equal(rough[1] > rough[0], kinds == 1)
    assert torch.equal(module._with_fault(batch, kinds, torch.zeros(12)), batch.images)


def test_generated_images_are_bad_examples(batch, tmp_path):
    array = np.full((128, 128, 3), 200, np.uint8)
    Image.fromarray(array).save(tmp_path / "one.png")
    module = QualityPretraining(
        "quality_judge", ["blur"], width=8, generated_folder=str(tmp_path), generated_severity=0.7
    )
    images, target = module._with_generated(batch.images, torch.ones(12))
    assert len(images) == len(target) == 14
    assert images[12:].eq(200 / 255).all()
    assert target[12:].tolist() == pytest.approx([0.3, 0.3])


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no"):
        QualityPretraining("quality_judge", ["blur"], generated_folder=str(tmp_path))


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
