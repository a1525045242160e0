"""Ar2Can Algorithm 1 over a folder of photographs, written to a folder of scenes.

Two passes: every photograph is analysed, then every scene is written. Each file is written whole or not at all, and
``scenes.jsonl`` last, so that a build that was interrupted goes on where it stopped and ends as if it had not been.
"""

import hashlib
import json
import logging
import random
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datamodules.camera import asks_to_face_the_camera
from datamodules.jsonl import json_lines
from datamodules.photographs.faces import Faces, find_faces
from datamodules.photographs.files import Photo, UnfitError, decode, list_photos
from datamodules.photographs.framing import Frame, frame_faces
from datamodules.photographs.identities import Face, Identities
from datamodules.photographs.records import SCENES, write_scene
from datamodules.photographs.settings import BuildSettings
from datamodules.photographs.views import GeneratedViews, SecondViews, generated_files
from datamodules.references import choose_views
from datamodules.schema.interfaces import Analyzer
from datamodules.schema.scene import Person, Scene
from datamodules.whole_files import write_whole

STATE, SKIPPED = "build.json", "skipped.jsonl"
ANALYSES, PARTS, PICTURES = "analysis", "parts", ("images", "references")
_REPORT_EVERY = 100

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BuildReport:
    """What a build left.

    Attributes:
        scenes: number of scenes.
        skipped: why photographs became no scene, by file.
    """

    scenes: int
    skipped: dict[str, str]


