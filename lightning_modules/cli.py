"""The command line of every training: ``python -m lightning_modules.cli fit -c a.yaml -c b.yaml key=value``.

Commands are Lightning's: ``fit``, ``validate``, ``test``, ``predict``. Configuration files merge from left to right
(hardware in one, experiment in another), then ``key=value`` overrides, for instance ``trainer.max_steps=10``.
``${trainer.max_steps}`` refers to any key of the merged configuration, whichever file it is in. ``--print_config``
shows the result and stops.
"""

import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, cast

import jsonargparse
import lightning as L
import yaml
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from omegaconf.errors import OmegaConfBaseException

from lightning_modules.config_errors import ConciseParser, in_one_line, interpolation_message, known_keys

_OVERRIDE = re.compile(r"[A-Za-z_][\w.]*\+?=")
_FLAGS = ("-h", "--help", "--print_config")


class TroupeCLI(LightningCLI):
    """Any module on any data, both chosen by ``class_path``.

    Args:
        args: what follows the program's name; ``key=value`` is short for ``--key=value``.
        run: False only instantiates, as the tests of ``configs/`` do.
        exit_on_error: False raises ``jsonargparse.ArgumentError`` instead of ending the process.
    """

    def __init__(self, args: Sequence[str], run: bool = True, exit_on_error: bool = True) -> None:
        # Without this, "${seed_everything}" is looked up above the subcommand and not found.
        jsonargparse.set_parsing_settings(omegaconf_absolute_to_relative_paths=True)
        super().__init__(
            L.LightningModule,
            L.LightningDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            parser_class=ConciseParser,
            # "omegaconf" would resolve each file alone; "omegaconf+" resolves after the merge.
            # Abbreviations would let a mistyped key through.
            parser_kwargs={
                "parser_mode": "omegaconf+",
                "allow_abbrev": False,
                "exit_on_error": exit_on_error,
            },
            trainer_defaults={"default_root_dir": "outputs"},
            seed_everything_default=0,
            save_config_kwargs={"overwrite": True},
            args=with_dashes(args),
            run=run,
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, and report a broken ``${…}`` as any other mistake in the configuration."""
        # Lightning warns when args are given while sys.argv holds some; here they are the same.
        try:
            self.config = parser.parse_args(args)
        except OmegaConfBaseException as error:
            subcommand = args[0] if args and hasattr(self, "_subcommand_parsers") else ""
            keys = known_keys(self._parser(subcommand or None))
            parser.error(interpolation_message(error, subcommand, keys), error)


class _Reader(TroupeCLI):
    """Reads what a run would read, and stops there."""

    def _set_seed(self) -> None:
        """The process goes on, with its own randomness."""

    def instantiate_classes(self) -> None:
        """Nothing is built."""


def configuration(args: Sequence[str]) -> dict[str, Any]:
    """What a run with these arguments is built from: files merged, references resolved, defaults filled in.

    Raises:
        ValueError: in one line, for arguments that no run accepts.
    """
    try:
        reader = _Reader(args, run=False, exit_on_error=False)
    except jsonargparse.ArgumentError as error:
        raise ValueError(in_one_line(str(error))) from error
    found = yaml.safe_load(reader.parser.dump(reader.config, skip_none=False))
    return cast(dict[str, Any], found)


def with_dashes(args: Sequence[str]) -> list[str]:
    """Turn ``key=value`` into ``--key=value``, leaving the values of other options alone.

    >>> with_dashes(["fit", "-c", "a=b.yaml", "trainer.max_steps=3"])
    ['fit', '-c', 'a=b.yaml', '--trainer.max_steps=3']
    """
    out: list[str] = []
    for i, arg in enumerate(args):
        before = args[i - 1] if i else ""
        is_value = before.startswith("-") and "=" not in before and before not in _FLAGS
        if is_value or not _OVERRIDE.match(arg):
            out.append(arg)
        elif "${" in arg:
            out.append(f"--config={_as_config(*arg.split('=', 1))}")
        else:
            out.append(f"--{arg}")
    return out


def _as_config(key: str, value: str) -> str:
    # An option's value is resolved alone; as one more configuration its references see all the others.
    tree: Any = value
    for part in reversed(key.split(".")):
        tree = {part: tree}
    return json.dumps(tree)


def main(args: Sequence[str] | None = None) -> None:
    """Run a command.

    Args:
        args: what follows the program's name; None takes ``sys.argv``.
    """
    # Usage statistics are nobody's business but the user's.
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    TroupeCLI(sys.argv[1:] if args is None else args)


if __name__ == "__main__":
    main()
