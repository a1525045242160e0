"""Small benchmarks of the tiny human world in exactly the published file formats, so that the same code scores them.

Scenes, people and compositions are of the test split. Beside what the formats ask for lie the true images, in the
naming of a model's images, and the true layouts as plans.
"""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from jaxtyping import Float
from torch import Tensor

from benchmarks.pictures import to_pil
from benchmarks.suite import SuiteError
from datamodules.collate import collate
from datamodules.geometry.draw import draw_skeleton
from datamodules.plan_files import write_plan
from datamodules.schema.scene import Scene
from datamodules.tiny_world.identities import Split
from datamodules.tiny_world.scenes import draw_scene
from datamodules.tiny_world.wording import ACTION_PHRASES
from datamodules.whole_files import write_whole

CHOICES = "Choices: 0(No), 9(Yes), 4(Partially)."
PLANS, RENDERS, WRITTEN = "plans", "renders", "written.json"
SIMPLE_ACTIONS = ("standing", "waving", "arms_raised", "hands_on_hips", "walking", "sitting", "jumping")
JPEG_QUALITY = 95
_PATIENCE = 200  # scenes tried for one in which people do different things


@dataclass(frozen=True)
class Built:
    """A benchmark that was written.

    Attributes:
        data: what its reader reads.
        renders: folder of the true images, named as a model's.
        simple: entries with simple actions, where the format tells them apart by their place.
    """

    data: Path
    renders: Path
    simple: int = 0


def write_multi_human(
    out: Path,
    size: int = 12,
    simple: int = 8,
    counts: Sequence[int] = (1, 2, 3, 4, 5),
    split: str = "test",
    seed: int = 0,
) -> Built:
    """MultiHuman-Testbench's format: ``metadata.json``, ``faces/``, ``poses/``; kept if it is there already.

    In simple entries everybody does the same, in complex ones people do different things, at least two of them.
    ``attributes`` are head roll and yaw in whole degrees, and depth.

    Args:
        out: folder.
        size: number of entries.
        simple: how many of them, counted from the first, are simple.
        counts: head counts, taken in turn.
        split: of the tiny world.
        seed: first seed of the scenes.

    Raises:
        SuiteError: if the numbers make no sense.
    """
    if not 0 <= simple <= size or size < 1 or not counts:
        raise SuiteError(
            f"options.build: size {size}, simple {simple}, counts {list(counts)}: "
            "give 0 <= simple <= size and a count"
        )
    several = [count for count in counts if count > 1]
    if simple < size and not several:
        raise SuiteError(f"options.build: counts {list(counts)}: complex actions need two people or more")
    built = Built(out / "metadata.json", out / RENDERS, simple)

    def write() -> None:
        entries = []
        for k in range(size):
            if k < simple:
                action = SIMPLE_ACTIONS[k % len(SIMPLE_ACTIONS)]
                count = counts[k % len(counts)]
                scene = draw_scene(seed + k, cast(Split, split), count=count, action=action)
            else:
                scene = _doing_different_things(seed + k, split, several[(k - simple) % len(several)], size)
            entries.append(_entry(out, k, scene))
            write_whole(built.renders / f"{k}.png", encoded(scene.image, ".png"))
            _write_plan(out, str(k), scene)
        write_whole(built.data, json.dumps(entries, indent=1).encode())

    _once(out, {"format": "multi_human", **_plain(size, simple, counts, split, seed)}, write)
    return built


def write_multi_id(
    out: Path, size: int = 8, counts: Sequence[int] = (1, 2, 3, 4), split: str = "test", seed: int = 500
) -> Built:
    """MultiID-Bench's format: a folder per case below ``cases/``; kept if it is there already.

    Args:
        out: folder.
        size: number of cases.
        counts: head counts, taken in turn.
        split: of the tiny world.
        seed: first seed of the scenes.

    Raises:
        SuiteError: if the numbers make no sense.
    """
    if size < 1 or not counts:
        raise SuiteError(f"options.build: size {size}, counts {list(counts)}: give at least one of each")
    built = Built(out / "cases", out / RENDERS)

    def write() -> None:
        for k in range(size):
            scene = draw_scene(seed + k, cast(Split, split), count=counts[k % len(counts)])
            case = built.data / f"{k:04}"
            for i, person in enumerate(scene.persons, start=1):
                write_whole(case / f"ref_{i}.jpg", encoded(cast(Tensor, person.reference), ".jpg"))
            write_whole(case / "ori.jpg", encoded(scene.image, ".jpg"))
            write_whole(case / "meta.json", json.dumps({"prompt": scene.prompt}, indent=1).encode())
            write_whole(built.renders / case.name / "out.jpg", encoded(scene.image, ".jpg"))
            _write_plan(out, case.name, scene)

    _once(out, {"format": "multi_id", **_plain(size, 0, counts, split, seed)}, write)
    return built


def encoded(image: Float[Tensor, "3 h w"], suffix: str) -> bytes:
    """An image file's content: PNG, or JPEG of high quality with full colour resolution."""
    buffer = io.BytesIO()
    if suffix == ".png":
        to_pil(image).save(buffer, "PNG")
    else:
        to_pil(image).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def _entry(out: Path, k: int, scene: Scene) -> dict[str, Any]:
    """One entry of the metadata, its reference and pose images written."""
    people = [f"faces/{k}_{i}.png" for i in range(len(scene))]
    for file, person in zip(people, scene.persons, strict=True):
        write_whole(out / file, encoded(cast(Tensor, person.reference), ".png"))
    pose = f"poses/{k}.png"
    height, width = scene.image.shape[-2:]
    bodies = collate([scene]).layout.keypoints[0]
    write_whole(out / pose, encoded(draw_skeleton(bodies, (height, width)), ".png"))
    return {
        "people": people,
        "prompt": scene.prompt,
        "identifier": [person.description for person in scene.persons],
        "attributes": [
            [round(person.roll_deg), round(person.yaw_deg), person.depth] for person in scene.persons
        ],
        "vlm_questions": list(_questions(scene)),
        "pose_image": pose,
    }


def _questions(scene: Scene) -> Iterator[str]:
    """One question for each thing that somebody does; people called alike who do the same are asked about once."""
    doing = dict.fromkeys((person.description, person.action) for person in scene.persons)
    for who, action in doing:
        yield f"Does the image show {who} {ACTION_PHRASES[action][0]}? {CHOICES}"


def _doing_different_things(seed: int, split: str, count: int, stride: int) -> Scene:
    for attempt in range(_PATIENCE):
        scene = draw_scene(seed + attempt * stride, cast(Split, split), count=count)
        if len({person.action for person in scene.persons}) > 1:
            return scene
    raise SuiteError(f"options.build: {_PATIENCE} scenes of {count} people in a row all do the same")


def _write_plan(out: Path, key: str, scene: Scene) -> None:
    (out / PLANS).mkdir(parents=True, exist_ok=True)
    write_plan(out / PLANS / f"{key}.json", collate([scene]).layout)


def _plain(size: int, simple: int, counts: Sequence[int], split: str, seed: int) -> dict[str, Any]:
    return {"size": size, "simple": simple, "counts": list(counts), "split": split, "seed": seed}


def _once(out: Path, made_of: dict[str, Any], write: Callable[[], None]) -> None:
    """Write, unless the folder is finished and was made of the same; what it was made of is noted last."""
    note = out / WRITTEN
    if note.is_file() and json.loads(note.read_text(encoding="utf-8")) == made_of:
        return
    note.unlink(missing_ok=True)
    write()
    write_whole(note, json.dumps(made_of).encode())
