"""Exact counts of Architect-A on prompts whose constructions, words or numbers it has never seen, and its layouts.

    python -m lightning_modules.ar2can.report_architect --count 500 --out runs/architect_tiny/report.json

Beside it: the rule "first number word", and the same model before training (a pretrained one is shown eight examples).
``simple`` are the prompts on which the rule is right, ``hard`` those on which it is wrong; ``refused`` are the prompts
with nobody, too many or uncounted people that are refused for the right reason. ``handwritten`` is no split of the
corpus: prompts that were written by hand, all of them whatever ``--count`` says. The paper's own figures are of another
set of prompts, whose number is nearly always their first number word.

A second table holds the planned boxes against the corpus' own. ``iou`` is that with the layout drawn for the prompt;
beside the corpus stands that of its layouts with one another where the number of people agrees (``reference_iou``).
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from rich.console import Console
from rich.table import Table

from datamodules.plans.examples import PLAN_SPLITS, PlanExample, PlanSplit, draw_example
from datamodules.plans.first_number import first_number
from datamodules.plans.handwritten import handwritten_examples
from lightning_modules.ar2can.architect_baselines import few_shot_counts
from lightning_modules.ar2can.architect_llm import ArchitectLLMModule
from lightning_modules.ar2can.layout_decoding import Answer, faults
from lightning_modules.ar2can.layout_figures import layout_statistics, mean_iou, reference_iou
from lightning_modules.ar2can.layout_tokens import refusal_of
from lightning_modules.ar2can.planning import DEFAULTS, language_architect, untrained
from lightning_modules.language.model import LanguageModel

Counts = Sequence[int | None]
HANDWRITTEN = "handwritten"
SPLITS: tuple[str, ...] = (*PLAN_SPLITS, HANDWRITTEN)
PAPER = "MultiHuman-Testbench (paper)"
PAPER_COUNTS = {"Qwen2.5-0.5B before training": {"exact": 0.152}, "Qwen2.5-0.5B trained": {"exact": 0.977}}
"""Exact counts of the paper's Architect-A (Table D.1), on 1,800 prompts of 1 to 5 people."""
LAYOUT_COLUMNS = {
    "IoU": ("iou",),
    "crowded (> .12)": ("crowded",),
    "overlap mean": ("overlap_mean",),
    "overlap 95 %": ("overlap_95",),
    "face width 5/50/95 %": ("width_05", "width_50", "width_95"),
    "face height 5/50/95 %": ("height_05", "height_50", "height_95"),
}
"""Columns of the second table, and the figures in each."""


def shares(examples: Sequence[PlanExample], counts: Counts) -> dict[str, float | None]:
    """Shares of exact counts: over all countable prompts, those the rule gets right or wrong, and by family."""
    kept = [(e, c) for e, c in zip(examples, counts, strict=True) if e.count is not None]
    kinds: dict[str, list[bool]] = {"exact": [], "simple": [], "hard": []}
    for example, count in kept:
        right = count == example.count
        kinds["exact"].append(right)
        kinds["simple" if first_number(example.prompt) == example.count else "hard"].append(right)
        kinds.setdefault(f"family_{example.family}", []).append(right)
    return {kind: round(sum(hits) / len(hits), 4) if hits else None for kind, hits in kinds.items()}


def answer_figures(examples: Sequence[PlanExample], answers: Sequence[Answer]) -> dict[str, Any]:
    """Counts, refusals, repairs and layouts of one split."""
    counts = [len(a.boxes) or None for a in answers]
    to_refuse = [
        a.refusal == refusal_of(e.tally) for e, a in zip(examples, answers, strict=True) if e.count is None
    ]
    faulty = [
        fault for e, a in zip(examples, answers, strict=True) for fault in faults(a, refusal_of(e.tally))
    ]
    true = [torch.from_numpy(e.boxes) for e in examples]
    planned = [a.boxes for a in answers]
    return {
        **shares(examples, counts),
        "refused": round(sum(to_refuse) / max(1, len(to_refuse)), 4),
        "faults": dict(Counter(faulty)),
        "iou": mean_iou(planned, true),
        "iou_corpus": reference_iou(true),
        "layout": layout_statistics(planned),
        "layout_corpus": layout_statistics(true),
    }


