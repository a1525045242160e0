"""Where a suite's scenes come from: functions named by ``scenes.source``.

A source takes split, size, counts and seed by keyword and answers with a sequence of scenes. The first ones are
generated and judged; those after them serve as true images for distribution distances.
"""

from collections.abc import Sequence
from typing import cast

from datamodules.schema.scene import Scene
from datamodules.tiny_world.identities import Split
from datamodules.tiny_world.scenes import draw_scene


def tiny_world(*, split: str, size: int, counts: Sequence[int], seed: int) -> list[Scene]:
    """Scenes ``seed`` ... ``seed + size - 1`` of the tiny human world, head counts taken in turn."""
    return [draw_scene(seed + i, cast(Split, split), count=counts[i % len(counts)]) for i in range(size)]
