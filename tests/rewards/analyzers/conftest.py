"""Real photographs with known head counts, read from installed packages and from the fetched part ``photos``."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from rewards.real_parts.fetch import find_part


def _path(name: str) -> Path:
    packaged = {"astronaut.png": ("skimage", "data"), "t1.jpg": ("insightface", "data/images")}
    if name not in packaged:
        return find_part("photos") / name  # says what to run when it is not there
    package, folder = packaged[name]
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"{package} is not installed"
    assert spec.origin is not None
    return Path(spec.origin).parent / folder / name


@pytest.fixture(scope="session")
def photograph() -> Callable[[str], Float[Tensor, "1 3 h w"]]:
    """Photograph by file name, RGB in [0, 1]."""

    def load(name: str) -> Float[Tensor, "1 3 h w"]:
        image = cv2.imread(str(_path(name)), cv2.IMREAD_COLOR)
        assert image is not None, name
        return torch.from_numpy(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).permute(2, 0, 1)[None].float() / 255

    return load
