"""Fetch and convert the real parts: ``python -m rewards.real_parts [--list] [--only faces,pose] [--home FOLDER]``."""

import argparse
import logging
import sys
import time
from collections.abc import Sequence

from rewards.real_parts.catalogue import PARTS, SOURCES
from rewards.real_parts.fetch import PartError, is_finished, part_path, troupe_home

logger = logging.getLogger("rewards.real_parts")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when every part asked for is in the cache, 1 when one is not, 2 for a wrong argument."""
    parser = argparse.ArgumentParser(prog="python -m rewards.real_parts", description=__doc__)
    parser.add_argument(
        "--list", action="store_true", help="show parts, sources, licences and what is in the cache"
    )
    parser.add_argument("--only", metavar="NAMES", help=f"comma-separated parts out of {', '.join(PARTS)}")
    parser.add_argument(
        "--home", metavar="FOLDER", help="cache folder (default: $TROUPE_HOME or ~/.cache/troupe)"
    )
    options = parser.parse_args(arguments)
    names = options.only.split(",") if options.only else list(PARTS)
    for name in names:
        if name not in PARTS:
            parser.error(f"--only: there is no part {name!r}; choose from {', '.join(PARTS)}")
    if options.list:
        _list_parts(names, options.home)
        return 0
    handler = logging.StreamHandler(sys.stdout)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        return _prepare(names, options.home)
    finally:
        logger.removeHandler(handler)


def _prepare(names: Sequence[str], home: str | None) -> int:
    # Imported here so that --help and --list answer without torch.
    from rewards.real_parts.convert import prepare_part

    start = time.perf_counter()
    for name in names:
        try:
            prepare_part(name, home)
        except (PartError, ModuleNotFoundError) as error:
            logger.error("%s: %s", name, error)
            return 1
    logger.info("%s ready in %s (%.0f s)", ", ".join(names), troupe_home(home), time.perf_counter() - start)
    return 0


def _list_parts(names: Sequence[str], home: str | None) -> None:
    lines = []
    for name in names:
        part = PARTS[name]
        state = f"in {part_path(part, home)}" if is_finished(part, home) else "not fetched"
        lines.append(f"{name}: {part.purpose} [{state}]")
        for source in (SOURCES[key] for key in part.sources):
            lines.append(f"    {source.client} {source.name} {source.version}, {source.megabytes} MB")
            lines += [f"        sha256 {source.sha256}", f"        licence: {source.licence}"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
