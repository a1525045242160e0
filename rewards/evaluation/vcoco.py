r"""SkeleGuide's Table 1 for any folder of images: people put into V-COCO's scenes by whatever model.

    python -m rewards.evaluation.vcoco --images generated --out runs/vcoco \
        --files.images '[val2014]' --files.annotations '[annotations/person_keypoints_val2014.json]' \
        --files.prompts '[annotations/captions_val2014.json]' --files.backgrounds backgrounds \
        --ids splits/vcoco_test.ids \
        --judges.features '{"class_path": "rewards.evaluation.features.InceptionFeatures", \
            "init_args": {"weights": "models/pt_inception-2015-12-05-6726825d.pth"}}'

A generated image is named after its photograph, or by COCO's number (``123.png``), and shows the scene as the data cuts
it (``--choice.size``, ``--choice.fit``). ``images.jsonl`` receives one line per image as it goes and is taken up by a
second run; ``row.json`` holds the row, who judged, and what could not be scored and why. Without further arguments the
tiny world's judges judge, which says nothing about photographs.
"""

import hashlib
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from jsonargparse import ArgumentParser, DefaultHelpFormatter
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional

from datamodules.coco_people import read_split
from datamodules.coco_samples import CocoFolder, SampleChoice
from datamodules.human_in_place_files import HumanInPlaceFiles
from datamodules.jsonl import json_lines
from datamodules.photographs.files import SUFFIXES, UnfitError, decode
from datamodules.whole_files import write_whole
from rewards.evaluation.features import set_distances
from rewards.evaluation.human_in_place import COLUMNS, InPlaceJudges, paper_value
from rewards.functional.intervals import bootstrap_mean

LINES, ROW = "images.jsonl", "row.json"


def score_folder(
    images: Path,
    samples: HumanInPlaceFiles,
    judges: InPlaceJudges,
    out: Path,
    resamples: int = 2000,
    asked: str = "",
) -> dict[str, Any]:
    """Score every generated image of the samples; writes ``images.jsonl`` and ``row.json`` into ``out``.

    Args:
        images: folder of generated images.
        samples: the test cases.
        judges: who judges.
        out: folder of the results.
        resamples: of the bootstrap intervals.
        asked: what else decides an image's figures, such as the configuration of files and judges; lines of a run that
            was asked something else are not taken up.

    Returns:
        The content of ``row.json``.

    Raises:
        ValueError: if no image could be scored.
    """
    side = samples.choice.size
    names = judges.names()
    digest = hashlib.sha256(f"{names} {samples.choice} {asked}".encode()).hexdigest()[:12]
    known = _known_lines(out / LINES, digest)
    lines: list[dict[str, Any]] = []
    unscored: dict[str, str] = {}
    features: list[tuple[Tensor, Tensor]] = []
    out.mkdir(parents=True, exist_ok=True)
    with (out / LINES).open("a", encoding="utf-8") as ledger:
        for index in range(len(samples)):
            path = generated_file(images, samples, index)
            if path is None:
                unscored[str(samples.image_id(index))] = "there is no such image"
                continue
            sample = samples[index]
            try:
                image = _fitted(path, side)
            except UnfitError as error:
                unscored[str(samples.image_id(index))] = str(error)
                continue
            features.append((judges.features.features(image), judges.features.features(sample.target)))
            identity = _identity(path, samples.image_id(index), sample.prompts[0], digest)
            line = known.get(identity["image_id"])
            if line is None or any(line[key] != value for key, value in identity.items()):
                found = {name: values.tolist()[0] for name, values in judges.figures(image, sample).items()}
                figures = {n: v if math.isfinite(v) else None for n, v in found.items()}
                line = {**identity, "figures": figures}
                ledger.write(json.dumps(line, allow_nan=False) + "\n")
                ledger.flush()
            lines.append(line)
    if not lines:
        raise ValueError(
            f"images: none of {len(samples)} test cases has an image in {images}; name each like its photograph, "
            "or by its number (123.png)"
        )
    write_whole(out / LINES, "".join(json.dumps(line) + "\n" for line in lines).encode())
    pairs = [torch.cat(side) for side in zip(*features, strict=True)]
    row = {
        "images": len(lines),
        "test_cases": len(samples),
        "choice": {**asdict(samples.choice), "people": list(samples.choice.people)},
        "row": _row(names, lines, set_distances(judges.features.name, pairs[0], pairs[1]), resamples),
        "unscored": unscored,
        "left_out": samples.reasons(),
    }
    write_whole(out / ROW, (json.dumps(row, indent=1, allow_nan=False) + "\n").encode())
    return row


def generated_file(images: Path, samples: HumanInPlaceFiles, index: int) -> Path | None:
    """The generated image of a test case: the photograph's name or COCO's number, with any image suffix."""
    image = samples.samples[index].image
    stems = (Path(image.file_name).stem, str(image.image_id), f"{image.image_id:012d}")
    paths = (images / f"{stem}{suffix}" for stem in stems for suffix in sorted(SUFFIXES))
    return next((path for path in paths if path.is_file()), None)


