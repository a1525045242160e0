"""Two processes that share groups out train as one process that draws all images; every figure is of both."""

import json
from pathlib import Path

import pytest
import torch
from ranks import imported, train_together
from safetensors.torch import load_file
from small_policy import save_codec

WORKER = Path(__file__).with_name("grpo_worker.py")
RUNS = ("0", "1", "alone")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    save_codec(folder / "codec")
    train_together(WORKER, folder, logs=folder)
    imported(WORKER).run(folder, None)
    return folder


def seen(folder):
    return (json.loads((folder / f"seen-{name}.json").read_text()) for name in RUNS)


def test_weights_are_those_of_one_process(folder):
    first, second, alone = (load_file(folder / f"adapter-{name}.safetensors") for name in RUNS)
    moved = 0.0
    for name, expected in alone.items():
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], expected, atol=1e-5, rtol=0)
        moved = max(moved, float(expected.abs().max()) if ".up." in f".{name}" else 0.0)
    assert moved > 0.01  # from zero


def test_rewards_and_health_are_those_of_one_process(folder):
    """Level and spread within groups that are cut in two, ratios, gradients, distance and diversity, at every epoch."""
    first, second, alone = seen(folder)
    for one, other, expected in zip(first["figures"], second["figures"], alone["figures"], strict=True):
        assert one.keys() == other.keys() == expected.keys()
        compared = {n for n in one if n.startswith(("policy/", "reward"))} - {n for n in one if "flaky" in n}
        assert {
            "policy/ratio_max_deviation",
            "policy/diversity",
            "reward/red/group_std",
            "reward",
        } <= compared
        for name in compared:
            assert one[name] == other[name], name
            assert one[name] == pytest.approx(expected[name], rel=1e-4, abs=1e-5), name
        assert one["policy/gradient_norm"] > 1e-4
        assert one["reward/flaky/failed"] == other["reward/flaky/failed"] == 6
        assert one["reward/red/failed"] == expected["reward/flaky/failed"] == 0


def test_validation_is_the_mean_over_both_processes(folder):
    first, second, alone = seen(folder)
    own = [sum(part["validated"]) / len(part["validated"]) for part in (first, second)]
    assert abs(own[0] - own[1]) > 1e-4
    for part in (first, second):
        assert part["figures"][-1]["val/red"] == pytest.approx(sum(own) / 2, abs=1e-6)
        assert part["figures"][-1]["val/flaky"] == 1.0  # of the process that could have it
    mean = sum(alone["validated"]) / len(alone["validated"])
    assert alone["figures"][-1]["val/red"] == pytest.approx(mean, abs=1e-6)


def test_all_processes_stop_where_one_of_them_drifts(folder):
    """A process that stops alone leaves the others waiting for it."""
    first, second, _ = seen(folder)
    assert "on-policy ratio differs from 1 by 1.0e-03" in first["refused"]
    assert first["refused"] == second["refused"]
