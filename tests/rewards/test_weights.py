import hashlib
import json

import pytest
import torch
from torch import nn

from rewards.analyzers.tiny import WEIGHTS as ANALYZER_WEIGHTS
from rewards.scorers.tiny import WEIGHTS as SCORER_WEIGHTS
from rewards.weights import WeightsCard, load_weights, restore, save_weights

CARD = WeightsCard("net", "python train.py", 3, "ten scenes", 7, "2026-11-22", {"width": 4}, {"val/f1": 0.5})


def _network():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    network(torch.randn(8, 3, 6, 6))
    return network


def test_round_trip_keeps_weights_to_half_precision_and_statistics_exactly(tmp_path):
    network = _network()
    written = save_weights(network, CARD, tmp_path)
    state, card = load_weights(tmp_path, "net")
    assert card == written
    assert card.architecture == {"width": 4}
    again = restore(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), state)
    assert not again.training
    assert not any(p.requires_grad for p in again.parameters())
    torch.testing.assert_close(again[0].weight, network[0].weight.detach(), rtol=1e-3, atol=1e-4)
    assert torch.equal(again[1].running_var, network[1].running_var)
    assert again[0].weight.dtype == torch.float32


def test_a_changed_byte_is_refused(tmp_path):
    save_weights(_network(), CARD, tmp_path)
    path = tmp_path / "net.safetensors"
    payload = bytearray(path.read_bytes())
    payload[-1] ^= 1
    path.write_bytes(bytes(payload))
    with pytest.raises(ValueError, match="sha256"):
        load_weights(tmp_path, "net")


def test_missing_weights_name_what_there_is(tmp_path):
    save_weights(_network(), CARD, tmp_path)
    with pytest.raises(ValueError, match=r"'nut'.*\['net'\]"):
        load_weights(tmp_path, "nut")


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        (ANALYZER_WEIGHTS, "detector"),
        (ANALYZER_WEIGHTS, "embedder"),
        (SCORER_WEIGHTS, "image_text"),
        (SCORER_WEIGHTS, "quality_scorer"),
        (SCORER_WEIGHTS, "quality_judge"),
    ],
)
def test_shipped_weights_are_what_their_cards_say(folder, name):
    card = json.loads((folder / f"{name}.json").read_text())
    payload = (folder / f"{name}.safetensors").read_bytes()
    assert hashlib.sha256(payload).hexdigest() == card["sha256"]
    assert card["command"] == f"python -m lightning_modules.cli fit -c configs/pretraining/{name}.yaml"
    assert card["steps"] > 0
    assert any(key.startswith("test/") for key in card["metrics"])