def table(row: dict[str, Any], title: str) -> Table:
    """The row as a table, the paper's value beside figures of its kind."""
    shown = Table("column", "figure", "value", "95 % interval", "images", "SkeleGuide's paper", title=title)
    for column, cell in row["row"].items():
        between = "–" if cell["low"] is None else f"{cell['low']:.4g} to {cell['high']:.4g}"
        value = "–" if cell["value"] is None else f"{cell['value']:.4g}"
        paper = "–" if cell["paper"] is None else f"{cell['paper']:g}"
        shown.add_row(column, cell["figure"], value, between, str(cell["n"]), paper)
    return shown


def parser() -> ArgumentParser:
    """The command line."""
    made = ArgumentParser(
        prog="python -m rewards.evaluation.vcoco", description=__doc__, formatter_class=_Formatter
    )
    made.add_argument("--images", type=Path, required=True, help="folder of generated images")
    made.add_argument("--out", type=Path, default=Path("runs/vcoco"), help="folder of the results")
    made.add_argument(
        "--ids", type=Path, help="official split: vcoco_test.ids; all annotated images without it"
    )
    made.add_argument("--limit", type=int, help="score only the first test cases")
    made.add_class_arguments(CocoFolder, "files")
    made.add_class_arguments(SampleChoice, "choice")
    made.add_class_arguments(InPlaceJudges, "judges")
    return made


def main(args: Sequence[str] | None = None) -> int:
    """Run the command; 0 when a row was written, 2 for a wrong argument."""
    command = parser()
    given = command.parse_args(args)
    asked = json.dumps([str(given.get(key)) for key in ("files", "choice", "judges")])
    try:
        built = command.instantiate_classes(given)
        if built.limit is not None and built.limit < 1:
            raise ValueError(f"--limit: {built.limit} test cases; give 1 or more")
        ids = None if built.ids is None else read_split(built.ids)
        samples = HumanInPlaceFiles(built.files, built.choice, ids)
        samples.samples = samples.samples[: built.limit]
        row = score_folder(built.images, samples, built.judges, built.out, asked=asked)
    except (ValueError, OSError) as error:
        command.exit(2, f"vcoco: {error}\n")
    console = Console()
    console.print(table(row, f"{row['images']} of {row['test_cases']} test cases, {built.images}"))
    for reason, count in row["left_out"].items():
        console.print(f"{count} images left out: {reason}")
    return 0


class _Formatter(DefaultHelpFormatter):
    """Keeps the line breaks of the description."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "".join(indent + line for line in text.splitlines(keepends=True))


def _row(
    names: dict[str, str], lines: list[dict[str, Any]], distances: dict[str, float], resamples: int
) -> dict[str, dict[str, Any]]:
    row = {}
    for column in COLUMNS:
        figure = names[column]
        cell: dict[str, Any] = {"figure": figure, "paper": paper_value(column, figure)}
        if figure in distances:
            cell |= {"value": _finite(distances[figure]), "low": None, "high": None, "n": len(lines)}
        else:
            values = [line["figures"][figure] for line in lines]
            known = torch.tensor([v for v in values if v is not None], dtype=torch.float64)
            interval = bootstrap_mean(known, resamples=resamples)
            cell |= {key: _finite(getattr(interval, key)) for key in ("low", "high")}
            cell |= {"value": _finite(interval.mean), "n": interval.n}
        row[column] = cell
    return row


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _fitted(path: Path, side: int) -> Float[Tensor, "1 3 h w"]:
    image = decode(path.read_bytes())
    height, width = image.shape[-2:]
    if height != width:
        raise UnfitError(f"{width} x {height} pixels; a square of {side} was asked for")
    if height == side:
        return image[None]
    resized = functional.interpolate(
        image[None], size=(side, side), mode="bilinear", antialias=True, align_corners=False
    )
    return resized.clamp(0, 1)


def _identity(path: Path, image_id: int, prompt: str, digest: str) -> dict[str, Any]:
    """What must be unchanged for an old line to hold."""
    stat = path.stat()
    return {
        "image_id": image_id,
        "file": path.name,
        "size": stat.st_size,
        "mtime_ns": stat.st_mtime_ns,
        "prompt": prompt,
        "judges": digest,
    }


def _known_lines(path: Path, digest: str) -> dict[int, dict[str, Any]]:
    """Lines of an earlier run by the same judges; a last line cut short by a crash is dropped."""
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        write_whole(path, text[: text.rfind("\n") + 1].encode())
    lines = [line for _, line in json_lines(path) if line.get("judges") == digest]
    return {line["image_id"]: line for line in lines}


if __name__ == "__main__":
    sys.exit(main())
