"""A very small Architect that knows a handful of prompts by heart, in memory and as files."""

import sys
from pathlib import Path

import pytest
import yaml

from rewards.weights import WeightsCard, save_weights

sys.path.insert(0, str(Path(__file__).parent))
from small_architects import SIZE, learn_by_heart, small_architect

CONFIG = Path(__file__).parents[3] / "configs" / "ar2can" / "architect_tiny.yaml"


@pytest.fixture(scope="session")
def knowing_architect():
    module = small_architect(box_jitter=0.03)
    learn_by_heart(module, 120)
    return module.eval()


@pytest.fixture(scope="session")
def knowing_files(knowing_architect, tmp_path_factory) -> tuple[Path, Path]:
    """Its configuration and its weights, as the commands read them."""
    folder = tmp_path_factory.mktemp("architect")
    content = yaml.safe_load(CONFIG.read_text())
    content["model"]["init_args"]["language"]["init_args"]["size"] = SIZE
    content["trainer"].pop("callbacks")
    config = folder / "small.yaml"
    config.write_text(yaml.safe_dump(content))
    card = WeightsCard(
        "small", "python -m nothing", 0, "ten prompts", 90, "2026-01-01", metrics={"none": 0.0}
    )
    save_weights(knowing_architect.trained(), card, folder)
    return config, folder / "small.safetensors"
