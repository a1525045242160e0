"""The name of a training: a digest of what decides its result, so that equal trainings are found, however written.

That is the configuration, seeds included, and what the shipped models it works with compute: their architecture and
the sha256 of their weights as their cards state it. What else a card says may change at any time.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from datamodules.groups import CountCurriculum
from lightning_modules.backbone.canvas_tokens import CanvasRecipe
from lightning_modules.backbone.flux_source import SHIPPED
from lightning_modules.configured import CONFIGS
from lightning_modules.policy.recipe import GRPORecipe

MEANT: Mapping[str, CanvasRecipe | CountCurriculum | GRPORecipe] = {
    "canvas": CanvasRecipe(),
    "curriculum": CountCurriculum(),
    "recipe": GRPORecipe(),
}
"""Arguments, and what the Artist and its data take for them where they are left out."""
_COMPUTES = ("sha256", "architecture")  # of a card: the rest is about the weights


def digest(written: dict[str, Any]) -> str:
    """Of everything that decides a result.

    Args:
        written: the whole configuration, with its defaults (``lightning_modules.cli.configuration``).

    Returns:
        Twelve hexadecimal digits.

    Raises:
        ValueError: if the card of a shipped model states no sha256.
    """
    backbone = written["model"]["init_args"].get("backbone")
    folders = [SHIPPED / "codec", *sorted((CONFIGS.parent / "rewards").glob("*/weights"))] if backbone else []
    if backbone and backbone["init_args"]["source"] in {folder.name for folder in SHIPPED.iterdir()}:
        folders.append(SHIPPED / backbone["init_args"]["source"])
    models = [model(file) for folder in folders for file in sorted(folder.glob("*.json"))]
    content = json.dumps([_without_defaults(written), models], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def model(file: Path) -> dict[str, Any]:
    """What a JSON file beside weights says of the numbers that come out.

    That is all of a ``config.json`` but remarks (``_diffusers_version`` and the like), and of a card the sha256 and the
    architecture.

    Raises:
        ValueError: if a card states no sha256.
    """
    content = json.loads(file.read_text(encoding="utf-8"))
    if file.name == "config.json":
        return {key: value for key, value in content.items() if key[0] != "_" or key == "_class_name"}
    if not content.get("sha256"):
        raise ValueError(f"{file}: the card states no sha256; write it with the weights (rewards/weights.py)")
    return {"name": file.stem, **{key: content.get(key) for key in _COMPUTES}}


def _without_defaults(value: Any) -> Any:
    """The same with None for every argument that is written as what it would be anyway."""
    if isinstance(value, list):
        return [_without_defaults(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: None if _meant(key, item) else _without_defaults(item) for key, item in value.items()}


def _meant(key: str, value: Any) -> bool:
    """Whether an argument is written as its default; tuples are lists once written."""
    return key in MEANT and value == json.loads(json.dumps(asdict(MEANT[key])))
