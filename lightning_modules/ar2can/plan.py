"""Plan who stands where: a prompt in, a layout out, which ``generate --layout`` draws.

    python -m lightning_modules.ar2can.plan "three nurses talk while two patients wait" --out layout.json
    python -m lightning_modules.ar2can.plan "three friends on a beach" --architect flow --redraws 4 --draft draft.png

Architect-A (``llm``) answers with boxes; Architect-B (``flow``) draws a draft, off which boxes and poses are read.
Each is that of a training configuration (the tiny one by default) with its shipped weights; ``--weights`` takes others,
for instance SmolLM2's with ``--config configs/ar2can/architect_smollm2.yaml``.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from torchvision.utils import save_image

from datamodules.plan_files import write_plan
from datamodules.plans.first_number import named_number
from lightning_modules.ar2can.architect_flow import Draft
from lightning_modules.ar2can.planning import (
    DEFAULTS,
    Request,
    architect,
    check_prompt,
    layout_of,
    plan_prompt,
)


def main(args: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prompt", help="what the image shows")
    parser.add_argument("--out", type=Path, default=Path("layout.json"), help="plan to write (JSON)")
    add_options(parser)
    parser.add_argument("--people", type=int, help="how many people the plan must hold; else the prompt says")
    parser.add_argument("--seed", type=int, default=0, help="of Architect-B's first draft")
    parser.add_argument("--draft", type=Path, help="image file for Architect-B's draft, written in any case")
    options = parser.parse_args(args)
    request = Request(
        options.architect or "llm",
        options.config,
        options.weights,
        options.people,
        options.seed,
        options.redraws,
    )
    try:
        check_prompt(options.prompt)
        if request.kind == "llm":
            refuse_drafting(options)
        module = architect(request)
        start = time.perf_counter()
        found = plan_prompt(module, options.prompt, request)
        seconds = time.perf_counter() - start
        answer = found.answer if isinstance(found, Draft) else found
        if isinstance(found, Draft) and options.draft:
            options.draft.parent.mkdir(parents=True, exist_ok=True)
            save_image(found.image, options.draft)
        layout = layout_of(options.prompt, answer)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        write_plan(options.out, layout)
    except (ValueError, OSError) as error:
        parser.exit(2, f"plan: {error}\n")
    console = Console()
    people = "person" if len(answer.boxes) == 1 else "people"
    told = f" ({answer.tally})" if answer.tally else ""
    table = Table("x0", "y0", "x1", "y1", title=f"{len(answer.boxes)} {people}{told}, {seconds:.2f} s")
    for box in answer.boxes.tolist():
        table.add_row(*(f"{value:.3f}" for value in box))
    console.print(table)
    if answer.mended:
        console.print(f"put right: {', '.join(answer.mended)} (see layout_decoding.py)")
    if isinstance(found, Draft) and len(found.counts) > 1:
        console.print(f"drawn {len(found.counts)} times, faces seen: {list(found.counts)}; seed {found.seed}")
    if isinstance(found, Draft) and options.people is None and named_number(options.prompt) is None:
        console.print(
            "the prompt names no number: these are the people of the draft, as many as it shows (--people)"
        )
    console.print(f"written to {options.out}")


def refuse_drafting(options: argparse.Namespace) -> None:
    """Options that Architect-A would silently ignore.

    Raises:
        ValueError: naming one that is given.
    """
    for name, given in (
        ("draft", options.draft is not None),
        ("seed", options.seed != 0),
        ("redraws", options.redraws > 0),
    ):
        if given:
            raise ValueError(f"--{name}: is for Architect-B; add --architect flow, or leave it out")


def add_options(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """Which Architect plans, and how: the options that ``plan`` and ``generate`` share.

    Args:
        parser: takes them.
        prefix: put before ``config`` and ``weights`` where these mean another model's.
    """
    parser.add_argument("--architect", choices=tuple(DEFAULTS), help="llm: Architect-A; flow: Architect-B")
    parser.add_argument(f"--{prefix}config", type=Path, help="training configuration of the Architect")
    parser.add_argument(
        f"--{prefix}weights",
        help="what it was trained to; by default the shipped file of the configuration's name; "
        "'none' plans with the model that Architect-B's training starts from",
    )
    parser.add_argument(
        "--redraws", type=int, default=0, help="how often Architect-B redraws a draft that cannot be used"
    )


if __name__ == "__main__":
    main()
