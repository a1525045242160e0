"""Bad examples that no fault imitates: what the base draws in far too few steps.

    python -m lightning_modules.pretraining.draw_drafts --folder outputs/drafts/judge --first-scene 500000

Half of the drafts see the prompt alone, half also the reference faces; the quality scorers read the folder.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.progress import track
from torchvision.utils import save_image

from datamodules.collate import collate
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.backbone.generator import FluxGenerator

CONTEXTS = ("text", "canvas")
BATCH = 20


def main(args: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the images go")
    parser.add_argument("--source", default="flux_tiny", help="model that draws")
    parser.add_argument(
        "--lora", help="LoRA set it draws with, for example one that learnt to please a scorer"
    )
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--steps", type=int, nargs="+", default=[2, 3], help="taken in turn, batch by batch")
    parser.add_argument("--first-scene", type=int, default=0, help="seed of the first scene")
    options = parser.parse_args(args)
    if options.count < 1 or min(options.steps) < 1:
        parser.error("--count and --steps must be at least 1")
    draw_drafts(**vars(options))


def draw_drafts(
    folder: Path, source: str, lora: str | None, count: int, steps: Sequence[int], first_scene: int
) -> None:
    """Write ``draft-<scene>.png`` for ``count`` scenes of the training split."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = FluxGenerator(source, lora=lora)
    for place, first in enumerate(track(range(0, count, BATCH), description="drafts")):
        seeds = range(first_scene + first, first_scene + min(count, first + BATCH))
        scenes = collate([draw_scene(seed, "train") for seed in seeds])
        context = CONTEXTS[place % len(CONTEXTS)]
        number = steps[place // len(CONTEXTS) % len(steps)]
        images = generator.generate(scenes, seed=first_scene + place, context=context, steps=number)
        for seed, image in zip(seeds, images, strict=True):
            save_image(image, folder / f"draft-{seed}.png")


if __name__ == "__main__":
    main()
