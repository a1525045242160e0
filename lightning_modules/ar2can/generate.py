"""Draw given people: a prompt, one image per face, and a plan if you have one; out come images, plan and scores.

    python -m lightning_modules.ar2can.generate --prompt "Two friends on a beach" --faces ann.png bob.png

Model, rewards and sampling are those of a training configuration (the tiny Artist's by default), so that what was
trained is what draws. Who stands where is said by a plan (``--layout``) or by an Architect (``--architect``); without
either, people stand in a row.
"""

import argparse
import json
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torchvision.utils import draw_bounding_boxes, make_grid, save_image

from datamodules.camera import asks_to_face_the_camera
from datamodules.collate import collate
from datamodules.geometry.canvas import TOKEN_PIXELS, scene_canvases
from datamodules.geometry.views import FaceView, face_view
from datamodules.photographs.files import UnfitError, decode
from datamodules.plan_files import MAX_PEOPLE, PlanError, read_plan, row_of_faces, write_plan
from datamodules.schema.interfaces import Analyzer
from datamodules.schema.layout import Layout
from datamodules.schema.scene import Person, Scene, SceneBatch
from lightning_modules.ar2can.architect_flow import Draft
from lightning_modules.ar2can.artist import GRPOArtistModule
from lightning_modules.ar2can.plan import add_options
from lightning_modules.ar2can.planning import Request, architect, check_prompt, layout_of, plan_prompt
from lightning_modules.configured import CONFIGS, trained_policy
from rewards.stack import RewardTable

CONFIG = CONFIGS / "ar2can" / "artist_tiny.yaml"
TUNED = "artist_tiny"


class FaceError(ValueError):
    """A face image that cannot be used; the message names it."""


