"""Every weight that ships says where it comes from."""

import hashlib
import json
from pathlib import Path

import pytest
from safetensors import safe_open

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("datamodules", "rewards", "lightning_modules", "callbacks", "benchmarks")
FOLDERS = [
    folder for package in PACKAGES for folder in (REPOSITORY / package).rglob("weights") if folder.is_dir()
]
WEIGHTS = sorted(path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.safetensors"))
FIELDS = {"command", "seed", "data", "steps", "date", "metrics", "sha256"}
MAX_BYTES = 104 * 2**20
MAX_ARCHITECT_BYTES = 25 * 2**20


def relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def too_large(sizes: dict[str, int]) -> list[str]:
    """Which files of an Architect are too large; "all" if the package is."""
    large = [p for p, n in sizes.items() if "architect" in Path(p).name and n > MAX_ARCHITECT_BYTES]
    return large + ["all"] * (sum(sizes.values()) > MAX_BYTES)


def test_weights_fit_into_the_package():
    assert not too_large({relative(path): path.stat().st_size for path in WEIGHTS})


def test_bounds_hold_for_all_weights_and_for_each_architect():
    mib = 2**20
    assert not too_large({"a/base.safetensors": 79 * mib, "a/architect_tiny.safetensors": 25 * mib})
    assert too_large({"a/base.safetensors": 80 * mib, "b/base.safetensors": 24 * mib + 1}) == ["all"]
    large = "lightning_modules/ar2can/weights/architect_smollm2.safetensors"
    assert too_large({large: 25 * mib + 1}) == [large]


def test_weights_lie_in_weights_folders_with_configurations_and_cards():
    suffixes = {path.suffix for folder in FOLDERS for path in folder.rglob("*") if path.is_file()}
    assert suffixes <= {".safetensors", ".json", ".md"}
    assert all("weights" in path.relative_to(REPOSITORY).parts for path in WEIGHTS)


@pytest.mark.parametrize("path", WEIGHTS, ids=relative)
def test_weight_has_a_true_card(path):
    card = json.loads(path.with_suffix(".json").read_text())
    assert not FIELDS - card.keys()
    assert card["command"].startswith("python -m ")
    assert card["metrics"]
    assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    with safe_open(path, framework="pt") as file:
        assert len(file.keys()) > 0


@pytest.mark.parametrize(
    "card", sorted(p for f in FOLDERS for p in f.rglob("*.json") if "sha256" in p.read_text()), ids=relative
)
def test_card_has_a_weight(card):
    assert card.with_suffix(".safetensors") in WEIGHTS
