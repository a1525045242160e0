"""``predict`` of a module that puts people into scenes: its files, and what cannot be called anything."""

from dataclasses import replace

import lightning as L
import pytest
import torch
from quiet_trainer import quiet_trainer
from torch.utils.data import DataLoader
from torchvision.io import read_image

from callbacks.composition_writer import CompositionWriter
from datamodules.human_in_place import HumanInPlaceDataModule, HumanInPlaceScenes, join
from lightning_modules.cli import TroupeCLI
from lightning_modules.configured import CONFIGS, configured_module
from lightning_modules.skeleguide.insert import WEIGHTS
from lightning_modules.skeleguide.module import ReasonRenderModule
from lightning_modules.skeleguide.samples import Composition


class Negative(L.LightningModule):
    """Composes the negative of a scene; the layout is the true one, if there is any."""

    def __init__(self, layouts):
        super().__init__()
        self.layouts = layouts

    def predict_step(self, batch, batch_idx):
        return Composition(1 - batch.source, batch.layout_image if self.layouts else None)


def predict(folder, batches, layouts=True):
    trainer = quiet_trainer(callbacks=[CompositionWriter(str(folder))], default_root_dir=folder)
    trainer.predict(Negative(layouts), batches)


def test_images_and_layouts_are_called_like_their_scenes(tmp_path):
    data = HumanInPlaceDataModule(n_test=3, counts=(1, 2), batch_size=2)
    predict(tmp_path, data.predict_dataloader())
    assert sorted(p.name for p in tmp_path.glob("*.png")) == [f"test-{i}.png" for i in range(3)]
    for index, sample in enumerate(data.dataset("test")[i] for i in range(3)):
        assert sample.names == (f"test-{index}",)
        written = (read_image(tmp_path / folder / f"test-{index}.png") / 255 for folder in (".", "layouts"))
        for picture, expected in zip(written, (1 - sample.source, sample.layout_image), strict=True):
            torch.testing.assert_close(picture, expected[0], atol=1 / 255, rtol=0)


def test_the_command_draws_with_the_sets_it_is_given(tmp_path):
    """As docs/skeleguide.md has it, on the tiny world and with the sets that ship."""
    files = [
        part for file in ("trainer/cpu.yaml", "skeleguide/tiny.yaml") for part in ("-c", str(CONFIGS / file))
    ]
    callbacks = "trainer.callbacks"
    imported = [
        argument
        for name in ("skeletal", "appearance")
        for argument in (
            f"{callbacks}+=callbacks.lora_import.LoRAImport",
            f"{callbacks}.init_args.lora={WEIGHTS / name}.safetensors",
            f"{callbacks}.init_args.adapter={name}",
        )
    ]
    written = [
        f"{callbacks}+=callbacks.composition_writer.CompositionWriter",
        f"{callbacks}.init_args.folder={tmp_path / 'drawn'}",
    ]
    steps = "model.init_args.sampling.steps=2"
    short = ["data.init_args.n_test=2", steps, "trainer.logger=false", f"trainer.default_root_dir={tmp_path}"]
    TroupeCLI(["predict", *files, *imported, *written, *short])
    module = configured_module(CONFIGS / "skeleguide" / "tiny.yaml", ReasonRenderModule, [steps])
    module.load_adapters(WEIGHTS)
    batch = join([HumanInPlaceScenes("test", 2, (1, 2))[i] for i in range(2)])
    expected = module.compose(batch.source, batch.prompts, seed=0)
    for i, name in enumerate(batch.names):
        for folder, pictures in (("drawn", expected.image), ("drawn/layouts", expected.layout_image)):
            drawn = read_image(tmp_path / folder / f"{name}.png") / 255
            torch.testing.assert_close(drawn, pictures[i].float().clamp(0, 1), atol=2 / 255, rtol=0)


def test_a_model_without_layouts_leaves_none(tmp_path):
    predict(tmp_path, DataLoader(HumanInPlaceScenes("val", 1, (1,)), batch_size=None), layouts=False)
    assert [p.name for p in tmp_path.iterdir()] == ["val-0.png"]


def test_what_has_no_name_is_refused(tmp_path):
    sample = replace(HumanInPlaceScenes("val", 1, (1,))[0], names=())
    with pytest.raises(ValueError, match="a HumanInPlace without names"):
        predict(tmp_path, DataLoader([sample], batch_size=None))
