"""Draws a published benchmark's images with one of our generators, into the naming that its scorer reads.

A folder can be left and taken up again: images that are there are kept, and none carries its final name before it is
whole. ``drawn.json`` says how the folder's images are drawn; other settings need another folder.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.ceilings import SceneGenerator
from benchmarks.published.case import Case
from benchmarks.published.planners import Planner
from benchmarks.published.tiny import encoded
from benchmarks.suite import SuiteError
from datamodules.schema.interfaces import Analyzer
from datamodules.schema.scene import SceneBatch
from datamodules.whole_files import write_whole
from lightning_modules.ar2can.generate import asked_for, find_face

DRAWN = "drawn.json"
_SEED_STRIDE = 100_003  # cases of one sampling seed get noise that those of no other small seed get


@dataclass(frozen=True)
class Staging:
    """How cases become scenes for a generator.

    Attributes:
        planner: where people stand.
        analyzer: finds the faces in the references.
        data: folder of the benchmark.
        size: side of the images in pixels.
    """

    planner: Planner
    analyzer: Analyzer
    data: Path
    size: int

    def scene(self, case: Case) -> tuple[SceneBatch, str]:
        """A batch of one scene that asks for the case, and where its plan is from.

        Raises:
            ValueError: if a reference shows no face, or there is no plan.
        """
        layout, origin = self.planner.plan(case, self.data)
        views = [find_face(path, self.size // 2, self.analyzer) for path in case.references]
        return asked_for(case.prompt, views, case.references, layout, self.size), origin


@dataclass
class Drawing:
    """What came of drawing a folder.

    Attributes:
        plans: how many of the images drawn now were planned by what.
        undrawn: why a case was not drawn, by its key.
        kept: images that were there before.
    """

    plans: Counter[str] = field(default_factory=Counter)
    undrawn: dict[str, str] = field(default_factory=dict)
    kept: int = 0

    def __str__(self) -> str:
        planned = ", ".join(f"{n} from {origin}" for origin, n in self.plans.most_common())
        parts = {
            f"drawn after plans: {planned}": bool(planned),
            f"{self.kept} images kept": self.kept,
            f"{len(self.undrawn)} not drawn": len(self.undrawn),
        }
        return "; ".join(words for words, there in parts.items() if there)


def draw_cases(
    cases: Sequence[Case],
    folder: Path,
    staging: Staging,
    draw: Callable[[SceneBatch, int], Float[Tensor, "b 3 h w"]],
    seed: int,
    step: Callable[[], None] = lambda: None,
) -> Drawing:
    """Draw what a folder lacks.

    Args:
        cases: numbered from 0 for their noise.
        folder: of the images.
        staging: makes scenes of cases.
        draw: from a scene and a seed to images in [0, 1].
        seed: sampling seed; the noise of a case depends on it and the case's number alone.
        step: called after each case.
    """
    done = Drawing()
    for index, case in enumerate(cases):
        if case.find(folder).is_file():
            done.kept += 1
        else:
            try:
                scene, origin = staging.scene(case)
            except ValueError as error:
                done.undrawn[case.key] = str(error)
            else:
                with torch.no_grad():
                    image = draw(scene, seed * _SEED_STRIDE + index)[0]
                target = folder / case.images[0]
                write_whole(target, encoded(image, target.suffix))
                done.plans[origin] += 1
        step()
    return done


def drawer(
    generator: SceneGenerator, setting: Mapping[str, Any]
) -> Callable[[SceneBatch, int], Float[Tensor, "b 3 h w"]]:
    """A generator in one setting."""
    return lambda scene, seed: generator.generate(scene, seed=seed, **setting)


def claim(folder: Path, how: Mapping[str, Any]) -> None:
    """Say in a folder how its images are drawn, before the first is.

    Raises:
        SuiteError: if they are drawn in another way, or images lie there of which nothing is said.
    """
    note = folder / DRAWN
    wanted = json.loads(json.dumps(how, default=str))
    if note.is_file():
        before = json.loads(note.read_text(encoding="utf-8"))
        other = sorted(key for key in {*before, *wanted} if before.get(key) != wanted.get(key))
        if other:
            raise SuiteError(
                f"{folder}: holds images drawn in another way ({', '.join(other)}; see {DRAWN}); "
                "give another folder (--output), or remove it"
            )
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise SuiteError(f"{folder}: holds files that were not drawn here; give another folder")
    write_whole(note, json.dumps(wanted, indent=1).encode())
