"""Scenes read back from a folder that ``python -m datamodules.photographs`` built."""

import zlib
from collections.abc import Mapping
from functools import cached_property
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch.utils.data import Dataset

from datamodules.jsonl import json_lines
from datamodules.photographs.records import SCENES, read_scene
from datamodules.scene_sources import SceneSource, described
from datamodules.schema.scene import Scene
from datamodules.tiny_world.identities import Split


class FolderScenes(Dataset[Scene]):
    """All scenes of a folder, in the order of their names.

    Args:
        folder: as built; ``scenes.jsonl`` is read at once, pictures when asked for.

    Raises:
        ValueError: if the folder holds no finished build.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        path = self.folder / SCENES
        if not path.is_file():
            raise ValueError(
                f"folder: there is no {path}; build it with `python -m datamodules.photographs PHOTOS --out "
                f"{self.folder} --analyzer CLASS`, or let an interrupted build finish"
            )
        self.lines: list[dict[str, Any]] = [line for _, line in json_lines(path)]

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, index: int) -> Scene:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index: {index}; the folder has {len(self)} scenes")
        return read_scene(self.folder, self.lines[index], index % len(self))


def split_scenes(people: Mapping[str, list[str]], val_share: float) -> dict[str, Split]:
    """A split for every scene such that nobody is in two: scenes that share somebody stay together.

    The scenes that are linked by their people, directly or over others, go where the hash of the first of their ids
    says; the largest such group is for training, so that one person who is everywhere cannot empty it.

    Args:
        people: names of the identities in each scene, by scene id.
        val_share: share of groups for validation.
    """
    groups = {min(group): group for group in _linked(people)}
    largest = min(groups, key=lambda first: (-len(groups[first]), first), default="")
    return {
        scene: "val" if first != largest and zlib.crc32(first.encode()) < val_share * 2**32 else "train"
        for first, scenes in groups.items()
        for scene in scenes
    }


def _linked(people: Mapping[str, list[str]]) -> list[list[str]]:
    """The scenes in groups that share people, directly or over others."""
    names = {name for own in people.values() for name in own}
    node = {name: k for k, name in enumerate(names, start=len(people))}  # scenes are the first nodes
    links = [(k, node[name]) for k, own in enumerate(people.values()) for name in own]
    ends = np.array(links, dtype=int).reshape(-1, 2).T
    size = len(people) + len(node)
    graph = coo_array((np.ones(len(links)), (ends[0], ends[1])), (size, size))
    component = connected_components(graph, directed=False)[1][: len(people)]
    groups: dict[int, list[str]] = {}
    for scene, label in zip(people, component.tolist(), strict=True):
        groups.setdefault(label, []).append(scene)
    return list(groups.values())


class FolderSource(SceneSource):
    """A built folder as a source of scenes; nothing is read before the first scene is asked for.

    Args:
        folder: as built.
        val_share: share of the groups of scenes with common people that are kept for validation.

    Raises:
        ValueError: if ``val_share`` is not in [0, 1).
    """

    def __init__(self, folder: str | Path, val_share: float = 0.1) -> None:
        if not 0 <= val_share < 1:
            raise ValueError(f"val_share: {val_share} is not in [0, 1); 0.1 is usual")
        self.folder, self.val_share = Path(folder), val_share

    @cached_property
    def scenes(self) -> FolderScenes:
        """Both splits."""
        return FolderScenes(self.folder)

    @cached_property
    def places(self) -> dict[tuple[Split, int], list[int]]:
        """Places of the scenes in ``scenes``, by split and number of people."""
        lines = self.scenes.lines
        splits = split_scenes({x["id"]: [p["identity"] for p in x["persons"]] for x in lines}, self.val_share)
        places: dict[tuple[Split, int], list[int]] = {}
        for place, line in enumerate(lines):
            places.setdefault((splits[line["id"]], len(line["persons"])), []).append(place)
        return places

    def counts(self, split: Split) -> Mapping[int, int]:
        """Scenes of each number of people; there is no test split."""
        return {count: len(found) for (own, count), found in self.places.items() if own == split}

    def draw(self, seed: int, split: Split, count: int) -> Scene:
        """Scene ``seed`` of those with so many people, counted around."""
        found = self.places.get((split, count))
        if not found:
            raise ValueError(
                f"count: {self.folder} holds no {split} scene of {count} people; {described(self.counts(split))}"
            )
        return self.scenes[found[seed % len(found)]]

    def series(self, split: Split, size: int, counts: tuple[int, ...]) -> list[tuple[int, int]]:
        """Every scene at most once, so fewer than ``size`` where the folder runs out."""
        there, turns = self.counts(split), list[tuple[int, int]]()
        given = dict.fromkeys(counts, 0)
        for count in cycle(counts):
            if len(turns) >= size or all(given[c] >= there.get(c, 0) for c in given):
                break
            if given[count] < there.get(count, 0):
                turns.append((given[count], count))
                given[count] += 1
        return turns
