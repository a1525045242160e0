"""Where a suite's scenes come from: functions named by ``scenes.source``.

A source takes split, size, counts and seed by keyword and answers with a sequence of scenes. The first ones are
generated and judged; those after them serve as true images for distribution distances.
"""

from collections.abc import Iterator, Sequence
from typing import cast

from datamodules.collate import collate
from datamodules.geometry.canvas import scene_canvases
from datamodules.schema.scene import Scene
from datamodules.tiny_world.identities import Split
from datamodules.tiny_world.scenes import draw_scene

OVERLAP = 0.35
"""Least share of the places fed to the model that two people or more lay claim to, in a layout that overlaps."""
_PATIENCE = 200  # scenes tried per scene wanted


def tiny_world(*, split: str, size: int, counts: Sequence[int], seed: int) -> list[Scene]:
    """Scenes ``seed`` ... ``seed + size - 1`` of the tiny human world, head counts taken in turn."""
    return [draw_scene(seed + i, cast(Split, split), count=counts[i % len(counts)]) for i in range(size)]


def tiny_world_overlapping(*, split: str, size: int, counts: Sequence[int], seed: int) -> list[Scene]:
    """The first scenes from ``seed`` on whose canvases overlap by ``OVERLAP``, head counts taken in turn.

    Raises:
        ValueError: if a head count has no such scenes.
    """
    streams = {count: _overlapping(cast(Split, split), count, seed) for count in counts}
    return [next(streams[counts[i % len(counts)]]) for i in range(size)]


def shared_places(scene: Scene) -> float:
    """Share of the tokens' places of a scene's canvases that two people or more lay claim to."""
    claims = scene_canvases(collate([scene]), 0).keep.sum(dim=0)
    return float((claims > 1).sum() / (claims > 0).sum().clamp(min=1))


def _overlapping(split: Split, count: int, seed: int) -> Iterator[Scene]:
    missed = 0
    while missed < _PATIENCE:
        scene = draw_scene(seed, split, count=count)
        seed, missed = seed + 1, missed + 1
        if shared_places(scene) >= OVERLAP:
            missed = 0
            yield scene
    raise ValueError(
        f"counts: {_PATIENCE} scenes of {count} people in a row do not overlap; ask for more people per scene"
    )
