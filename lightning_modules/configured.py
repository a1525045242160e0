"""The module of a training configuration, for programs that use what was trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import lightning as L

from lightning_modules.cli import TroupeCLI

CONFIGS = Path(__file__).parents[1] / "configs"

Module = TypeVar("Module", bound=L.LightningModule)


def configured_module(config: Path, kind: type[Module], changes: Sequence[str] = ()) -> Module:
    """The module that a configuration trains, built and in evaluation mode.

    Args:
        config: a file of ``configs/``.
        kind: what the module has to be.
        changes: ``key=value`` overrides.

    Raises:
        ValueError: if there is no such file, or it trains something else.
    """
    if not config.is_file():
        raise ValueError(f"--config: there is no file {config}")
    files = [CONFIGS / "trainer" / "cpu.yaml", config]
    arguments = [part for file in files for part in ("-c", str(file))]
    module = TroupeCLI([*arguments, *changes, "trainer.logger=false"], run=False).model
    if not isinstance(module, kind):
        raise ValueError(
            f"--config: {config} trains a {type(module).__name__}; give a configuration of a {kind.__name__}"
        )
    module.configure_model()
    return module.eval()
