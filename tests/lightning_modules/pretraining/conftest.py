import pytest
import torch

from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.pretraining.render_split import render_split
from lightning_modules.pretraining.rendered import RenderedDataset


@pytest.fixture(scope="session")
def rendered(tmp_path_factory) -> RenderedDataset:
    """Twelve train scenes on disk."""
    folder = tmp_path_factory.mktemp("rendered") / "train_0_12"
    render_split(folder, "train", 12, first_seed=0)
    return RenderedDataset(folder)


@pytest.fixture
def batch(rendered):
    """All twelve."""
    return rendered.__getitems__(list(range(12)))


@pytest.fixture(scope="session")
def scenes():
    """The same scenes, drawn directly."""
    with torch.random.fork_rng():
        return [draw_scene(i, split="train") for i in range(12)]
