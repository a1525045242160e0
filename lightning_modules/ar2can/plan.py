"""Plan who stands where: a prompt in, a layout out, which ``generate --layout`` draws.

    python -m lightning_modules.ar2can.plan "three nurses talk while two patients wait" --out layout.json

Architect-A is that of a training configuration (the tiny one by default) with its shipped weights; ``--weights`` takes
others, for instance SmolLM2's with ``--config configs/ar2can/architect_smollm2.yaml``.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from datamodules.geometry.skeleton import KEYPOINT_NAMES
from datamodules.plan_files import MAX_PEOPLE, PlanError, write_plan
from datamodules.schema.layout import Layout
from lightning_modules.ar2can.architect_llm import ArchitectLLMModule
from lightning_modules.ar2can.layout_decoding import Answer
from lightning_modules.cli import TroupeCLI

CONFIGS = Path(__file__).parents[2] / "configs"
CONFIG = CONFIGS / "ar2can" / "architect_tiny.yaml"
WEIGHTS = Path(__file__).parent / "weights"
MAX_CHARACTERS = 2000
REASONS = {
    "nobody": "names nobody who can be seen; say who is in the picture, for example 'two nurses'",
    "many": f"asks for more people than a plan holds; ask for 1 to {MAX_PEOPLE}",
    "open": f"does not say how many people there are; give a number from 1 to {MAX_PEOPLE}",
    "unreadable": "was not understood; say it more simply, for example 'three friends on a beach'",
    "overlapping": "led to two people in the same place; say it differently, or write the plan by hand",
}
"""What a refused prompt's user is told."""


def main(args: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prompt", help="what the image shows")
    parser.add_argument("--out", type=Path, default=Path("layout.json"), help="plan to write (JSON)")
    parser.add_argument("--config", type=Path, default=CONFIG, help="training configuration of Architect-A")
    parser.add_argument(
        "--weights",
        type=Path,
        help="what it was trained to; by default the shipped file of the configuration's name",
    )
    options = parser.parse_args(args)
    try:
        check_prompt(options.prompt)
        module = architect(options.config, options.weights)
        start = time.perf_counter()
        answer = module.plan([options.prompt])[0]
        seconds = time.perf_counter() - start
        layout = layout_of(options.prompt, answer)
    except (ValueError, FileNotFoundError) as error:
        parser.exit(2, f"plan: {error}\n")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_plan(options.out, layout)
    console = Console()
    told = f" ({answer.tally})" if answer.tally else ""
    table = Table("x0", "y0", "x1", "y1", title=f"{len(answer.boxes)} people{told}, {seconds:.2f} s")
    for box in answer.boxes.tolist():
        table.add_row(*(f"{value:.3f}" for value in box))
    console.print(table)
    if answer.mended:
        console.print(f"put right: {', '.join(answer.mended)} (see layout_decoding.py)")
    console.print(f"written to {options.out}")


def check_prompt(prompt: str) -> None:
    """Whether a prompt can be read at all.

    Raises:
        PlanError: if it is empty or too long.
    """
    if not prompt.strip():
        raise PlanError("prompt: is empty; say what the image shows")
    if len(prompt) > MAX_CHARACTERS:
        raise PlanError(f"prompt: has {len(prompt)} characters; at most {MAX_CHARACTERS} can be read")


def architect(config: Path = CONFIG, weights: Path | None = None) -> ArchitectLLMModule:
    """The Architect of a training configuration with trained weights.

    Args:
        config: training configuration.
        weights: safetensors file with its card; by default the shipped one of the configuration's name.

    Raises:
        ValueError: if the configuration trains something else, or a file is missing or belongs to another model.
    """
    module = untrained(config)
    path = weights or WEIGHTS / f"{config.stem}.safetensors"
    if not path.is_file():
        raise ValueError(f"--weights: there is no file {path}; train it as {config} says, or give another")
    module.load_trained(path)
    return module


def untrained(config: Path) -> ArchitectLLMModule:
    """The Architect of a training configuration before training.

    Raises:
        ValueError: if there is no such file, or it trains something else.
    """
    if not config.is_file():
        raise ValueError(f"--config: there is no file {config}")
    files = [CONFIGS / "trainer" / "cpu.yaml", config]
    arguments = [part for file in files for part in ("-c", str(file))]
    module = TroupeCLI([*arguments, "trainer.precision=32-true", "trainer.logger=false"], run=False).model
    if not isinstance(module, ArchitectLLMModule):
        raise ValueError(
            f"--config: {config} trains a {type(module).__name__}; give an Architect-A's configuration"
        )
    module.configure_model()
    return module.eval()


def layout_of(prompt: str, answer: Answer) -> Layout:
    """An answer as a layout of one scene, people from left to right.

    Raises:
        PlanError: if the prompt was refused, saying why and what to do.
    """
    if answer.refusal is not None:
        shown = prompt if len(prompt) <= 80 else f"{prompt[:77]}..."
        raise PlanError(f"prompt: {shown!r} {REASONS[answer.refusal]}")
    count = len(answer.boxes)
    return Layout(
        boxes=answer.boxes[None],
        keypoints=torch.zeros(1, count, len(KEYPOINT_NAMES), 3),
        valid=torch.ones(1, count, dtype=torch.bool),
    )


if __name__ == "__main__":
    main()
