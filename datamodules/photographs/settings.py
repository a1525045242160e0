"""What a build is asked for."""

from dataclasses import dataclass, field
from pathlib import Path

from datamodules.geometry.canvas import TOKEN_PIXELS
from datamodules.references import ReferenceSources


@dataclass(frozen=True)
class BuildSettings:
    """How photographs become scenes.

    Attributes:
        size: height and width of the scenes in pixels, multiples of 16.
        reference_size: side of the reference views in pixels.
        faces: least and most faces of a photograph (Ar2Can: 2 to 7).
        same_person: least cosine of two faces of one person; it belongs to the analyzer's embedding (about 0.7 for
            Troupe's small ones, 0.4 for ArcFace packs).
        duplicate: from this cosine on, two faces are taken for the same picture and are no second views.
        smallest_view: least side of a face, in pixels of its photograph, to be a second view.
        enlarge: greatest enlargement of a photograph.
        sources: where reference views come from.
        synthetic: folder of generated views, ``NAME/K.png`` or ``NAME/K_ANYTHING.png`` for the K-th face from the left
            (from 0) of the photograph NAME.
        seed: of all chance.

    Raises:
        ValueError: naming what is out of range.
    """

    size: tuple[int, int] = (512, 512)
    reference_size: int = 256
    faces: tuple[int, int] = (2, 7)
    same_person: float = 0.7
    duplicate: float = 0.99
    smallest_view: int = 32
    enlarge: float = 1.0
    sources: ReferenceSources = field(default_factory=ReferenceSources)
    synthetic: Path | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.size) < TOKEN_PIXELS or any(side % TOKEN_PIXELS for side in self.size):
            raise ValueError(f"size: {self.size}; height and width must be multiples of {TOKEN_PIXELS}")
        if self.reference_size < 1:
            raise ValueError(f"reference_size: {self.reference_size}; give a side in pixels, 256 is usual")
        if not 1 <= self.faces[0] <= self.faces[1]:
            raise ValueError(f"faces: {self.faces}; give the least and the most, for example [2, 7]")
        if self.enlarge <= 0:
            raise ValueError(f"enlarge: {self.enlarge} must be positive; 1 enlarges nothing")
        if self.synthetic is not None and not self.synthetic.is_dir():
            raise ValueError(f"synthetic: {self.synthetic} is not a folder")
