"""Models of training configurations, as the commands and the benchmarks use them: built, and with trained LoRA sets."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from lightning import LightningModule

from lightning_modules.backbone.shipped_lora import lora_file
from lightning_modules.cli import TroupeCLI
from lightning_modules.policy.module import ADAPTER, PolicyModule

CONFIGS = Path(__file__).parents[1] / "configs"

Module = TypeVar("Module", bound=LightningModule)
Trained = TypeVar("Trained", bound=PolicyModule)


def configured(config: Path, kind: type[Module], needed: str, changes: Sequence[str] = ()) -> Module:
    """The module of a training configuration on one CPU process, not yet built.

    Args:
        config: the training configuration.
        kind: what it has to train.
        needed: whose configuration is asked for, in messages.
        changes: further ``key=value`` arguments of the command line.

    Raises:
        ValueError: if there is no such file, or it trains something else.
    """
    if not config.is_file():
        raise ValueError(f"--config: there is no file {config}")
    for name in ("lightning.pytorch", "lightning.fabric"):  # their greetings are for those who train
        logging.getLogger(name).setLevel(logging.WARNING)
    files = [CONFIGS / "trainer" / "cpu.yaml", config]
    arguments = [part for file in files for part in ("-c", str(file))]
    module = TroupeCLI([*arguments, *changes, "trainer.logger=false"], run=False).model
    if not isinstance(module, kind):
        raise ValueError(f"--config: {config} trains a {type(module).__name__}; give {needed} configuration")
    return module


def configured_module(config: Path, kind: type[Module], changes: Sequence[str] = ()) -> Module:
    """The same, built and in evaluation mode.

    Args:
        config: as in :func:`configured`.
        kind: likewise.
        changes: likewise.

    Raises:
        ValueError: likewise.
    """
    module = configured(config, kind, f"a {kind.__name__}'s", changes)
    module.configure_model()
    return module.eval()


def trained_policy(
    config: Path, lora: str | Path | None, kind: type[Trained], needed: str, changes: Sequence[str] = ()
) -> Trained:
    """A policy of a training configuration, with a trained LoRA set if there is one.

    Args:
        config: as in :func:`configured`.
        lora: name of a shipped LoRA set, or a file; None for the model that training starts from.
        kind: as in :func:`configured`.
        needed: likewise.
        changes: likewise.

    Raises:
        ValueError: also if the LoRA set is missing, or a shipped one is not the one its card describes.
    """
    module = configured(config, kind, needed, changes)
    try:
        trained = None if lora is None else lora_file(str(lora))
    except ValueError as error:
        raise ValueError(f"--lora: {error}") from error
    module.configure_model()
    if trained is not None:
        module.backbone.load_adapter(ADAPTER, trained)
    return module.eval()
