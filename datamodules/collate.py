"""Stacks scenes into a batch: person slots are padded to the largest count."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from datamodules.schema.layout import Layout
from datamodules.schema.scene import Person, Scene, SceneBatch


def collate(scenes: Sequence[Scene]) -> SceneBatch:
    """Stack scenes of one image size.

    Args:
        scenes: at least one; every person has a reference and a mask, and all scenes have a background or none has.

    Returns:
        The batch, with zeros in the padded slots; its backgrounds are None where no scene has one.

    Raises:
        ValueError: if the list is empty, a person lacks a reference or a mask, or only some scenes a background.
    """
    if not scenes:
        raise ValueError("collate: scenes is empty; give at least one Scene")
    slots = max(len(scene) for scene in scenes)

    def pad(part: Callable[[Person], Tensor | None], name: str) -> Tensor:
        rows = []
        for scene in scenes:
            values = [_present(part(person), name, scene) for person in scene.persons]
            rows.append(values)
        example = next((row[0] for row in rows if row), None)
        if example is None:
            raise ValueError("collate: no scene has a person; the shapes of empty slots are unknown")
        out = example.new_zeros((len(scenes), slots, *example.shape))
        for b, row in enumerate(rows):
            for n, value in enumerate(row):
                out[b, n] = value
        return out

    valid = torch.zeros(len(scenes), slots, dtype=torch.bool)
    for b, scene in enumerate(scenes):
        valid[b, : len(scene)] = True
    return SceneBatch(
        images=torch.stack([scene.image for scene in scenes]),
        backgrounds=_backgrounds(scenes),
        layout=Layout(
            boxes=pad(lambda p: p.box, "box"),
            keypoints=pad(lambda p: p.keypoints, "keypoints"),
            valid=valid,
            depths=pad(lambda p: torch.tensor(p.depth), "depth"),
        ),
        landmarks=pad(lambda p: p.landmarks, "landmarks"),
        references=pad(lambda p: p.reference, "reference"),
        reference_landmarks=pad(lambda p: p.reference_landmarks, "reference_landmarks"),
        reference_boxes=pad(
            lambda p: torch.zeros_like(p.box) if p.reference_box is None else p.reference_box,
            "reference_box",
        ),
        masks=pad(lambda p: p.mask, "mask"),
        frontal=torch.tensor([scene.frontal for scene in scenes]),
        prompts=tuple(scene.prompt for scene in scenes),
        spans=tuple(tuple(person.span for person in scene.persons) for scene in scenes),
        identities=tuple(tuple(person.identity for person in scene.persons) for scene in scenes),
        scene_ids=tuple(scene.scene_id for scene in scenes),
    )


def _backgrounds(scenes: Sequence[Scene]) -> Tensor | None:
    if all(scene.background is None for scene in scenes):
        return None
    return torch.stack([_present(scene.background, "background", scene) for scene in scenes])


def _present(value: Tensor | None, name: str, scene: Scene) -> Tensor:
    if value is None:
        raise ValueError(f"collate: scene {scene.scene_id!r} has no {name}; fill it or leave the scene out")
    return value
