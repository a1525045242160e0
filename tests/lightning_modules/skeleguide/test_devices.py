"""Both phases and both stages on a device that refuses to mix with the CPU, as on the CPU."""

import pytest
import torch
from pretend_device import DEVICE, pretended_device, pretended_strategy
from quiet_trainer import quiet_trainer
from small_module import Scenes, direct, reason_render, scenes
from torch.utils.data import DataLoader

from callbacks.sample_grid import CompositionGrid
from lightning_modules.skeleguide.phases import SKELEGUIDE_PHASES


def joint():
    """SkeleGuide's joint phase with all it has: estimated layouts, guidance, kept keys and values, layout words."""
    module = reason_render(guidance=2.0, steps=2, recipe={"layout_words": "a drawing of"})
    module.set_phase(SKELEGUIDE_PHASES[1].name)
    return module


def trained(made, tmp_path, strategy="auto"):
    module = made()
    trainer = quiet_trainer(
        max_steps=2,
        strategy=strategy,
        accelerator="cpu" if strategy == "auto" else "auto",
        callbacks=[CompositionGrid(str(tmp_path), scenes=1)],
    )
    batches = [DataLoader(Scenes(length), batch_size=None) for length in (2, 1)]
    trainer.fit(module, *batches)
    figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
    module.to(trainer.strategy.root_device)
    batch = scenes()
    return figures, module.compose(batch.source, batch.prompts, seed=1)


@pytest.mark.parametrize("made", [joint, direct])
def test_training_elsewhere_is_training_on_the_cpu(made, tmp_path):
    expected, image = trained(made, tmp_path / "cpu")
    with pretended_device():
        found, drawn = trained(made, tmp_path / "there", pretended_strategy())
        assert drawn.image.device == DEVICE
        drawn = drawn.image.cpu()
    assert found == pytest.approx(expected, rel=1e-3)
    torch.testing.assert_close(drawn, image.image, atol=1e-2, rtol=0)  # attention is summed in another order


def test_a_set_is_loaded_to_where_the_model_is(tmp_path):
    made = direct()
    made.backbone.adapters["appearance"].save(
        tmp_path / "appearance.safetensors", made.adapter_scope("appearance")
    )
    with pretended_device():
        module = direct().to(DEVICE)
        module.load_adapters(tmp_path)
        assert {p.device for p in module.backbone.parameters()} == {DEVICE}
        batch = scenes()
        assert module.compose(batch.source, batch.prompts, seed=1).image.device == DEVICE
