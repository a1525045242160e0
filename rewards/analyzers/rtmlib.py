"""Body keypoints and head counts by rtmlib's stock classes on onnxruntime (ASTRA, section 4: pose of generated people).

Without arguments: MoveNet MultiPose behind ``rtmlib.RTMO``, as made by ``python -m rewards.real_parts``. With paths:
RTMO, RTMPose or ViTPose graphs of your own, the latter two with a detector. rtmlib downloads what it is not given as an
existing file; here a missing file is an error instead. rtmlib's ``opencv`` backend is not offered: with OpenCV 5 it
misplaces keypoints.

Images come in as RGB floats in [0, 1]; coordinates go out in [0, 1] of the image.
"""

import contextlib
import io
import logging
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from datamodules.geometry.heads import head_boxes
from datamodules.schema.detections import Detections
from datamodules.schema.interfaces import Analyzer
from rewards.analyzers.insightface import to_bgr
from rewards.real_parts.fetch import COMMAND, MissingPartError, find_part, require_package

MOVENET_SIZE = (256, 256)

logger = logging.getLogger(__name__)


class RTMLibAnalyzer(Analyzer):
    """``datamodules.schema.interfaces.Analyzer`` for bodies, loaded at its first use.

    A body's ``boxes`` entry is a square around its head, guessed from nose, eyes and ears. It sees no landmarks and no
    identity: join it to a face analyzer with ``CombinedAnalyzer``.

    Args:
        pose: .onnx file of the pose network; None for the part ``pose``.
        pose_class: the rtmlib class that reads it: ``RTMO`` finds people itself, the others need ``detector``.
        pose_size: its input size (width, height).
        detector: .onnx file for ``rtmlib.YOLOX``; its boxes are the people for RTMPose and ViTPose.
        detector_size: its input size.
        person_threshold: smallest confidence of a person (RTMO; MoveNet's range is 0.2 to 0.6, real RTMO takes 0.7).
        keypoint_threshold: smallest confidence at which a keypoint is visible (v = 2); others keep their guessed place
            with v = 0.
        home: where the part ``pose`` is looked up, see ``rewards.real_parts.fetch.troupe_home``.

    Raises:
        ValueError: when a top-down class has no detector, or the part's input size is changed.
    """

    def __init__(
        self,
        pose: str | Path | None = None,
        pose_class: Literal["RTMO", "RTMPose", "ViTPose"] = "RTMO",
        pose_size: tuple[int, int] = MOVENET_SIZE,
        detector: str | Path | None = None,
        detector_size: tuple[int, int] = (640, 640),
        person_threshold: float = 0.2,
        keypoint_threshold: float = 0.2,
        home: str | Path | None = None,
    ) -> None:
        if pose_class != "RTMO" and (pose is None or detector is None):
            raise ValueError(f"pose_class {pose_class} works from boxes: give both `pose` and `detector`")
        if pose is None and tuple(pose_size) != MOVENET_SIZE:
            raise ValueError(
                f"pose_size {tuple(pose_size)}: the part `pose` takes {MOVENET_SIZE} and nothing else"
            )
        self.pose, self.pose_class, self.pose_size = pose, pose_class, (pose_size[0], pose_size[1])
        self.detector, self.detector_size = detector, (detector_size[0], detector_size[1])
        self.person_threshold, self.keypoint_threshold = person_threshold, keypoint_threshold
        self.home = home

    @cached_property
    def estimator(self) -> Any:
        """The rtmlib pose tool."""
        path = find_part("pose", self.home) / "movenet_rtmo.onnx" if self.pose is None else Path(self.pose)
        settings: dict[str, Any] = {"score_thr": self.person_threshold} if self.pose_class == "RTMO" else {}
        return load_tool(self.pose_class, path, self.pose_size, **settings)

    @cached_property
    def person_detector(self) -> Any:
        """The rtmlib detector in front of a top-down pose tool."""
        return load_tool("YOLOX", Path(self.detector or ""), self.detector_size)

    def analyze(self, images: Float[Tensor, "b 3 h w"]) -> list[Detections]:
        """Bodies of each image; landmarks, embeddings and person mask are not seen by this analyzer."""
        size = torch.tensor([images.shape[3], images.shape[2]], dtype=torch.float32)
        return [self._detections(*self._bodies(image), size) for image in to_bgr(images)]

    def embed_faces(
        self, faces: Float[Tensor, "b 3 r r"], landmarks: Float[Tensor, "b 5 2"] | None = None
    ) -> Float[Tensor, "b d"]:
        """Not possible.

        Raises:
            ValueError: always; bodies carry no identity.
        """
        raise ValueError(
            "RTMLibAnalyzer sees bodies, not identities; use InsightFaceAnalyzer, or join both with CombinedAnalyzer"
        )

    def _bodies(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints [o, 17, 2] in pixels and scores [o, 17]."""
        if self.pose_class == "RTMO":
            keypoints, scores = self.estimator(image)
        else:
            boxes = self.person_detector(image)
            if len(boxes) == 0:  # rtmlib would take no boxes for "the whole image is one person"
                return np.zeros((0, 17, 2)), np.zeros((0, 17))
            keypoints, scores = self.estimator(image, bboxes=boxes)
        # RTMO reports one person of zeros when it sees nobody.
        seen = keypoints.any(axis=(1, 2))
        return keypoints[seen], scores[seen]

    def _detections(self, keypoints: np.ndarray, scores: np.ndarray, size: Float[Tensor, " 2"]) -> Detections:
        points = torch.from_numpy(np.asarray(keypoints, dtype=np.float32)) / size
        confidence = torch.from_numpy(np.asarray(scores, dtype=np.float32)).clamp(0, 1)
        visibility = 2.0 * (confidence >= self.keypoint_threshold)
        return Detections(
            boxes=head_boxes(torch.cat([points, torch.ones_like(points[..., :1])], dim=-1), size),
            scores=confidence.mean(dim=1),
            keypoints=torch.cat([points, visibility[..., None]], dim=-1),
        )


class PersonCounter:
    """People counted by ``rtmlib.YOLOX``, whether or not a face shows; loaded at its first use.

    Args:
        detector: .onnx file of a detector with its own suppression; None for the part ``persons`` (CenterNet).
        detector_size: its input size (width, height); the part takes (512, 512).
        home: where the part is looked up.
    """

    def __init__(
        self,
        detector: str | Path | None = None,
        detector_size: tuple[int, int] = (512, 512),
        home: str | Path | None = None,
    ) -> None:
        self.detector, self.detector_size, self.home = detector, (detector_size[0], detector_size[1]), home

    @cached_property
    def tool(self) -> Any:
        """The rtmlib detector."""
        path = (
            find_part("persons", self.home) / "centernet_yolox.onnx"
            if self.detector is None
            else self.detector
        )
        return load_tool("YOLOX", Path(path), self.detector_size)

    def boxes(self, images: Float[Tensor, "b 3 h w"]) -> list[Float[Tensor, "o 4"]]:
        """Boxes around whole people, xyxy in [0, 1]."""
        size = torch.tensor([images.shape[3], images.shape[2]] * 2, dtype=torch.float32)
        found = [np.asarray(self.tool(image), dtype=np.float32).reshape(-1, 4) for image in to_bgr(images)]
        return [(torch.from_numpy(boxes) / size).clamp(0, 1) for boxes in found]

    def count(self, images: Float[Tensor, "b 3 h w"]) -> Int[Tensor, " b"]:
        """People per image."""
        return torch.tensor([len(boxes) for boxes in self.boxes(images)], dtype=torch.long)


def load_tool(name: str, path: Path, input_size: tuple[int, int], **settings: Any) -> Any:
    """An rtmlib tool on onnxruntime.

    Raises:
        ModuleNotFoundError: rtmlib is not installed.
        MissingPartError: there is no such file.
    """
    require_package("rtmlib")
    if not path.is_file():
        raise MissingPartError(
            f"rtmlib.{name}: {path} is no file, and none is downloaded. Give the path of an .onnx file "
            f"(unzip mmpose's archives first), or leave it out and run `{COMMAND}`."
        )
    import rtmlib

    spoken = io.StringIO()
    with contextlib.redirect_stdout(spoken):
        tool = getattr(rtmlib, name)(
            str(path), model_input_size=input_size, backend="onnxruntime", **settings
        )
    logger.debug("%s", spoken.getvalue().strip())
    return tool
