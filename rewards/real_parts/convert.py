"""From fetched archives to finished parts: export the networks to ONNX, check them against torch, move into place."""

import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from rewards.real_parts.bodies import PERSON_SIZE, POSE_SIZE, CenterNetAsYOLOX, MoveNetAsRTMO
from rewards.real_parts.catalogue import PARTS, PORTRAITS, SAMPLES, Part
from rewards.real_parts.faces import (
    DETECTOR_SIZE,
    EMBEDDING_DIM,
    BlazeFaceAsSCRFD,
    DlibAsArcFace,
    DlibFaceNet,
)
from rewards.real_parts.fetch import (
    PartError,
    fetch_source,
    is_finished,
    part_path,
    publish,
    require_package,
    troupe_home,
)
from rewards.real_parts.language import convert_smollm2

OPSET = 17
TOLERANCE = 2e-3  # of the output's largest value: onnxruntime fuses and reorders sums

logger = logging.getLogger(__name__)


def prepare_part(name: str, home: str | Path | None = None) -> Path:
    """Fetch and convert one part, unless it is in the cache.

    Args:
        name: key of ``PARTS``.
        home: cache folder, see ``troupe_home``.

    Returns:
        The part's folder.

    Raises:
        PartError: see ``fetch_source``; or the exported graph disagrees with the torch module.
        ModuleNotFoundError: when a package that the conversion needs is not installed.
    """
    part = PARTS[name]
    folder = part_path(part, home)
    if is_finished(part, home):
        logger.info("%s: already in %s", name, folder)
        return folder
    for package in part.packages:
        require_package(package)
    sources = {key: fetch_source(key, home) for key in part.sources}
    logger.info("%s: converting", name)
    root = troupe_home(home) / "real_parts"
    with tempfile.TemporaryDirectory(dir=root, prefix=".converting-") as scratch:
        finished = Path(scratch) / name
        finished.mkdir()
        CONVERSIONS[name](sources, finished)
        _require_files(part, finished)
        publish(finished, folder)
    return folder


def export(
    network: nn.Module, example: Tensor, path: Path, outputs: Sequence[str], batched: bool = False
) -> None:
    """Write a module as ONNX and check that onnxruntime computes what torch computes.

    Args:
        network: returns one tensor or a tuple of them.
        example: an input; shapes are frozen to it, except the batch if ``batched``.
        path: of the .onnx file.
        outputs: names for the outputs.
        batched: leave the first axis open.

    Raises:
        PartError: when the two disagree by more than ``TOLERANCE``.
    """
    axes = {name: {0: "batch"} for name in ("input.1", *outputs)} if batched else None
    with warnings.catch_warnings():
        # The tracer warns of every shape it freezes, which is what is wanted here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (example,),
            str(path),
            input_names=["input.1"],
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = network(example)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for name, ours, theirs in zip(
        outputs, expected, session.run(None, {"input.1": example.numpy()}), strict=True
    ):
        error = float((ours - torch.from_numpy(theirs)).abs().max() / ours.abs().max().clamp(min=1))
        if not error <= TOLERANCE:
            raise PartError(
                f"{path.name}: output {name} of the exported graph is off by {error:.2g} of its range"
            )


def convert_faces(sources: dict[str, Path], folder: Path) -> None:
    """An InsightFace pack: detector, and recogniser centred on the mean face."""
    detector = BlazeFaceAsSCRFD(sources["human-models"] / "models" / "blazeface-back.json")
    names = [f"{kind}_{stride}" for kind in ("score", "bbox", "kps") for stride in (8, 16, 32)]
    export(detector, _noise(DETECTOR_SIZE) / 127.5 - 1, folder / "det_blazeface.onnx", names)
    model = sources["face-api"] / "model"
    manifest = json.loads((model / "face_recognition_model-weights_manifest.json").read_text())
    network = DlibFaceNet(manifest, model)
    aligned = _noise(112) / 127.5 - 1
    recogniser = folder / "rec_dlib.onnx"
    export(
        DlibAsArcFace(network, torch.zeros(EMBEDDING_DIM)), aligned, recogniser, ["embedding"], batched=True
    )
    mean = mean_embedding(folder, [sources["face-api"] / "demo" / name for name in SAMPLES])
    export(DlibAsArcFace(network, mean), aligned, recogniser, ["embedding"], batched=True)


def mean_embedding(pack: Path, photos: Sequence[Path]) -> Tensor:
    """The mean face of an uncentred pack: half from ``photos``, half from InsightFace's own sample photo.

    The first show women, the second as many men as women; mixed so, neither dominates what counts as average.
    """
    import cv2
    import insightface
    from insightface.app import FaceAnalysis

    app = FaceAnalysis(name=str(pack), providers=["CPUExecutionProvider"])
    app.prepare(ctx_id=-1)
    own = Path(insightface.__file__).parent / "data" / "images" / "t1.jpg"
    halves = []
    for paths in (photos, [own]):
        faces = [
            torch.from_numpy(face.embedding) for path in paths for face in app.get(cv2.imread(str(path)))
        ]
        if not faces:
            raise PartError(f"the converted detector finds no face in {', '.join(p.name for p in paths)}")
        halves.append(torch.stack(faces).mean(dim=0))
    return torch.stack(halves).mean(dim=0)


def convert_persons(sources: dict[str, Path], folder: Path) -> None:
    """CenterNet for rtmlib's YOLOX."""
    network = CenterNetAsYOLOX(sources["human-models"] / "models" / "centernet.json")
    export(network, _noise(PERSON_SIZE), folder / "centernet_yolox.onnx", ["dets"])


def convert_pose(sources: dict[str, Path], folder: Path) -> None:
    """MoveNet MultiPose for rtmlib's RTMO."""
    network = MoveNetAsRTMO(sources["human-models"] / "models" / "movenet-multipose.json")
    export(network, _noise(POSE_SIZE), folder / "movenet_rtmo.onnx", ["dets", "keypoints"])


def copy_photos(sources: dict[str, Path], folder: Path) -> None:
    """The test photographs in one folder."""
    for name in SAMPLES:
        shutil.copy(sources["face-api"] / "demo" / name, folder / name)
    for name in PORTRAITS:
        shutil.copy(sources["face-recognition"] / "tests" / "test_images" / name, folder / name)


CONVERSIONS: dict[str, Callable[[dict[str, Path], Path], None]] = {
    "faces": convert_faces,
    "persons": convert_persons,
    "pose": convert_pose,
    "photos": copy_photos,
    "smollm2": convert_smollm2,
}


def _noise(size: int) -> Tensor:
    """A fixed image of whole numbers 0..255 to export and check with."""
    return torch.randint(0, 256, (1, 3, size, size), generator=torch.Generator().manual_seed(0)).float()


def _require_files(part: Part, folder: Path) -> None:
    missing = [name for name in part.files if not (folder / name).is_file()]
    if missing:
        raise PartError(f"{part.name}: the conversion did not write {', '.join(missing)}")
