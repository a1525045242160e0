"""A diffusers FLUX pipeline on disk: a folder, or a hub id whose parts are in the local cache or fetched on request."""

from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError


def pipeline_folder(source: str, parts: Sequence[str], allow_download: bool = False) -> Path:
    """The folder that holds ``parts`` of a pipeline.

    Args:
        source: a folder in diffusers format, or a hub id.
        parts: subfolders that are needed, such as ``vae``.
        allow_download: fetch what is not in the local cache.

    Raises:
        ValueError: if ``source`` is neither a folder nor a hub id that can be had.
    """
    if Path(source).is_dir():
        return Path(source)
    patterns = [f"{name}/*" for name in parts]
    try:
        return Path(snapshot_download(source, allow_patterns=patterns, local_files_only=not allow_download))
    except (LocalEntryNotFoundError, HFValidationError, RepositoryNotFoundError) as error:
        raise ValueError(
            f"source: {source!r} is neither a folder nor a hub id in the local cache; "
            "pass a diffusers-format folder, or allow_download=True with a hub id"
        ) from error
