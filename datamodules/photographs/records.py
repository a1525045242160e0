"""A scene as one line of ``scenes.jsonl`` and its pictures, and back.

Numbers are kept to six decimals. Pictures lie below the folder: ``images/NAME.png`` and ``references/NAME/K.png``.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from datamodules.photographs.files import decode, encode
from datamodules.references import View
from datamodules.schema.scene import Person, Scene
from datamodules.whole_files import write_whole

SCENES = "scenes.jsonl"
_DIGITS = 6


def write_scene(folder: Path, scene: Scene, views: list[View], photo: str) -> dict[str, Any]:
    """Write a scene's pictures and return its line.

    Args:
        folder: of the build.
        scene: what is true of it; its own references are not written.
        views: the references, one per person.
        photo: the file it was made from.
    """
    image = f"images/{scene.scene_id}.png"
    write_whole(folder / image, encode(scene.image))
    persons = []
    for k, (person, view) in enumerate(zip(scene.persons, views, strict=True)):
        reference = f"references/{scene.scene_id}/{k}.png"
        write_whole(folder / reference, encode(view.image))
        persons.append(
            {
                "identity": person.identity,
                "box": _numbers(person.box),
                "landmarks": _numbers(person.landmarks),
                "keypoints": _numbers(person.keypoints),
                "depth": person.depth,
                "reference": reference,
                "reference_landmarks": _numbers(view.landmarks),
                "reference_box": None if view.box is None else _numbers(view.box),
                "source": view.source,
                "origin": view.origin,
            }
        )
    return {
        "id": scene.scene_id,
        "photo": photo,
        "image": image,
        "prompt": scene.prompt,
        "frontal": scene.frontal,
        "persons": persons,
    }


def read_scene(folder: Path, line: dict[str, Any], seed: int = 0) -> Scene:
    """The scene of a line: no background, and masks of nothing, as photographs tell neither.

    Raises:
        ValueError: if a picture or a key is missing.
    """
    try:
        image = decode((folder / line["image"]).read_bytes())
        mask = torch.zeros(image.shape[-2:], dtype=torch.bool)
        persons = tuple(
            Person(
                box=torch.tensor(p["box"]),
                keypoints=torch.tensor(p["keypoints"]),
                landmarks=torch.tensor(p["landmarks"]),
                identity=p["identity"],
                reference=decode((folder / p["reference"]).read_bytes()),
                reference_landmarks=torch.tensor(p["reference_landmarks"]),
                reference_box=None if p["reference_box"] is None else torch.tensor(p["reference_box"]),
                reference_source=p["source"],
                mask=mask,
                depth=p["depth"],
            )
            for p in line["persons"]
        )
        return Scene(line["prompt"], persons, image, None, line["id"], seed, frontal=line["frontal"])
    except (KeyError, OSError) as error:
        raise ValueError(
            f"{folder / SCENES}: scene {line.get('id')!r} is incomplete ({error}); build the folder again"
        ) from error


def _numbers(values: Tensor) -> Any:
    return _rounded(values.tolist())


def _rounded(values: Any) -> Any:
    return [_rounded(v) for v in values] if isinstance(values, list) else round(values, _DIGITS)
