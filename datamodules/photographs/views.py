"""Reference views from photographs: of the same person elsewhere, and generated ones from a folder."""

import logging
import random
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from datamodules.geometry.views import FaceView, face_view
from datamodules.photographs.faces import Faces
from datamodules.photographs.files import SUFFIXES, Photo, UnfitError, decode
from datamodules.photographs.identities import Face, Identities
from datamodules.references import View
from datamodules.schema.interfaces import Analyzer
from datamodules.schema.scene import Scene

logger = logging.getLogger(__name__)


class SecondViews:
    """Views of a scene's people in other photographs (Ar2Can Algorithm 1, multi-view).

    Args:
        photos: the photographs, by name.
        faces: what was seen in them, by name.
        identities: who is who.
        size: side of the views in pixels.
    """

    def __init__(
        self, photos: Mapping[str, Photo], faces: Mapping[str, Faces], identities: Identities, size: int
    ) -> None:
        self.faces, self.identities, self.size = faces, identities, size
        self._decoded = lru_cache(maxsize=8)(lambda name: decode(photos[name].path.read_bytes()))

    def __call__(self, scene: Scene, k: int, rng: random.Random) -> View | None:
        """One of them, all equally likely; None where the person is in no other photograph."""
        others = self.identities.second_views(Face(scene.scene_id, k))
        if not others:
            return None
        other = rng.choice(others)
        seen = self.faces[other.photo]
        cut = face_view(
            self._decoded(other.photo), seen.boxes[other.index], seen.landmarks[other.index], self.size
        )
        return View(*cut, origin=str(other))


class GeneratedViews:
    """Views that another model made of a scene's people (Ar2Can Algorithm 1, synthetic: PuLID).

    Args:
        folder: ``NAME/K.png`` or ``NAME/K_ANYTHING.png`` for the K-th face of the photograph NAME.
        analyzer: finds the face in them.
        identities: a view that is not the person it should be is left out.
        size: side of the views in pixels.
    """

    def __init__(self, folder: Path, analyzer: Analyzer, identities: Identities, size: int) -> None:
        self.folder, self.analyzer, self.identities, self.size = folder, analyzer, identities, size

    def __call__(self, scene: Scene, k: int, rng: random.Random) -> View | None:
        """One of the files that show the person; None where there is none."""
        files = [p for p in generated_files(self.folder, scene.scene_id) if p.stem.split("_")[0] == str(k)]
        for path in rng.sample(files, len(files)):
            origin = path.relative_to(self.folder).as_posix()
            try:
                return View(*self._face(decode(path.read_bytes()), Face(scene.scene_id, k)), origin=origin)
            except UnfitError as error:
                logger.warning("synthetic: %s is left out: %s", origin, error)
        return None

    def _face(self, image: Float[Tensor, "3 h w"], face: Face) -> FaceView:
        (seen,) = self.analyzer.analyze(image[None])
        if not len(seen) or seen.landmarks is None or seen.embeddings is None:
            raise UnfitError("no face is seen in it")
        best = int((seen.boxes[:, 2:] - seen.boxes[:, :2]).prod(dim=1).argmax())
        cosine = float(self.identities.cosines(face, seen.embeddings[best][None])[0])
        if cosine < self.identities.same_person:
            raise UnfitError(
                f"it shows somebody else (cosine {cosine:.2f}, same_person {self.identities.same_person:g})"
            )
        return face_view(image, seen.boxes[best], seen.landmarks[best], self.size)


def generated_files(folder: Path, name: str) -> list[Path]:
    """The generated views of a photograph's people, in order."""
    beside = folder / name
    return sorted(p for p in beside.iterdir() if p.suffix.lower() in SUFFIXES) if beside.is_dir() else []
