"""What every test starts from and leaves behind: one thread, fixed seeds, no network, a clean process.

Makes ``small_flux``, ``shape_checks`` and ``quiet_trainer`` importable.
"""

import os

# Before torch and the Hugging Face libraries read them.
os.environ.update(
    {
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "TOKENIZERS_PARALLELISM": "false",
    }
)

import logging
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import config, install_import_hook

torch.set_num_threads(1)
sys.path.insert(0, str(Path(__file__).parent))
# Shapes and types of the pure maths are checked at every call that a test makes.
install_import_hook(
    ["datamodules.geometry", "rewards.functional", "lightning_modules.flow"], "shape_checks.checked"
)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture
def unchecked_shapes() -> Iterator[None]:
    """Calls reach functions as without tests: for what these say themselves of wrong shapes."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture(autouse=True)
def fixed_seeds() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries under test draw from the global generator
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def clean_process() -> Iterator[None]:
    """Undo what trainers and process groups leave in the process."""
    environment = dict(os.environ)
    dtype = torch.get_default_dtype()
    # import-linter and others switch off every logger that exists when they configure their own.
    logging.disable(logging.NOTSET)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False
    yield
    torch.set_default_dtype(dtype)
    torch.set_grad_enabled(True)
    torch.use_deterministic_algorithms(False)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    os.environ.clear()
    os.environ.update(environment)