def base_counts(config: Path, examples: Sequence[PlanExample]) -> Counts:
    """Counts of the configuration's model before training."""
    module = untrained(config)
    if module.language.source is None:
        return [len(a.boxes) or None for a in module.plan([e.prompt for e in examples])]
    base = LanguageModel(module.language.source, dtype=module.language.dtype_name, lora=None).configure()
    return few_shot_counts(base, [e.prompt for e in examples])


def report(
    module: ArchitectLLMModule, config: Path, splits: Sequence[str], count: int, base_count: int
) -> dict[str, Any]:
    """All figures, by split and then by model; the paper's stand under a split of their own.

    Args:
        module: the trained Architect.
        config: its configuration.
        splits: among ``SPLITS``.
        count: prompts per split of the corpus.
        base_count: prompts per split for the model before training; 0 leaves it out.
    """
    figures: dict[str, Any] = {}
    for split in splits:
        examples = _examples(split, count)
        figures[split] = {
            "trained": answer_figures(examples, module.plan([e.prompt for e in examples])),
            "first number word": shares(examples, [first_number(e.prompt) for e in examples]),
        }
        if base_count:
            some = examples[:base_count]
            figures[split]["before training"] = shares(some, base_counts(config, some))
    return figures | {PAPER: PAPER_COUNTS}


def _examples(split: str, count: int) -> list[PlanExample]:
    if split == HANDWRITTEN:
        return handwritten_examples()
    return [draw_example(seed, cast(PlanSplit, split)) for seed in range(count)]


def render_table(figures: dict[str, Any]) -> Table:
    """One row per split and model."""
    columns = ("exact", "simple", "hard", "refused", "iou")
    table = Table("split", "model", *columns, "mended, wrongly refused")
    for split, models in figures.items():
        for model, values in models.items():
            cells = ["–" if (v := values.get(c)) is None else f"{v:.3f}" for c in columns]
            faulty = ", ".join(f"{k} {n}" for k, n in values.get("faults", {}).items())
            table.add_row(split, model, *cells, faulty)
    return table


def render_layouts(figures: dict[str, Any]) -> Table:
    """Planned boxes beside the corpus' own, for every split that has any."""
    table = Table("split", "layouts", *LAYOUT_COLUMNS, title="Faces, as shares of the image's side")
    for split, models in figures.items():
        ours = models.get("trained")
        if not ours or not ours["layout_corpus"]:
            continue
        sides = {
            "planned": ours["layout"] | {"iou": ours["iou"]},
            "corpus": ours["layout_corpus"] | {"iou": ours["iou_corpus"]},
        }
        for side, values in sides.items():
            cells = [
                " / ".join("–" if (v := values.get(name)) is None else f"{v:.3f}" for name in names)
                for names in LAYOUT_COLUMNS.values()
            ]
            table.add_row(split, side, *cells)
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write, show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--config", type=Path, default=DEFAULTS["llm"], help="training configuration of Architect-A"
    )
    parser.add_argument(
        "--weights", type=Path, help="by default the shipped file of the configuration's name"
    )
    parser.add_argument("--count", type=int, default=500, help="prompts per split")
    parser.add_argument(
        "--base-count", type=int, default=100, help="prompts per split before training; 0: none"
    )
    parser.add_argument("--splits", nargs="+", choices=SPLITS, default=list(SPLITS))
    parser.add_argument("--out", type=Path, default=Path("runs/architect.json"), help="JSON file to write")
    options = parser.parse_args(arguments)
    if options.count < 1 or options.base_count < 0:
        parser.error("--count must be at least 1, --base-count at least 0")
    try:
        module = language_architect(options.config, options.weights)
    except (ValueError, FileNotFoundError) as error:
        parser.exit(2, f"report_architect: {error}\n")
    figures = report(module, options.config, options.splits, options.count, options.base_count)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    console = Console()
    console.print(render_table(figures))
    console.print(render_layouts(figures))


if __name__ == "__main__":
    main()
