"""Where scenes come from, chosen by configuration: the tiny human world, or a folder of photographs."""

import random
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from functools import partial

from torch.utils.data import Dataset

from datamodules.references import ReferenceSources, View, choose_references
from datamodules.schema.scene import Scene
from datamodules.tiny_world.compositions import MAX_COUNT
from datamodules.tiny_world.identities import Split
from datamodules.tiny_world.other_views import draw_other_view
from datamodules.tiny_world.scenes import draw_scene

SEEDS = 2**31 - 1


class SceneSource(ABC):
    """Scenes by split and number of people; no identity is in two splits."""

    @abstractmethod
    def counts(self, split: Split) -> Mapping[int, int]:
        """How many different scenes there are of each number of people."""

    @abstractmethod
    def draw(self, seed: int, split: Split, count: int) -> Scene:
        """The scene of ``count`` people that belongs to a seed; a function of the three.

        Raises:
            ValueError: if there is none with so many people.
        """

    def synthesize(self, scene: Scene, k: int, rng: random.Random) -> View | None:
        """A generated view of a scene's k-th person; None where the source makes none."""
        return None

    def series(self, split: Split, size: int, counts: tuple[int, ...]) -> list[tuple[int, int]]:
        """(seed, count) of ``size`` scenes with ``counts`` people in turn."""
        return [(i, counts[i % len(counts)]) for i in range(size)]

    def require(self, split: Split, counts: Collection[int], argument: str) -> None:
        """Check that there are scenes of all these numbers of people.

        Raises:
            ValueError: naming ``argument``, what is missing and what there is.
        """
        present = self.counts(split)
        if missing := sorted(set(counts) - set(present)):
            raise ValueError(
                f"{argument}: there is no {split} scene with {missing} people; {described(present)}"
            )


def described(counts: Mapping[int, int]) -> str:
    """What there is, and what to do about it, for messages."""
    if not counts:
        return "there is no scene at all in this split; give more photographs, or change val_share"
    there = ", ".join(f"{n} of {count}" for count, n in sorted(counts.items()))
    return f"there are {there} people: ask for these numbers only, or build a folder with more photographs"


class TinyWorldSource(SceneSource):
    """Scenes drawn by code, as many as there are seeds."""

    def counts(self, split: Split) -> Mapping[int, int]:
        """One to seven people."""
        return dict.fromkeys(range(1, MAX_COUNT + 1), SEEDS)

    def draw(self, seed: int, split: Split, count: int) -> Scene:
        """``draw_scene``."""
        return draw_scene(seed, split, count=count)

    def synthesize(self, scene: Scene, k: int, rng: random.Random) -> View | None:
        """A freshly drawn portrait of the same identity, turned yet another way."""
        return View(*draw_other_view(scene, k, rng), origin=scene.persons[k].identity)


class ChosenReferences(SceneSource):
    """Another source's scenes, with every person's reference chosen by Ar2Can Algorithm 1.

    Args:
        scenes: the source; its references are the second views.
        sources: shares of second, single and generated views.
    """

    def __init__(self, scenes: SceneSource, sources: ReferenceSources) -> None:
        self.scenes, self.sources = scenes, sources

    def counts(self, split: Split) -> Mapping[int, int]:
        """The source's."""
        return self.scenes.counts(split)

    def draw(self, seed: int, split: Split, count: int) -> Scene:
        """The source's scene; its references depend on the same three alone."""
        scene = self.scenes.draw(seed, split, count)
        rng = random.Random(f"references/{split}/{seed}/{count}")
        return choose_references(scene, self.sources, rng, self.scenes.synthesize)

    def series(self, split: Split, size: int, counts: tuple[int, ...]) -> list[tuple[int, int]]:
        """The source's."""
        return self.scenes.series(split, size, counts)


class SceneSeries(Dataset[Scene]):
    """The same scenes every time, drawn when asked for.

    Args:
        scenes: the source.
        split: which split.
        size: number of scenes, fewer where the source does not have as many.
        counts: their numbers of people, in turn.

    Raises:
        ValueError: if there are no scenes of one of the counts.
    """

    def __init__(self, scenes: SceneSource, split: Split, size: int, counts: tuple[int, ...]) -> None:
        if size:
            scenes.require(split, counts, "val_counts")
        self._drawn = [
            partial(scenes.draw, seed, split, count) for seed, count in scenes.series(split, size, counts)
        ]

    def __len__(self) -> int:
        return len(self._drawn)

    def __getitem__(self, index: int) -> Scene:
        return self._drawn[index]()
