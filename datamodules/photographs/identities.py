"""Who is who across photographs: faces whose embeddings are close are one person, never two of one photograph."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from datamodules.photographs.faces import Faces

_ROWS = 4096


@dataclass(frozen=True)
class Face:
    """One face of one photograph.

    Attributes:
        photo: name of the photograph.
        index: its place in the photograph's reading order.
    """

    photo: str
    index: int

    def __str__(self) -> str:
        return f"{self.photo}#{self.index}"


class Identities:
    """The people of a set of photographs.

    Pairs of faces at a cosine of at least ``same_person`` are joined, the most alike first, unless that would make two
    faces of one photograph the same person. Memory grows with the pairs found, time with the square of the faces.

    Args:
        photos: the faces of each photograph, by name.
        same_person: least cosine of two faces of one person; it belongs to the analyzer's embedding.
        duplicate: from this cosine on, two faces are one and the same picture, which is no second view.
        smallest_view: least side of a face, in pixels of its photograph, to be a second view.

    Raises:
        ValueError: if the two cosines are out of order.
    """

    def __init__(
        self, photos: dict[str, Faces], same_person: float, duplicate: float = 2.0, smallest_view: int = 0
    ) -> None:
        if not -1 < same_person < duplicate:
            raise ValueError(
                f"same_person, duplicate: {same_person}, {duplicate}; both are cosines, the first the smaller one"
            )
        self.same_person, self.duplicate = same_person, duplicate
        self.faces = [Face(name, k) for name, faces in photos.items() for k in range(len(faces))]
        self._row = {face: row for row, face in enumerate(self.faces)}
        found = [faces for faces in photos.values() if len(faces)]
        self._embeddings = torch.cat([f.embeddings for f in found]) if found else torch.zeros(0, 1)
        sides = [f.sides() for f in found]
        self._large = torch.cat(sides) >= smallest_view if sides else torch.zeros(0, dtype=torch.bool)
        self._cluster = _join([face.photo for face in self.faces], self._pairs())
        self._members: dict[int, list[int]] = {}
        for row, cluster in enumerate(self._cluster):
            self._members.setdefault(cluster, []).append(row)

    def name(self, face: Face) -> str:
        """The person a face belongs to, called after the first of their faces."""
        return str(self.faces[self._cluster[self._row[face]]])

    def second_views(self, face: Face) -> list[Face]:
        """Faces of the same person in other photographs that are alike enough, but not the same picture."""
        row = self._row[face]
        others = [o for o in self._members[self._cluster[row]] if o != row and bool(self._large[o])]
        cosines = (self._embeddings[others] @ self._embeddings[row]).tolist()
        return [
            self.faces[o]
            for o, cosine in zip(others, cosines, strict=True)
            if self.same_person <= cosine < self.duplicate
        ]

    def cosines(self, face: Face, embeddings: Float[Tensor, "m d"]) -> Float[Tensor, " m"]:
        """How alike a face is to others."""
        return embeddings @ self._embeddings[self._row[face]]

    def _pairs(self) -> Int[Tensor, "p 2"]:
        """Rows of faces that are alike, the most alike first, equal ones in order."""
        pairs, cosines = [torch.zeros(0, 2, dtype=torch.long)], [torch.zeros(0)]
        for start in range(0, len(self._embeddings), _ROWS):
            alike = self._embeddings[start : start + _ROWS] @ self._embeddings.T
            found = (alike >= self.same_person).nonzero()
            cosines.append(alike[found[:, 0], found[:, 1]])
            pairs.append(found + torch.tensor([start, 0]))
        joined, values = torch.cat(pairs), torch.cat(cosines)
        upper = joined[:, 0] < joined[:, 1]
        return joined[upper][values[upper].argsort(descending=True, stable=True)]


def _join(photos: Sequence[str], pairs: Int[Tensor, "p 2"]) -> list[int]:
    """The cluster of each row, called by its first row; no cluster holds two rows of one photograph."""
    first = list(range(len(photos)))
    within: list[set[str]] = [{photo} for photo in photos]

    def root(row: int) -> int:
        while first[row] != row:
            first[row] = first[first[row]]
            row = first[row]
        return row

    for a, b in pairs.tolist():
        low, high = sorted((root(a), root(b)))
        if low != high and within[low].isdisjoint(within[high]):
            first[high] = low
            within[low] |= within[high]
    return [root(row) for row in range(len(photos))]
