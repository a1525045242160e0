"""Scenes for the rewards; makes ``observed`` and ``small_vcoco`` importable."""

import sys
from pathlib import Path

import pytest

from datamodules.collate import collate
from datamodules.tiny_world.scenes import draw_scene

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "datamodules"))


@pytest.fixture(scope="session")
def scenes():
    """Four scenes of 1 to 4 people; the second and the fourth ask everyone to look at the camera."""
    drawn = [draw_scene(seed, "val", count=seed + 1, frontal=bool(seed % 2)) for seed in range(4)]
    return collate(drawn)
