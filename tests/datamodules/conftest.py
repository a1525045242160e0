"""Makes ``small_vcoco`` importable, and writes its folder once."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_vcoco import write_vcoco


@pytest.fixture(scope="session")
def vcoco(tmp_path_factory):
    """A miniature V-COCO; do not change it."""
    folder = tmp_path_factory.mktemp("vcoco")
    write_vcoco(folder)
    return folder
