"""Two processes with half the batch each train as one process with all of it."""

from pathlib import Path

import torch
from ranks import imported, train_together
from safetensors.torch import load_file

WORKER = Path(__file__).with_name("flow_worker.py")


def test_two_ranks_train_like_one_process(tmp_path):
    train_together(WORKER, tmp_path, logs=tmp_path)
    imported(WORKER).run(tmp_path, None)
    first, second, alone = (
        load_file(tmp_path / f"masters-{name}.safetensors") for name in ("0", "1", "alone")
    )
    moved = 0.0
    for name, expected in alone.items():
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], expected, atol=4e-3, rtol=0)  # gradients travel in bfloat16
        moved = max(moved, float(expected.abs().max()))
    assert moved > 0.02
    assert (tmp_path / "out" / "diffusion_pytorch_model.safetensors").is_file()
