"""Two processes go through all phases together, without being told that sets idle, and as one process would."""

from pathlib import Path

import pytest
import torch
from ranks import imported, train_together
from safetensors.torch import load_file

WORKER = Path(__file__).with_name("phases_worker.py")
TRAINED = {"reason": {"skeletal"}, "joint": {"skeletal", "appearance"}, "render": {"appearance"}}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """One process that sees both ranks' batches, without checkpointing."""
    folder = tmp_path_factory.mktemp("alone")
    imported(WORKER).run(folder, False, None)
    return load_file(folder / "alone.safetensors")


@pytest.mark.parametrize("checkpointing", [False, True])
def test_two_ranks_train_like_one_process_in_every_phase(tmp_path, alone, checkpointing):
    train_together(WORKER, tmp_path, *(["--checkpointing"] if checkpointing else []), logs=tmp_path)
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    assert set(first) == set(second) == set(alone)
    phases = set()
    for key, expected in alone.items():
        assert torch.equal(first[key], second[key]), key
        torch.testing.assert_close(first[key], expected, rtol=1e-3, atol=1e-5)
        phase, *_, name = key.split("/", 2)
        if phase != "after":
            phases.add(phase)
            own = name.split(".")[0]
            assert bool(expected.abs().sum() > 0) == (own in TRAINED[phase]), key
    assert phases == set(TRAINED)


def test_sharded_optimizer_states_leave_idle_sets_alone(tmp_path, alone):
    """ZeRO-2 keeps gradients and moments of its own: idle sets stand still, late ones begin as in one process."""
    train_together(WORKER, tmp_path, "--zero", logs=tmp_path)
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    names = [key.removeprefix("after/1/") for key in first if key.startswith("after/1/")]
    phases = ["reason", "joint", "joint", "render"]
    assert len(names) > 2
    for step, phase in enumerate(phases, start=1):
        for name in names:
            key, before = f"after/{step}/{name}", f"after/{step - 1}/{name}"
            assert torch.equal(first[key], second[key]), key
            assert (first[key] - alone[key]).abs().max() < 2e-3, key  # of steps of 1e-2
            if step > 1:
                moved = not torch.equal(first[key], first[before])
                assert moved == (name.split(".")[0] in TRAINED[phase]), key
