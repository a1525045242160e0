"""Every figure of the tiny analyzers and scorers on held-out scenes, before and after the codec's round trip.

    python -m lightning_modules.pretraining.report_analyzers --count 1000 --out outputs/analyzers.json

``--write-cards`` also puts the figures into the cards of the shipped weights.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr
from torch import Tensor

from lightning_modules.backbone.latents import load_codec
from lightning_modules.pretraining.analyzer_figures import AnalyzerFigures
from lightning_modules.pretraining.degradations import MASKED, PLAIN, degrade
from lightning_modules.pretraining.image_text import CANDIDATES, top1_accuracy
from lightning_modules.pretraining.quality import clean_auc
from lightning_modules.pretraining.render_split import render_split
from lightning_modules.pretraining.rendered import RenderedBatch, RenderedDataset
from rewards.analyzers import tiny as analyzers
from rewards.analyzers.tiny import TinyAnalyzer
from rewards.scorers import tiny as scorers
from rewards.scorers.tiny import TinyImageTextScorer, TinyQualityJudge, TinyQualityScorer
from rewards.weights import read_card, write_card

BATCH = 50
Figures = dict[str, float]
# What the tiny world must offer before anything is judged by these networks.
BARS = {
    "face_f1": 0.995,
    "exact_count": 0.975,
    "identity_auc": 0.998,
    "oks": 0.85,
    "mask_iou": 0.85,
    f"top1_of_{CANDIDATES}": 0.8,
}


@dataclass(frozen=True)
class Instruments:
    """What is being measured."""

    analyzer: TinyAnalyzer
    image_text: TinyImageTextScorer
    quality: tuple[TinyQualityScorer, ...]


def analyzer_figures(analyzer: TinyAnalyzer, batches: Sequence[RenderedBatch]) -> Figures:
    """Faces, bodies, masks and identity; ``reference_found`` counts lone reference views read without landmarks."""
    figures, found, tried = AnalyzerFigures(), 0, 0
    for batch in batches:
        references = batch.references.new_zeros(*batch.valid.shape, analyzer.embedder.project.out_features)
        views = batch.references[batch.valid]
        references[batch.valid] = analyzer.embed_faces(views, batch.reference_landmarks[batch.valid])
        figures.update(analyzer.analyze(batch.images), batch, references)
        found += int((analyzer.embed_faces(views).norm(dim=1) > 0).sum())
        tried += len(views)
    by_people = {f"exact_count_{n}": share for n, share in figures.count_by_people().items()}
    return figures.compute() | {"reference_found": found / max(1, tried)} | by_people


def image_text_figures(scorer: TinyImageTextScorer, batches: Sequence[RenderedBatch]) -> Figures:
    """Retrieval of the own caption among random sets of 32, and the mean cosine with it."""
    images = torch.cat([scorer.embed_images(batch.images) for batch in batches])
    texts = torch.cat([scorer.embed_prompts(batch.prompts) for batch in batches])
    return {
        f"top1_of_{CANDIDATES}": top1_accuracy(images, texts),
        "image_text_own": float((images * texts).sum(-1).mean()),
        "image_text_other": float((images * texts.roll(1, 0)).sum(-1).mean()),
    }


def quality_figures(scorer: TinyQualityScorer, batches: Sequence[RenderedBatch]) -> Figures:
    """Mean score, and per fault three shares.

    ``auc``: any clean image above any faulty one; ``pair``: a clean image above its own faulty version, which is
    what rewards compare; ``rank``: Spearman correlation with severity across scenes.
    """
    torch.manual_seed(0)
    clean = torch.cat([scorer.logits(batch.images) for batch in batches])
    figures = {"clean": float(clean.sigmoid().mean())}
    for name in (*PLAIN, *MASKED):
        severity = 0.1 + 0.9 * torch.rand(len(clean))
        parts = zip(batches, severity.split([len(b) for b in batches]), strict=True)
        worse = torch.cat([scorer.logits(degrade(name, b.images, s, b.masks)) for b, s in parts])
        figures[f"auc_{name}"] = float(clean_auc(clean, worse))
        figures[f"pair_{name}"] = float((clean > worse).float().mean())
        figures[f"rank_{name}"] = float(-spearmanr(worse.numpy(), severity.numpy())[0])
    return figures


def measure(instruments: Instruments, batches: Sequence[RenderedBatch]) -> dict[str, Figures]:
    """All figures, by instrument."""
    figures = {
        "analyzer": analyzer_figures(instruments.analyzer, batches),
        "image_text": image_text_figures(instruments.image_text, batches),
    }
    return figures | {scorer.name: quality_figures(scorer, batches) for scorer in instruments.quality}


def through(
    batches: Sequence[RenderedBatch], change: Callable[[Float[Tensor, "b 3 h w"]], Float[Tensor, "b 3 h w"]]
) -> list[RenderedBatch]:
    """The same scenes with changed images; the reference views stay as they are."""
    return [replace(batch, images=change(batch.images)) for batch in batches]


def render_table(report: dict[str, dict[str, Figures]]) -> Table:
    """One row per figure, one column per way the images went; a bar where one is set."""
    table = Table("instrument", "figure", *report, "bar")
    first = next(iter(report.values()))
    for instrument, figures in first.items():
        for name in figures:
            values = [f"{column[instrument].get(name, float('nan')):.4f}" for column in report.values()]
            table.add_row(instrument, name, *values, f"{BARS[name]}" if name in BARS else "")
    return table


def write_cards(plain: dict[str, Figures], count: int) -> None:
    """Put the figures of untouched held-out scenes into the cards of the shipped weights."""
    homes = {"detector": (analyzers.WEIGHTS, "analyzer"), "embedder": (analyzers.WEIGHTS, "analyzer")}
    homes |= {name: (scorers.WEIGHTS, name) for name in plain if name != "analyzer"}
    for name, (folder, instrument) in homes.items():
        figures = {f"test/{key}": round(value, 4) for key, value in plain[instrument].items()}
        card = read_card(folder, name)
        kept = {key: value for key, value in card.metrics.items() if key.startswith("val/")}
        write_card(replace(card, metrics=kept | {"test/scenes": float(count)} | figures), folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """Render (once), measure, write, show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1000, help="held-out scenes")
    parser.add_argument("--split", default="test", help="val or test")
    parser.add_argument(
        "--cache-dir", type=Path, default=Path("outputs/rendered"), help="where renders are kept"
    )
    parser.add_argument("--codec", default="shipped", help="shipped, none, or a codec folder")
    parser.add_argument("--out", type=Path, default=Path("outputs/analyzers.json"), help="JSON file to write")
    parser.add_argument("--write-cards", action="store_true", help="put the figures into the shipped cards")
    options = parser.parse_args(arguments)

    folder = options.cache_dir / f"{options.split}_0_{options.count}"
    render_split(folder, options.split, options.count, first_seed=0)
    dataset = RenderedDataset(folder)
    indices = list(range(len(dataset)))
    batches = [dataset.__getitems__(indices[i : i + BATCH]) for i in range(0, len(indices), BATCH)]
    instruments = Instruments(
        TinyAnalyzer(), TinyImageTextScorer(), (TinyQualityScorer(), TinyQualityJudge())
    )
    report = {"renders": measure(instruments, batches)}
    if options.codec != "none":
        codec = load_codec(None if options.codec == "shipped" else options.codec)
        with torch.no_grad():
            report["through the codec"] = measure(instruments, through(batches, codec.round_trip))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=2) + "\n")
    if options.write_cards:
        write_cards(report["renders"], options.count)
    Console().print(render_table(report))


if __name__ == "__main__":
    main()
