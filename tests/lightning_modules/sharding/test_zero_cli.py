"""Real runs of both methods through the command line, two CPU processes under ZeRO, cut down to a few steps."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file

pytestmark = pytest.mark.slow


def fit(repository: Path, folder: Path, trainer: str, experiment: dict) -> None:
    """Run ``fit`` in ``folder`` as a user would; Lightning starts the second process."""
    (folder / "short.yaml").write_text(yaml.safe_dump(experiment))
    trainer_file = repository / "configs" / "trainer" / trainer
    command = ["-m", "lightning_modules.cli", "fit", "-c", str(trainer_file), "-c", "short.yaml"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(repository)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=280)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    assert code == 0, (folder / "log").read_text()[-3000:]


def test_skeleguide_trains_every_phase_under_zero2(repository, tmp_path):
    experiment = yaml.safe_load((repository / "configs" / "skeleguide" / "tiny.yaml").read_text())
    trainer, data = experiment["trainer"], experiment["data"]["init_args"]
    for callback in trainer["callbacks"]:
        if "PhaseSchedule" in callback["class_path"]:
            callback["init_args"]["steps"] = {"reason": 1, "joint": 1, "render": 1}
    trainer["callbacks"] = [c for c in trainer["callbacks"] if "Grid" not in c["class_path"]]
    data |= {"batch_size": 2, "n_val": 2}
    fit(repository, tmp_path, "two_cpu_ranks_zero2.yaml", experiment)
    runs = tmp_path / "runs" / "skeleguide_tiny"
    assert len(list((runs / "checkpoints" / "last.ckpt" / "checkpoint").glob("*optim_states.pt"))) == 2
    for name in ("skeletal", "appearance"):
        assert moved(runs / f"{name}.safetensors"), name


def test_the_artist_trains_with_its_average_under_zero3(repository, tmp_path):
    """Drawing, judging, clipped steps, validation of the average, its export: all on parameters cut in two."""
    experiment = yaml.safe_load((repository / "configs" / "ar2can" / "artist_tiny.yaml").read_text())
    trainer, model, data = (experiment[key] for key in ("trainer", "model", "data"))
    trainer |= {"max_epochs": 1, "check_val_every_n_epoch": 1}
    model["init_args"]["recipe"]["micro_batch"] = 2
    model["init_args"]["sampling"] |= {"steps": 4, "eval_steps": 2}
    data["init_args"]["sampler"]["init_args"] = {"groups_per_rank": 2, "group_size": 2}
    data["init_args"] |= {"val_size": 2, "batch_size": 1}
    fit(repository, tmp_path, "two_cpu_ranks_zero3.yaml", experiment)
    runs = tmp_path / "runs" / "artist"
    saved = runs / "checkpoints" / "last.ckpt" / "checkpoint"
    assert len(list(saved.glob("*optim_states.pt"))) == len(list(saved.glob("*model_states.pt"))) == 2
    assert moved(runs / "artist_tiny.safetensors")


def moved(path: Path) -> bool:
    """Whether the exported set does anything: B, zero at the start, is finite and somewhere not zero."""
    ups = [tensor for name, tensor in load_file(path).items() if "lora_B" in name]
    assert all(tensor.isfinite().all() for tensor in ups)
    return any(bool(tensor.any()) for tensor in ups)
