"""How this process was started: what cards of weights and reports of runs state. Free of heavy imports."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def command_line(repository: Path = REPOSITORY, without: Sequence[str] = ()) -> str:
    """What was typed to start this process, with files of the checkout named from its root.

    Args:
        repository: the checkout's root.
        without: options that are left out, as ``--name value``, ``--name=value`` or ``name=value``.
    """
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    module = None if spec is None else spec.name.removesuffix(".__main__")
    program = Path(sys.argv[0]).name if module is None else f"-m {module}"
    typed = [
        argument.replace(f"{repository}{os.sep}", "")
        for before, argument in zip(["", *sys.argv[1:]], sys.argv[1:], strict=False)
        if argument.split("=")[0] not in without and before not in without
    ]
    return " ".join(["python", program, *map(shlex.quote, typed)])


def training_command(repository: Path = REPOSITORY) -> str:
    """What was typed to start this training, without a checkpoint to go on from.

    The same command without it trains the same weights from nothing.

    Args:
        repository: the checkout's root.
    """
    return command_line(repository, without=("--ckpt_path", "ckpt_path"))