class CanvasBuilder:
    """Builds one folder.

    Args:
        photos: folder of photographs and captions; see ``files.list_photos``.
        out: the folder to build, or one whose build was interrupted or shall be brought up to date.
        analyzer: finds faces with landmarks and identity, and bodies if it can.
        settings: how.
        analyzer_name: tells analyzers and their settings apart: photographs are analysed again when it changes.

    Raises:
        ValueError: if ``out`` lies in ``photos`` or around it, or holds something else than a build.
    """

    def __init__(
        self,
        photos: Path,
        out: Path,
        analyzer: Analyzer,
        settings: BuildSettings | None = None,
        analyzer_name: str | None = None,
    ) -> None:
        self.folder, self.out, self.analyzer = photos, out, analyzer
        self.settings = settings or BuildSettings()
        self.analyzer_name = analyzer_name or type(analyzer).__qualname__
        inside, around = out.resolve(), photos.resolve()
        if inside == around or around in inside.parents or inside in around.parents:
            raise ValueError(
                f"out: {out} and photos: {photos} lie in each other; build into a folder of its own"
            )
        if out.exists() and not (out / STATE).is_file() and (not out.is_dir() or any(out.iterdir())):
            raise ValueError(f"out: {out} holds something else than a build; give a new or an empty folder")

    def run(self) -> BuildReport:
        """Build, or go on building.

        Raises:
            ValueError: if the analyzer reports no landmarks or no embeddings, or the captions cannot be read.
        """
        photos, skipped = list_photos(self.folder)
        if not (self.out / STATE).is_file():
            self._write_state("", finished=False)
        faces = self._analyse(photos, skipped)
        known = {photo.name: photo for photo in photos if photo.name in faces}
        key = self._key(known, faces, skipped)
        state = json.loads((self.out / STATE).read_text())
        if not (state["finished"] and state["key"] == key and (self.out / SCENES).is_file()):
            if state["key"] != key:
                (self.out / SCENES).unlink(missing_ok=True)
                shutil.rmtree(self.out / PARTS, ignore_errors=True)
            self._write_state(key, finished=False)
            parts = self._build(known, faces)
            reasons = skipped | {part["photo"]: part["reason"] for part in parts if "reason" in part}
            self._sweep(photos, parts)
            _write_lines(
                self.out / SKIPPED, [{"photo": file, "reason": reasons[file]} for file in sorted(reasons)]
            )
            _write_lines(self.out / SCENES, [part for part in parts if "reason" not in part])
            self._write_state(key, finished=True)
        shutil.rmtree(self.out / PARTS, ignore_errors=True)
        count = sum(1 for _ in json_lines(self.out / SCENES))
        return BuildReport(
            count, {line["photo"]: line["reason"] for _, line in json_lines(self.out / SKIPPED)}
        )

    def _analyse(self, photos: list[Photo], skipped: dict[str, str]) -> dict[str, Faces]:
        """What is seen in each photograph that can be read, by name; ``skipped`` learns of the others."""
        faces: dict[str, Faces] = {}
        first: dict[str, str] = {}
        for number, photo in enumerate(photos, start=1):
            file = self._file(photo)
            try:
                seen = find_faces(photo, self._analysis(photo), self.analyzer, self.analyzer_name)
            except UnfitError as error:
                skipped[file] = str(error)
                continue
            if (twin := first.setdefault(seen.digest, file)) != file:
                skipped[file] = f"the same picture as {twin}"
            else:
                faces[photo.name] = seen
            if number % _REPORT_EVERY == 0:
                logger.info("analysed %d of %d photographs", number, len(photos))
        return faces

    def _build(self, photos: dict[str, Photo], faces: dict[str, Faces]) -> list[dict[str, Any]]:
        """A line for each scene, or the reason why there is none."""
        s = self.settings
        identities = Identities(faces, s.same_person, s.duplicate, s.smallest_view)
        second = SecondViews(photos, faces, identities, s.reference_size)
        synthetic = s.synthetic and GeneratedViews(s.synthetic, self.analyzer, identities, s.reference_size)
        lines = []
        for number, (name, photo) in enumerate(photos.items(), start=1):
            part = self.out / PARTS / f"{name}.json"
            if not part.is_file():
                line: dict[str, Any] = {"photo": self._file(photo)}
                try:
                    frame = self._frame(photo, faces[name])
                except UnfitError as error:
                    line["reason"] = str(error)
                else:
                    # References are cut from the whole photograph, which shows more of a face than the scene does.
                    whole = _scene(photo, faces[name], identities)
                    rng = random.Random(f"{s.seed}/{name}")
                    views = choose_views(whole, s.sources, rng, synthetic or None, second, s.reference_size)
                    line = write_scene(self.out, frame.scene(whole), views, line["photo"])
                write_whole(part, json.dumps(line).encode())
            lines.append(json.loads(part.read_text()))
            if number % _REPORT_EVERY == 0:
                logger.info("wrote %d of %d scenes", number, len(photos))
        return lines

    def _frame(self, photo: Photo, seen: Faces) -> Frame:
        """How the photograph is cut.

        Raises:
            UnfitError: if it has no caption, too few or too many faces, or cannot be cut to size.
        """
        least, most = self.settings.faces
        if not photo.prompt:
            raise UnfitError("no caption")
        if not least <= len(seen) <= most:
            raise UnfitError(f"faces seen: {len(seen)} (faces is {least} to {most})")
        return frame_faces(seen.boxes, seen.size, self.settings.size, self.settings.enlarge)

    def _sweep(self, photos: list[Photo], parts: list[dict[str, Any]]) -> None:
        """Remove what earlier photographs or an interruption left behind."""
        kept = {self._analysis(photo) for photo in photos}
        for part in parts:
            if "reason" not in part:
                kept |= {self.out / part["image"], *(self.out / p["reference"] for p in part["persons"])}
        for folder in (ANALYSES, *PICTURES):
            for path in sorted((self.out / folder).rglob("*"), reverse=True):
                if path.is_dir():
                    if not any(path.iterdir()):
                        path.rmdir()
                elif path not in kept:
                    path.unlink()

    def _key(self, photos: dict[str, Photo], faces: dict[str, Faces], skipped: dict[str, str]) -> str:
        """Equal exactly if everything that a build depends on is equal."""
        generated = [
            (path.relative_to(folder).as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
            for folder in ([self.settings.synthetic] if self.settings.synthetic else [])
            for name in photos
            for path in generated_files(folder, name)
        ]
        pictures = [(self._file(photo), faces[name].digest, photo.prompt) for name, photo in photos.items()]
        everything = [asdict(self.settings), self.analyzer_name, pictures, sorted(skipped.items()), generated]
        return hashlib.sha256(json.dumps(everything, default=str).encode()).hexdigest()

    def _write_state(self, key: str, finished: bool) -> None:
        state = {
            "key": key,
            "finished": finished,
            "analyzer": self.analyzer_name,
            "settings": asdict(self.settings),
        }
        write_whole(self.out / STATE, json.dumps(state, indent=1, default=str).encode())

    def _analysis(self, photo: Photo) -> Path:
        return self.out / ANALYSES / f"{photo.name}.safetensors"

    def _file(self, photo: Photo) -> str:
        return photo.path.relative_to(self.folder).as_posix()


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    write_whole(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())


def _scene(photo: Photo, seen: Faces, identities: Identities) -> Scene:
    """The whole photograph as a scene without references; larger faces are taken to be nearer."""
    depths = seen.sides().argsort(descending=True, stable=True).argsort()
    persons = tuple(
        Person(
            seen.boxes[k],
            seen.keypoints[k],
            seen.landmarks[k],
            identities.name(Face(photo.name, k)),
            depth=int(depths[k]),
        )
        for k in range(len(seen))
    )
    return Scene(
        photo.prompt,
        persons,
        decode(photo.path.read_bytes()),
        background=None,
        scene_id=photo.name,
        seed=0,
        frontal=asks_to_face_the_camera(photo.prompt),
    )
