"""Two processes go through all phases together, without being told that sets idle, and as one process would."""

from pathlib import Path

import pytest
import torch
from ranks import imported, train_together
from safetensors.torch import load_file

WORKER = Path(__file__).with_name("phases_worker.py")
TRAINED = {"reason": {"skeletal"}, "joint": {"skeletal", "appearance"}, "render": {"appearance"}}


@pytest.mark.parametrize("checkpointing", [False, True])
def test_two_ranks_train_like_one_process_in_every_phase(tmp_path, checkpointing):
    train_together(WORKER, tmp_path, *(["--checkpointing"] if checkpointing else []), logs=tmp_path)
    imported(WORKER).run(tmp_path, checkpointing, None)
    first, second, alone = (load_file(tmp_path / f"{name}.safetensors") for name in ("0", "1", "alone"))
    assert set(first) == set(second) == set(alone)
    phases = set()
    for key, expected in alone.items():
        assert torch.equal(first[key], second[key]), key
        torch.testing.assert_close(first[key], expected, rtol=1e-3, atol=1e-5)
        phase, *_, name = key.split("/", 2)
        if phase != "end":
            phases.add(phase)
            own = name.split(".")[0]
            assert bool(expected.abs().sum() > 0) == (own in TRAINED[phase]), key
    assert phases == set(TRAINED)
