"""A contact sheet of the tiny human world.

``python -m datamodules.tiny_world.sheet --output docs/tiny_world.png`` draws scenes of one to seven people, the
reference portraits of each, skeleton overlays, masks and person-free backgrounds.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from datamodules.geometry.draw import draw_skeleton
from datamodules.schema.scene import Scene
from datamodules.tiny_world.poses import ACTIONS
from datamodules.tiny_world.scenes import draw_scene

_GAP = 6
_PAPER = 250
_ACTION_COUNTS = {"leaning": 2, "lying": 1}


def main() -> None:
    """Command line: write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("docs/tiny_world.png"))
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=3, help="rows of scenes, one to seven people each")
    arguments = parser.parse_args()
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    sheet = draw_sheet(arguments.first_seed, arguments.rows)
    # A palette keeps the file small; the sheet is for looking at, not for measuring.
    palette = Image.fromarray(sheet).quantize(256, dither=Image.Dither.NONE)
    palette.save(arguments.output, optimize=True)


def draw_sheet(first_seed: int = 0, rows: int = 3) -> np.ndarray:
    """The sheet, uint8 RGB: rows of scenes, references, overlays, and one person per action.

    Args:
        first_seed: seed of the first scene.
        rows: rows of scenes.
    """
    grid = [[draw_scene(first_seed + 7 * r + c, "val", count=c + 1) for c in range(7)] for r in range(rows)]
    bands = [_band([_enlarge(scene.image) for scene in row]) for row in grid]
    first = grid[0]
    bands.insert(1, _band([_references(scene) for scene in first]))
    bands.append(_band([_enlarge(_overlay(scene)) for scene in first]))
    bands.append(_band([_enlarge(torch.zeros(3, 128, 128) + _mask_colors(scene)) for scene in first]))
    bands.append(_band([_enlarge(scene.background) for scene in first if scene.background is not None]))
    for start in range(0, len(ACTIONS), 7):
        bands.append(
            _band([_action(action, start + k) for k, action in enumerate(ACTIONS[start : start + 7])])
        )
    return np.concatenate(bands, axis=0)


def _action(action: str, seed: int) -> np.ndarray:
    scene = draw_scene(seed, "val", count=_ACTION_COUNTS.get(action, 1), action=action, frontal=False)
    return _enlarge(scene.image)


def _enlarge(image: torch.Tensor) -> np.ndarray:
    pixels = (image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    return cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)


def _band(tiles: list[np.ndarray]) -> np.ndarray:
    framed = [np.pad(t, ((_GAP, 0), (_GAP, 0), (0, 0)), constant_values=_PAPER) for t in tiles]
    return np.concatenate(framed, axis=1)


def _references(scene: Scene) -> np.ndarray:
    tile = np.full((128, 256, 3), _PAPER, np.uint8)
    for k, person in enumerate(scene.persons):
        if person.reference is not None:
            pixels = (person.reference.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            y, x = 64 * (k // 4), 64 * (k % 4)
            tile[y : y + 64, x : x + 64] = pixels
    return tile


def _overlay(scene: Scene) -> torch.Tensor:
    return draw_skeleton(
        torch.stack([p.keypoints for p in scene.persons]), (128, 128), over=scene.image * 0.6
    )


def _mask_colors(scene: Scene) -> torch.Tensor:
    """Instance masks in distinct colours."""
    picture = torch.zeros(3, 128, 128)
    hues = np.linspace(0, 180, len(scene), endpoint=False).astype(np.uint8)
    for hue, person in zip(hues, scene.persons, strict=True):
        rgb = cv2.cvtColor(np.array([[[hue, 170, 240]]], np.uint8), cv2.COLOR_HSV2RGB)[0, 0] / 255
        if person.mask is not None:
            picture[:, person.mask] = torch.tensor(rgb, dtype=torch.float32)[:, None]
    return picture


if __name__ == "__main__":
    main()
