"""Faces, landmarks and identities by the stock ``insightface.FaceAnalysis`` (Ar2Can, section 4.1: antelopev2).

Licence: InsightFace's code is MIT, but **its pretrained packs (buffalo_l, antelopev2 and all others) are for
non-commercial research only, however they were obtained**, and so is what was trained or tuned on their judgement.
Nothing is downloaded here: a pack is a folder that you put in place. Without one, ``python -m rewards.real_parts``
makes the small pack ``faces`` from permissively licensed networks (BlazeFace, dlib).

Images come in as RGB floats in [0, 1]; boxes and landmarks go out in [0, 1] of the image. Landmarks may lie slightly
outside where the border cuts a face.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from datamodules.schema.detections import Detections
from datamodules.schema.interfaces import Analyzer
from rewards.real_parts.catalogue import PARTS
from rewards.real_parts.fetch import COMMAND, MissingPartError, find_part, require_package

LICENCE = "InsightFace's own packs are licensed for non-commercial research only"
INSIGHTFACE_MODELS = Path("~/.insightface/models")
PADDING = 0.5  # of each side, around a reference view in which no face was found: the face may fill the frame


class InsightFaceAnalyzer(Analyzer):
    """``datamodules.schema.interfaces.Analyzer`` on an InsightFace pack, loaded at its first use.

    Args:
        pack: a folder of .onnx files, or a name: ``faces`` (see ``rewards.real_parts``), or a folder of that name
            below ``~/.insightface/models`` such as ``antelopev2``.
        home: where the part ``faces`` is looked up, see ``rewards.real_parts.fetch.troupe_home``.
        det_size: (width, height) that images are fitted into for detection; a detector with a fixed size keeps its own.
        det_threshold: smallest confidence of a face.
        same_threshold: smallest cosine at which two faces count as one person. It belongs to the embedding: 0.7 for
            ``faces`` (labelled pairs: same person 0.81 to 0.87, others up to 0.63), about 0.4 for ArcFace packs.
        providers: onnxruntime's execution providers, in order of preference.

    Raises:
        ValueError: when a size or a threshold is out of range.
    """

    def __init__(
        self,
        pack: str | Path = "faces",
        home: str | Path | None = None,
        det_size: tuple[int, int] = (640, 640),
        det_threshold: float = 0.5,
        same_threshold: float = 0.7,
        providers: Sequence[str] = ("CPUExecutionProvider",),
    ) -> None:
        if min(det_size) < 32 or any(side % 32 for side in det_size):
            raise ValueError(
                f"det_size must be two multiples of 32, got {tuple(det_size)}; (640, 640) is usual"
            )
        if not 0 < det_threshold < 1:
            raise ValueError(f"det_threshold must lie between 0 and 1, got {det_threshold}")
        if not -1 < same_threshold < 1:
            raise ValueError(
                f"same_threshold is a cosine and must lie between -1 and 1, got {same_threshold}"
            )
        self.pack, self.home = pack, home
        self.det_size, self.det_threshold = (det_size[0], det_size[1]), det_threshold
        self.same_threshold = same_threshold
        self.providers = list(providers)

    @cached_property
    def app(self) -> Any:
        """The ``FaceAnalysis`` with detection and recognition, prepared.

        Raises:
            ModuleNotFoundError: insightface is not installed.
            MissingPartError: the pack is not there; or it holds no detector, as after unpacking a zip too deep.
        """
        require_package("insightface")
        folder = find_pack(self.pack, self.home)
        check_pack(folder)
        from insightface.app import FaceAnalysis

        modules = ["detection", "recognition"]
        try:
            app = FaceAnalysis(name=str(folder), allowed_modules=modules, providers=self.providers)
        except AssertionError as error:
            raise MissingPartError(
                f"none of the .onnx files in {folder} is a face detector: InsightFace knows one by its 5 or more "
                f"outputs. Point `pack` at the folder that holds det_*.onnx or scrfd_*.onnx. {LICENCE}."
            ) from error
        app.prepare(ctx_id=0, det_thresh=self.det_threshold, det_size=self.det_size)
        return app

    @property
    def embedding_dim(self) -> int | None:
        """Width of the identity embedding; None for a pack without a recogniser."""
        recogniser = self.app.models.get("recognition")
        return None if recogniser is None else int(recogniser.output_shape[-1])

    def analyze(self, images: Float[Tensor, "b 3 h w"]) -> list[Detections]:
        """Faces of each image, most confident first; keypoints and person mask are not seen by this analyzer."""
        size = torch.tensor([images.shape[3], images.shape[2]], dtype=torch.float32)
        return [self._detections(self.app.get(image), size) for image in to_bgr(images)]

    def embed_faces(
        self, faces: Float[Tensor, "b 3 r r"], landmarks: Float[Tensor, "b 5 2"] | None = None
    ) -> Float[Tensor, "b d"]:
        """Unit-norm embeddings of reference views; zeros where no face is found.

        Args:
            faces: one face each.
            landmarks: its five landmarks in [0, 1] of the view, image order; without them each face is detected,
                if need be once more in a view widened by repeating its edge.

        Raises:
            ValueError: when the pack has no recogniser.
        """
        if self.embedding_dim is None:
            raise ValueError(
                f"pack {self.pack} holds no recogniser, so faces cannot be embedded; choose another pack"
            )
        if landmarks is not None:
            return torch.cat([self._embed_aligned(f, p) for f, p in zip(faces, landmarks.cpu(), strict=True)])
        wide = F.pad(
            faces,
            [round(PADDING * n) for n in (faces.shape[3],) * 2 + (faces.shape[2],) * 2],
            mode="replicate",
        )
        return torch.stack(
            [self._embed_largest(f, w) for f, w in zip(to_bgr(faces), to_bgr(wide), strict=True)]
        )

    def same_person(self, first: Float[Tensor, "a d"], second: Float[Tensor, "b d"]) -> Bool[Tensor, "a b"]:
        """Whether unit-norm embeddings belong to one person: cosine of at least ``same_threshold``."""
        return first @ second.T >= self.same_threshold

    def _detections(self, faces: Sequence[Any], size: Float[Tensor, " 2"]) -> Detections:
        """InsightFace's faces in our units; every field is there also when nobody is."""
        n, dim = len(faces), self.embedding_dim
        boxes = _stack([face.bbox for face in faces], (n, 4)) / size.repeat(2)
        return Detections(
            boxes=boxes.clamp(0, 1),
            scores=_stack([face.det_score for face in faces], (n,)).clamp(0, 1),
            landmarks=None
            if faces and faces[0].kps is None
            else _stack([f.kps for f in faces], (n, 5, 2)) / size,
            embeddings=None
            if dim is None
            else F.normalize(_stack([f.embedding for f in faces], (n, dim)), dim=1),
        )

    def _embed_aligned(
        self, face: Float[Tensor, "3 r r"], landmarks: Float[Tensor, "5 2"]
    ) -> Float[Tensor, "1 d"]:
        """One view cut by its landmarks; outside the view its edge is repeated, where InsightFace would see black."""
        import cv2
        from insightface.utils.face_align import estimate_norm

        recogniser = self.app.models["recognition"]
        size = recogniser.input_size[0]
        points = (landmarks * landmarks.new_tensor([face.shape[2], face.shape[1]])).numpy()
        matrix = estimate_norm(points, size)
        crop = cv2.warpAffine(to_bgr(face[None])[0], matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
        return F.normalize(torch.from_numpy(recogniser.get_feat(crop)).float(), dim=1)

    def _embed_largest(self, *views: np.ndarray) -> Float[Tensor, " d"]:
        """The largest face of the first view that shows one."""
        for view in views:
            faces = self.app.get(view)
            if faces:
                largest = max(faces, key=lambda f: (f.bbox[2] - f.bbox[0]) * (f.bbox[3] - f.bbox[1]))
                return F.normalize(torch.from_numpy(largest.embedding).float(), dim=0)
        return torch.zeros(self.embedding_dim or 0)


def find_pack(pack: str | Path, home: str | Path | None = None) -> Path:
    """The folder a pack's path or name stands for.

    Raises:
        MissingPartError: naming the places looked at, the command that makes one, and InsightFace's licence.
    """
    path, installed = Path(pack).expanduser(), (INSIGHTFACE_MODELS / pack).expanduser()
    if path.is_dir():
        return path
    if str(pack) in PARTS:
        return find_part(str(pack), home)
    if installed.is_dir():
        return installed
    raise MissingPartError(
        f"InsightFace pack {str(pack)!r} is neither a folder nor in {installed.parent}; it is not downloaded for you. "
        f"Either run `{COMMAND} --only faces` and set pack: faces, or unpack the pack you hold and give its "
        f"path. {LICENCE}."
    )


def check_pack(folder: Path) -> None:
    """Refuse a folder in which ``FaceAnalysis`` would find nothing.

    Raises:
        MissingPartError: naming the nested folder that a zip left, if there is one.
    """
    if any(folder.glob("*.onnx")) or (folder / "manifest.json").is_file():
        return
    nested = sorted({path.parent for path in folder.rglob("*.onnx")})
    hint = (
        f"The zip was unpacked one level too deep: set pack to {nested[0]}"
        if nested
        else f"Run `{COMMAND} --only faces` and set pack: faces, or unpack a pack there"
    )
    raise MissingPartError(f"there is no .onnx file in {folder}. {hint}. {LICENCE}.")


def to_bgr(images: Float[Tensor, "b 3 h w"]) -> list[np.ndarray]:
    """Images as OpenCV wants them: uint8, height x width x 3, BGR."""
    pixels = (images.detach().float().clamp(0, 1) * 255).round().to(torch.uint8)
    return list(np.ascontiguousarray(pixels.flip(1).permute(0, 2, 3, 1).cpu().numpy()))


def _stack(rows: Sequence[Any], shape: tuple[int, ...]) -> Tensor:
    """Rows of numbers as one float tensor, of the right shape also when there are none."""
    return torch.from_numpy(np.asarray(rows, dtype=np.float32).reshape(shape))
