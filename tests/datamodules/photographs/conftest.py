"""An album drawn once, and the folder built from it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from drawn_photos import SETTINGS, draw_album, write_album

from datamodules.photographs.builder import CanvasBuilder
from rewards.analyzers.tiny import TinyAnalyzer


@pytest.fixture(scope="session")
def album():
    """Drawn scenes by name of the photograph."""
    return draw_album()


@pytest.fixture(scope="session")
def photos(album, tmp_path_factory):
    """The album as a folder of photographs; do not change it."""
    folder = tmp_path_factory.mktemp("photos")
    write_album(folder, album)
    return folder


@pytest.fixture(scope="session")
def built(photos, tmp_path_factory):
    """The folder built from it; do not change it."""
    out = tmp_path_factory.mktemp("built") / "canvases"
    CanvasBuilder(photos, out, TinyAnalyzer(), SETTINGS).run()
    return out
