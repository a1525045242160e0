"""Two processes with half the batch each train as one process with all of it."""

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

WORKER = Path(__file__).with_name("flow_worker.py")


def test_two_ranks_train_like_one_process(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    started = [
        subprocess.Popen(
            [sys.executable, str(WORKER), str(tmp_path), "--rank", str(rank)],
            env={**os.environ, **world, "NODE_RANK": "0", "LOCAL_RANK": str(rank)},
            stdout=subprocess.DEVNULL,
            stderr=(tmp_path / f"rank{rank}.log").open("w"),
        )
        for rank in (0, 1)
    ]
    try:
        codes = [process.wait(timeout=200) for process in started]
    finally:
        for process in started:
            process.kill()
    assert codes == [0, 0], (tmp_path / "rank0.log").read_text()[-3000:]
    spec = importlib.util.spec_from_file_location("flow_worker", WORKER)
    worker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(worker)
    worker.run(tmp_path, None)
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
