import itertools

import pytest
import torch
from quiet_trainer import quiet_trainer
from safetensors.torch import load_file

from lightning_modules.pretraining.detector import DetectorPretraining
from lightning_modules.pretraining.embedder import EmbedderPretraining
from lightning_modules.pretraining.image_text import ImageTextPretraining
from lightning_modules.pretraining.module import Recipe, learning_rate_factor
from lightning_modules.pretraining.quality import QualityPretraining
from lightning_modules.pretraining.rendered import RenderedScenes
from rewards.analyzers.tiny import TinyAnalyzer
from rewards.weights import read_card

RECIPE = Recipe(learning_rate=1e-3, warmup_steps=2)


def test_schedule_warms_up_holds_and_decays():
    recipe = Recipe(warmup_steps=10, decay_from=0.5)
    factors = [learning_rate_factor(step, 100, recipe) for step in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[10:50] == [1.0] * 40
    assert factors[75] == pytest.approx(0.5)
    assert factors[100] == 0.01
    assert all(a >= b for a, b in itertools.pairwise(factors[50:]))


@pytest.mark.parametrize(
    "build",
    [
        lambda recipe: DetectorPretraining(width=8, neck=8, body=8, rounds=1, recipe=recipe),
        lambda recipe: EmbedderPretraining(width=8, recipe=recipe),
        lambda recipe: ImageTextPretraining(image_width=8, text_width=16, dim=16, recipe=recipe),
        lambda recipe: QualityPretraining("quality_scorer", ["blur", "ghost"], width=8, recipe=recipe),
    ],
)
def test_every_trainer_fits_validates_and_exports(build, tmp_path):
    from dataclasses import replace

    data = RenderedScenes(str(tmp_path / "rendered"), n_train=8, n_val=40, batch_size=8, processes=1)
    module = build(replace(RECIPE, export_folder=str(tmp_path / "weights")))
    before = {k: v.clone() for k, v in module.network.state_dict().items()}
    trainer = quiet_trainer(max_steps=2, num_sanity_val_steps=0)
    trainer.fit(module, datamodule=data)
    card = read_card(tmp_path / "weights", module.name)
    written = load_file(tmp_path / "weights" / f"{module.name}.safetensors")
    assert card.steps == 2
    assert any(key.startswith("val/") for key in card.metrics)
    for name, parameter in module.network.named_parameters():
        assert not torch.equal(parameter, before[name]), f"{name} was not trained"
        torch.testing.assert_close(written[name].float(), parameter.detach(), rtol=2e-3, atol=1e-4)


def test_exported_weights_are_what_the_analyzer_reads(tmp_path):
    data = RenderedScenes(str(tmp_path / "rendered"), n_train=4, n_val=2, batch_size=4, processes=1)
    recipe = Recipe(export_folder=str(tmp_path / "weights"))
    for module in (
        DetectorPretraining(8, 8, 8, 1, recipe=recipe),
        EmbedderPretraining(width=8, recipe=recipe),
    ):
        quiet_trainer(max_steps=1, num_sanity_val_steps=0).fit(module, datamodule=data)
    analyzer = TinyAnalyzer(weights=tmp_path / "weights")
    assert len(analyzer.analyze(torch.rand(2, 3, 128, 128))) == 2
    assert analyzer.detector.trunk.widths[0] == 8


def test_faults_that_cannot_be_made_are_named():
    with pytest.raises(ValueError, match=r"'melt'.*latent_noise|'melt'.*blur"):
        QualityPretraining("quality_judge", ["blur", "melt"])
    with pytest.raises(ValueError, match="latent_noise"):
        QualityPretraining("quality_judge", ["latent_noise"])
