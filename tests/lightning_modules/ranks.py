"""Two processes that train together by gloo, each running a worker script with its ``--rank``."""

import argparse
import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from torch import distributed

RANKS = (0, 1)


def train_together(worker: Path, *arguments: str | Path, logs: Path, timeout: float = 240) -> None:
    """Run both ranks to their end, which must be a good one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    started = [
        subprocess.Popen(
            [sys.executable, str(worker), *map(str, arguments), "--rank", str(rank)],
            env={**os.environ, **world, "NODE_RANK": "0", "LOCAL_RANK": str(rank)},
            stdout=subprocess.DEVNULL,
            stderr=(logs / f"rank{rank}.log").open("w"),
            start_new_session=True,
        )
        for rank in RANKS
    ]
    try:
        codes = [process.wait(timeout=timeout) for process in started]
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    assert codes == [0, 0], "\n".join((logs / f"rank{rank}.log").read_text()[-3000:] for rank in RANKS)


def as_rank(work: Callable[[Path, int], None]) -> None:
    """What a worker script does: its work, in the folder and as the rank of its command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rank", type=int, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    work(args.folder, args.rank)
    if distributed.is_initialized():
        distributed.barrier()  # neither leaves while the other still talks to it
        distributed.destroy_process_group()


def imported(worker: Path) -> ModuleType:
    """The worker script as a module, to run its work in one process too."""
    spec = importlib.util.spec_from_file_location(worker.stem, worker)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[worker.stem] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module
