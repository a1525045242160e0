"""The grid of compositions: five rows, the first scenes, the same noise every time."""

import lightning as L
import torch
from quiet_trainer import quiet_trainer
from torch.utils.data import DataLoader
from torchvision.io import read_image

from callbacks.sample_grid import CompositionGrid
from datamodules.schema.human_in_place import HumanInPlace
from datamodules.schema.layout import Layout
from lightning_modules.skeleguide.samples import Composition


def grey(level, count=2):
    """Scenes whose pictures are plain: source, target and layout of their own grey."""
    shades = [torch.full((count, 3, 16, 24), level + step) for step in (0.0, 0.1, 0.2)]
    plan = Layout(
        torch.zeros(count, 1, 4), torch.zeros(count, 1, 17, 3), torch.ones(count, 1, dtype=torch.bool)
    )
    mask = torch.zeros(count, 16, 24, dtype=torch.bool)
    return HumanInPlace(*shades, ("somebody",) * count, plan, mask)


class Inverting(L.LightningModule):
    """Composes the negative of a scene, without a layout."""

    def __init__(self):
        super().__init__()
        self.line, self.seeds = torch.nn.Linear(1, 1), []

    def compose(self, source, prompts, seed):
        self.seeds.append((seed, len(prompts)))
        return Composition(1 - source)

    def training_step(self, batch, batch_idx):
        return self.line(torch.ones(1, 1)).sum()

    def validation_step(self, batch, batch_idx):
        return None

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def test_rows_are_scene_layout_image_and_the_true_ones(tmp_path):
    module, batches = Inverting(), [grey(0.1), grey(0.3), grey(0.5)]
    trainer = quiet_trainer(
        max_steps=2, callbacks=[CompositionGrid(str(tmp_path / "grids"), scenes=3)], default_root_dir=tmp_path
    )
    trainer.fit(module, DataLoader(batches[:2], batch_size=None), DataLoader(batches, batch_size=None))
    assert sorted(p.name for p in (tmp_path / "grids").iterdir()) == ["start.png", "step-000002.png"]
    assert module.seeds == [(0, 2), (0, 1)] * 2
    grid = read_image(tmp_path / "grids" / "step-000002.png").float() / 255
    assert grid.shape == (3, 5 * 18 + 2, 3 * 26 + 2)
    middles = grid[0, 10::18, 14::26]
    expected = torch.tensor(
        [[0.1, 0.1, 0.3], [0.0, 0.0, 0.0], [0.9, 0.9, 0.7], [0.3, 0.3, 0.5], [0.2, 0.2, 0.4]]
    )
    torch.testing.assert_close(middles, expected, atol=1 / 255, rtol=0)
