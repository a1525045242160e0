"""The cache of real parts and how archives get into it: named package, ordinary client, checked SHA-256, atomic move.

Layout below ``<home>/real_parts``: ``sources/<package>-<version>/`` holds the kept files of an archive,
``<part>-<revision>/`` a finished part. Both appear by one rename, so that a folder that exists is complete and a run
that was interrupted goes on with what is missing.
"""

import hashlib
import importlib.util
import logging
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from rewards.real_parts.catalogue import PARTS, SOURCES, Part, Source

COMMAND = "python -m rewards.real_parts"
INSTALL = "pip install -e .[real] && pip install --no-deps insightface==2.1 rtmlib==0.0.16"
CLIENT_TIMEOUT_S = 3600

logger = logging.getLogger(__name__)


class PartError(RuntimeError):
    """A real part could not be fetched or converted; the message says why and what to do."""


class MissingPartError(FileNotFoundError):
    """A real part is asked for that nobody fetched yet; the message names the command that does."""


def require_package(name: str) -> None:
    """Check that an optional package is installed, without importing it.

    Raises:
        ModuleNotFoundError: naming the commands that install the real parts' packages.
    """
    if importlib.util.find_spec(name) is None:
        raise ModuleNotFoundError(f"{name} is not installed; the real analyzers need: {INSTALL}", name=name)


def troupe_home(home: str | Path | None = None) -> Path:
    """Where Troupe keeps what it fetched: ``home``, else ``$TROUPE_HOME``, else ``~/.cache/troupe``."""
    return Path(home or os.environ.get("TROUPE_HOME") or "~/.cache/troupe").expanduser()


def part_path(part: Part, home: str | Path | None = None) -> Path:
    """Folder of a part, finished or not."""
    return troupe_home(home) / "real_parts" / f"{part.name}-{part.revision}"


def is_finished(part: Part, home: str | Path | None = None) -> bool:
    """Whether all files of a part are in the cache."""
    return all((part_path(part, home) / name).is_file() for name in part.files)


def find_part(name: str, home: str | Path | None = None) -> Path:
    """Folder of a finished part.

    Raises:
        ValueError: when there is no part of that name.
        MissingPartError: when it has not been fetched yet.
    """
    if name not in PARTS:
        raise ValueError(f"real part {name!r} is not in the catalogue; there are {', '.join(PARTS)}")
    folder = part_path(PARTS[name], home)
    if not is_finished(PARTS[name], home):
        raise MissingPartError(
            f"The real part {name!r} is not in {folder}. Fetch it with `{COMMAND} --only {name}` "
            f"(or all parts with `{COMMAND}`); nothing is downloaded without that command."
        )
    return folder


def fetch_source(key: str, home: str | Path | None = None) -> Path:
    """Fetch one archive unless its files are already in the cache.

    Args:
        key: of ``SOURCES``.
        home: as in ``troupe_home``.

    Returns:
        The folder that holds ``Source.members`` under their paths.

    Raises:
        PartError: client missing, no network, wrong SHA-256 or a file absent from the archive.
    """
    return fetch_archive(SOURCES[key], troupe_home(home) / "real_parts" / "sources")


def fetch_archive(source: Source, root: Path) -> Path:
    """``fetch_source`` for a source that need not be in the catalogue; ``root`` holds one folder per source."""
    folder = root / source.slug
    if folder.is_dir():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".fetching-") as scratch:
        logger.info(
            "fetching %s %s (%.1f MB) with %s", source.name, source.version, source.megabytes, source.client
        )
        archive = _download(source, Path(scratch) / "archive")
        _check_digest(archive, source)
        unpacked = Path(scratch) / "unpacked"
        _unpack(archive, source, unpacked)
        publish(unpacked, folder)
    return folder


def publish(finished: Path, folder: Path) -> None:
    """Move a complete folder to its final name; if another process was faster, theirs stays."""
    try:
        finished.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def _download(source: Source, folder: Path) -> Path:
    """Let the registry's own client fetch the archive into an empty folder."""
    folder.mkdir()
    if source.client == "npm":
        command = [
            "npm",
            "pack",
            f"{source.name}@{source.version}",
            "--pack-destination",
            str(folder),
            "--silent",
        ]
        missing = "npm was not found; install Node.js (npm comes with it)"
    else:
        form = "--only-binary" if source.client == "wheel" else "--no-binary"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", form, source.name]
        command = [*pip, "--dest", str(folder), f"{source.name}=={source.version}"]
        missing = f"{sys.executable} was not found"
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S, check=False
        )
    except FileNotFoundError as error:
        raise PartError(f"{source.name} {source.version} cannot be fetched: {missing}") from error
    archives = list(folder.iterdir())
    if result.returncode != 0 or len(archives) != 1:
        said = " / ".join((result.stderr or result.stdout).strip().splitlines()[-3:]) or "it said nothing"
        raise PartError(
            f"{source.name} {source.version} was not fetched: `{' '.join(command[:4])} ...` failed ({said}). "
            f"Is this machine online? What is finished is kept; run `{COMMAND}` again."
        )
    return archives[0]


def _check_digest(archive: Path, source: Source) -> None:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != source.sha256:
        raise PartError(
            f"{source.name} {source.version}: the archive's sha256 is {digest}, expected {source.sha256}. "
            "It was thrown away; the registry's copy has changed or was damaged on the way."
        )


def _unpack(archive: Path, source: Source, folder: Path) -> None:
    """Write the kept members and nothing else; each is read by name, so no path of the archive is trusted."""
    content = _read_wheel(archive, source) if source.client == "wheel" else _read_tar(archive, source)
    for path in source.members:
        if path not in content:
            raise PartError(f"{source.name} {source.version} has no file {path}; the catalogue is wrong")
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content[path])


def _read_wheel(archive: Path, source: Source) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as wheel:
        return {path: wheel.read(path) for path in set(source.members) & set(wheel.namelist())}


def _read_tar(archive: Path, source: Source) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        by_path = {member.name.partition("/")[2]: member for member in tar.getmembers() if member.isfile()}
        opened = {path: tar.extractfile(by_path[path]) for path in source.members if path in by_path}
        return {path: file.read() for path, file in opened.items() if file}
