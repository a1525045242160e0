"""Where a result came from: git revision, configuration, package versions, machine; as a dictionary and in MLflow.

Kept free of torch, Lightning and MLflow imports, so the light front ends can use it too; MLflow enters as the
client object the caller already has.
"""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from rewards.command import command_line

PACKAGES = (
    "troupe",
    "torch",
    "torchvision",
    "lightning",
    "diffusers",
    "transformers",
    "peft",
    "torchmetrics",
    "numpy",
    "scipy",
    "mlflow",
    "omegaconf",
    "insightface",
    "rtmlib",
    "onnxruntime",
    "deepspeed",
)


class RunLogger(Protocol):
    """The part of ``mlflow.MlflowClient`` used here."""

    def set_tag(self, run_id: str, key: str, value: Any) -> Any:
        """Attach one tag to a run."""
        ...

    def log_dict(self, run_id: str, dictionary: dict[str, Any], artifact_file: str) -> Any:
        """Store a dictionary beside a run, as JSON or YAML by the file's ending."""
        ...


def collect_provenance(
    config: Mapping[str, Any], packages: Sequence[str] = PACKAGES, repository: Path | None = None
) -> dict[str, Any]:
    """Everything needed to run the same again.

    Args:
        config: the resolved configuration; stored as it is.
        packages: distributions whose versions are recorded; those not installed are left out.
        repository: a folder inside the checkout; this file's own by default.

    Returns:
        ``git`` (revision and whether files differ from it, or None outside a checkout), ``packages``, ``python``,
        ``platform``, ``cpus``, ``command``, ``started`` (UTC, ISO 8601) and ``config``: JSON types only.
    """
    return {
        "git": git_state(repository or Path(__file__).parent),
        "packages": package_versions(packages),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "command": command_line(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": dict(config),
    }


def git_state(folder: Path) -> dict[str, Any] | None:
    """Revision of the checkout around ``folder`` and whether tracked files were changed since.

    Returns:
        None where there is no git, no checkout, or no commit yet.
    """
    revision = _git(folder, "rev-parse", "HEAD")
    if revision is None:
        return None
    status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"revision": revision, "dirty": bool(status)}


def package_versions(packages: Sequence[str]) -> dict[str, str]:
    """Installed version of each distribution; those absent are left out."""
    found = {}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def log_provenance(client: RunLogger, run_id: str, provenance: Mapping[str, Any]) -> None:
    """Write provenance to an MLflow run: the revision as a tag MLflow shows, all of it as ``provenance.json``."""
    git = provenance["git"]
    if git is not None:
        client.set_tag(run_id, "mlflow.source.git.commit", git["revision"])
        client.set_tag(run_id, "git.dirty", str(git["dirty"]).lower())
    client.log_dict(run_id, dict(provenance), "provenance.json")


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