def main(args: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prompt", required=True, help="what the image shows")
    parser.add_argument("--faces", required=True, nargs="+", type=Path, help="one image per person, in order")
    parser.add_argument("--layout", type=Path, help="plan as JSON (datamodules/plan_files.py)")
    add_options(parser, "architect-")
    parser.add_argument("--out", type=Path, default=Path("runs/generated"), help="folder of the results")
    parser.add_argument("--config", type=Path, default=CONFIG, help="training configuration of the Artist")
    parser.add_argument(
        "--lora",
        help=f"trained LoRA set, by its shipped name or a path; {TUNED} with the default configuration, else none; "
        "'none' draws with the model that training starts from",
    )
    parser.add_argument("--size", type=int, default=128, help="side of the image in pixels, a multiple of 16")
    parser.add_argument(
        "--images", type=int, default=1, help="how many to draw, from seeds that follow each other"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(args)
    try:
        scores = generate(options)
    except (ValueError, OSError) as error:
        parser.exit(2, f"generate: {error}\n")
    table = Table(*scores[0], title=str(options.out))
    for row in scores:
        table.add_row(*("–" if value is None else str(value) for value in row.values()))
    Console().print(table)


def generate(options: argparse.Namespace) -> list[dict[str, float | int | None]]:
    """Draw and judge; writes ``image-<seed>.png``, ``overview.png``, ``layout.json`` and ``scores.json``.

    Returns:
        One row of scores per image.

    Raises:
        PlanError: for a prompt that cannot be read, a plan that cannot be drawn, or that does not fit the faces.
        FaceError: for a face image that cannot be read or shows no face.
        ValueError: for another option that makes no sense.
    """
    check_prompt(options.prompt, "--prompt")
    if options.size < 4 * TOKEN_PIXELS or options.size % TOKEN_PIXELS:
        raise ValueError(
            f"--size: {options.size} must be a multiple of {TOKEN_PIXELS}, at least {4 * TOKEN_PIXELS}"
        )
    if options.images < 1:
        raise ValueError(f"--images: {options.images} must be at least 1")
    if len(options.faces) > MAX_PEOPLE:
        raise FaceError(f"--faces: {len(options.faces)} people; at most {MAX_PEOPLE} can be drawn")
    layout = _planned(options)
    planned = int(layout.counts()[0])
    if planned != len(options.faces):
        raise PlanError(
            f"--layout: plans {planned} people for {len(options.faces)} faces; give one face per person"
        )
    lora = options.lora or (TUNED if options.config == CONFIG else None)
    module = artist(options.config, None if lora == "none" else lora)
    views = [find_face(path, options.size // 2, module.rewards.analyzer) for path in options.faces]
    scenes = asked_for(options.prompt, views, options.faces, layout, options.size)
    seeds = range(options.seed, options.seed + options.images)
    images, table = draw_and_judge(module, scenes, seeds)
    scores: list[dict[str, float | int | None]] = [
        {
            "seed": seed,
            **{n: round(v, 4) if isfinite(v) else None for n, v in zip(table.names, row, strict=True)},
        }
        for seed, row in zip(seeds, table.raw.T.tolist(), strict=True)
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    for seed, image in zip(seeds, images, strict=True):
        save_image(image, options.out / f"image-{seed}.png")
    save_image(overview(scenes, images), options.out / "overview.png")
    write_plan(options.out / "layout.json", layout)
    content = {"prompt": options.prompt, "faces": [str(f) for f in options.faces], "scores": scores}
    (options.out / "scores.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return scores


def _planned(options: argparse.Namespace) -> Layout:
    """The plan of a file, of an Architect, or a row."""
    if options.layout and options.architect:
        raise ValueError("--layout, --architect: a plan is given or made; leave one of them out")
    if options.layout:
        return read_plan(options.layout)
    if options.architect is None:
        return row_of_faces(len(options.faces))
    request = Request(
        options.architect,
        options.architect_config,
        options.architect_weights,
        len(options.faces),
        options.seed,
        options.redraws,
    )
    found = plan_prompt(architect(request), options.prompt, request)
    return layout_of(options.prompt, found.answer if isinstance(found, Draft) else found)


def draw_and_judge(
    module: GRPOArtistModule, scenes: SceneBatch, seeds: Sequence[int]
) -> tuple[Float[Tensor, "b 3 h w"], RewardTable]:
    """One image of a scene per seed, and its scores; prompt, canvases and references are looked at once."""
    sequence, known = module.encode(scenes), module.rewards.known(scenes)
    images = torch.cat([module.draw(scenes, seed, sequence).float() for seed in seeds])
    same = torch.zeros(len(images), dtype=torch.long)
    return images, module.rewards.judge(images, scenes.select(same), known.select(same))


def artist(config: Path, lora: str | Path | None, changes: Sequence[str] = ()) -> GRPOArtistModule:
    """The Artist of a training configuration, with ``key=value`` changes, and a trained LoRA set if there is one.

    Args:
        config: the training configuration.
        lora: name of a shipped LoRA set, or a file.
        changes: further arguments of the command line.

    Raises:
        ValueError: if the configuration trains something else, a file is missing, or a shipped LoRA set is not the one
            its card describes.
    """
    return trained_policy(config, lora, GRPOArtistModule, "an Artist's", changes)


def read_face(path: Path) -> Float[Tensor, "3 h w"]:
    """An image file's RGB in [0, 1], turned as its EXIF says.

    Raises:
        FaceError: if the file is no image.
    """
    try:
        return decode(path.read_bytes())
    except (OSError, UnfitError) as error:
        raise FaceError(f"--faces: {path} cannot be read as an image: {error}") from error


def find_face(path: Path, side: int, analyzer: Analyzer) -> FaceView:
    """The surest face of an image file, in a view of ``side`` pixels as training cuts them out of photographs.

    Raises:
        FaceError: if the file is no image or shows no face.
    """
    picture = read_face(path)
    landmarks, boxes = analyzer.reference_faces(picture[None])
    if not bool(landmarks.isfinite().all()):
        raise FaceError(f"--faces: no face is seen in {path}; give a portrait of one person")
    return face_view(picture, boxes[0].float(), landmarks[0].float(), side)


def asked_for(
    prompt: str, faces: Sequence[FaceView], names: Sequence[Path], layout: Layout, size: int
) -> SceneBatch:
    """What was asked for, as a batch of one scene whose image is still blank.

    Args:
        prompt: what the image shows.
        faces: one per person.
        names: their files, after which the people are called.
        layout: plan of one scene.
        size: side of the image in pixels.
    """
    blank = torch.zeros(3, size, size)
    people = tuple(
        Person(
            box=layout.boxes[0, i],
            keypoints=layout.keypoints[0, i],
            landmarks=torch.zeros(5, 2),
            identity=path.stem,
            reference=face.image,
            reference_landmarks=face.landmarks,
            reference_box=face.box,
            mask=torch.zeros(size, size, dtype=torch.bool),
            depth=0 if layout.depths is None else int(layout.depths[0, i]),
        )
        for i, (path, face) in enumerate(zip(names, faces, strict=True))
    )
    frontal = asks_to_face_the_camera(prompt)
    return collate([Scene(prompt, people, blank, blank, "asked for", seed=0, frontal=frontal)])


def overview(scenes: SceneBatch, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "3 gh gw"]:
    """All canvases on one, then every image with the planned boxes."""
    canvases = scene_canvases(scenes, 0)
    size = scenes.size[0]
    boxes = (scenes.layout.boxes[0] * size).round()
    framed = [draw_bounding_boxes(cast(Tensor, image.clamp(0, 1)), boxes, colors="white") for image in images]
    return make_grid(
        [canvases.images.amax(dim=0), *framed], nrow=min(4, 1 + len(framed)), padding=4, pad_value=1.0
    )


if __name__ == "__main__":
    main()
