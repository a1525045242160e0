"""RTMLibAnalyzer and PersonCounter: tiny graphs through the stock rtmlib; converted weights on photographs."""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor
from torchvision.ops import box_iou

from datamodules.schema.interfaces import Analyzer
from rewards.analyzers.insightface import InsightFaceAnalyzer
from rewards.analyzers.rtmlib import PersonCounter, RTMLibAnalyzer
from rewards.real_parts.fetch import MissingPartError

Photograph = Callable[[str], Tensor]
SIZE = 64
BOXES = np.array([[[4, 4, 20, 28], [30, 4, 50, 28]]], dtype=np.float32)
POINTS = np.random.default_rng(0).uniform(4, 30, size=(1, 2, 17, 2)).astype(np.float32)


def _save(
    path: Path, nodes: list, shape: list, outputs: dict[str, list], constants: dict[str, np.ndarray]
) -> Path:
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    named = [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in outputs.items()]
    graph = helper.make_graph(nodes, path.stem, inputs, named, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def _redness() -> tuple[list, dict[str, np.ndarray]]:
    """Largest value of channel 2 (red in BGR) minus channel 0, as a fraction of 255; shape [1, 1, 1]."""
    nodes = [
        helper.make_node("Conv", ["x", "weights"], ["map"]),
        helper.make_node("ReduceMax", ["map"], ["score"], axes=[2, 3], keepdims=0),
        helper.make_node("Reshape", ["score", "cube"], ["red"]),
    ]
    weights = np.array([-1, 0, 1], dtype=np.float32).reshape(1, 3, 1, 1) / 255
    return nodes, {"weights": weights, "cube": np.array([1, 1, 1], dtype=np.int64)}


@pytest.fixture(scope="module")
def rtmo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two fixed people wherever the image holds something red; the second half as sure of its keypoints."""
    nodes, constants = _redness()
    nodes += [
        helper.make_node("Mul", ["red", "sureness"], ["confidence"]),
        helper.make_node("Concat", ["boxes", "confidence"], ["dets"], axis=2),
        helper.make_node("Mul", ["red", "certainty"], ["visible"]),
        helper.make_node("Concat", ["points", "visible"], ["keypoints"], axis=3),
    ]
    certainty = np.stack([np.full((17, 1), 0.9), np.full((17, 1), 0.1)])[None].astype(np.float32)
    constants |= {"boxes": BOXES, "points": POINTS, "certainty": certainty}
    constants["sureness"] = np.array([1.0, 0.9], dtype=np.float32).reshape(1, 2, 1)
    path = tmp_path_factory.mktemp("rtmo") / "tiny.onnx"
    return _save(path, nodes, [1, 3, SIZE, SIZE], {"dets": [1, 2, 5], "keypoints": [1, 2, 17, 3]}, constants)


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """YOLOX with its own suppression: two fixed boxes, as sure as the image is red."""
    nodes, constants = _redness()
    nodes += [
        helper.make_node("Mul", ["red", "sureness"], ["confidence"]),
        helper.make_node("Concat", ["boxes", "confidence"], ["dets"], axis=2),
    ]
    constants |= {"boxes": BOXES, "sureness": np.array([1.0, 0.9], dtype=np.float32).reshape(1, 2, 1)}
    path = tmp_path_factory.mktemp("yolox") / "tiny.onnx"
    return _save(path, nodes, [1, 3, SIZE, SIZE], {"dets": [1, 2, 5]}, constants)


@pytest.fixture(scope="module")
def rtmpose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every keypoint where the crop's columns and rows are brightest."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["grey"], axes=[1], keepdims=1),
        helper.make_node("Add", ["grey", "three"], ["positive"]),
    ]
    for axis, squeezed, name in ((2, "columns", "simcc_x"), (3, "rows", "simcc_y")):
        nodes += [
            helper.make_node("ReduceMean", ["positive"], [f"m_{name}"], axes=[axis], keepdims=0),
            helper.make_node("Unsqueeze", [f"m_{name}", "two"], [f"u_{name}"]),
            helper.make_node("Resize", [f"u_{name}", "", "twice"], [f"r_{name}"], mode="linear"),
            helper.make_node("Squeeze", [f"r_{name}", "two"], [f"s_{name}"]),
            helper.make_node("Expand", [f"s_{name}", squeezed], [name]),
        ]
    constants = {
        "three": np.array(3, dtype=np.float32),
        "two": np.array([2], dtype=np.int64),
        "twice": np.array([1, 1, 1, 2], dtype=np.float32),
        "columns": np.array([1, 17, 384], dtype=np.int64),
        "rows": np.array([1, 17, 512], dtype=np.int64),
    }
    path = tmp_path_factory.mktemp("rtmpose") / "tiny.onnx"
    return _save(path, nodes, [1, 3, 256, 192], {"simcc_x": [1, 17, 384], "simcc_y": [1, 17, 512]}, constants)


def _images(height: int, width: int) -> Tensor:
    """A red one, a blue one, a black one."""
    images = torch.zeros(3, 3, height, width)
    images[0, 0] = 1
    images[1, 2] = 1
    return images


def test_rtmo_people_in_units_of_the_image_and_nobody_where_nobody_is(rtmo: Path) -> None:
    analyzer = RTMLibAnalyzer(rtmo, pose_size=(SIZE, SIZE), keypoint_threshold=0.5)
    assert isinstance(analyzer, Analyzer)
    red, blue, black = analyzer.analyze(_images(64, 128))  # fitted into 64 px: half the size
    assert len(red) == 2
    assert red.keypoints is not None
    expected = torch.from_numpy(POINTS[0]) * 2 / torch.tensor([128.0, 64.0])
    torch.testing.assert_close(red.keypoints[..., :2], expected)
    assert red.keypoints[..., 2].tolist() == [[2.0] * 17, [0.0] * 17]
    torch.testing.assert_close(red.scores, torch.tensor([0.9, 0.1]))
    for nobody in (blue, black):  # rtmlib itself reports one person at (0, 0)
        assert len(nobody) == 0
        assert nobody.keypoints is not None
        assert nobody.keypoints.shape == (0, 17, 3)


def test_top_down_pose_finds_the_bright_spot_in_each_box(detector: Path, rtmpose: Path) -> None:
    analyzer = RTMLibAnalyzer(
        rtmpose,
        pose_class="RTMPose",
        pose_size=(192, 256),
        detector=detector,
        detector_size=(SIZE, SIZE),
    )
    images = torch.zeros(2, 3, 256, 256)
    images[0, 0, 240:, 240:] = 1  # red enough to see people, far from both boxes
    images[0, :, 100:104, 40:44] = 1  # in the first box: columns 16..80, rows 16..112
    images[0, :, 60:64, 160:164] = 1  # in the second
    found, nobody = analyzer.analyze(images)
    assert found.keypoints is not None
    expected = torch.tensor([[42.0, 102.0], [162.0, 62.0]]) / 256
    torch.testing.assert_close(found.keypoints[:, 3, :2], expected, atol=2.5 / 256, rtol=0)
    assert len(nobody) == 0  # no boxes must not mean "one person fills the image"


def test_persons_are_counted_and_boxed(detector: Path) -> None:
    counter = PersonCounter(detector, (SIZE, SIZE))
    images = _images(64, 128)
    assert counter.count(images).tolist() == [2, 0, 0]
    expected = torch.from_numpy(BOXES[0]) * 2 / torch.tensor([128.0, 64.0, 128.0, 64.0])
    torch.testing.assert_close(counter.boxes(images)[0], expected)


def test_a_missing_file_names_the_command_and_nothing_is_downloaded(tmp_path: Path) -> None:
    with pytest.raises(
        MissingPartError, match=r"is no file, and none is downloaded.*python -m rewards\.real_parts"
    ):
        RTMLibAnalyzer(tmp_path / "rtmo-m.zip").analyze(_images(8, 8))
    with pytest.raises(MissingPartError, match=r"python -m rewards\.real_parts --only pose"):
        RTMLibAnalyzer(home=tmp_path).analyze(_images(8, 8))
    with pytest.raises(MissingPartError, match=r"python -m rewards\.real_parts --only persons"):
        PersonCounter(home=tmp_path).count(_images(8, 8))


def test_contradictory_settings_and_identity_are_refused() -> None:
    with pytest.raises(ValueError, match="both `pose` and `detector`"):
        RTMLibAnalyzer("pose.onnx", pose_class="RTMPose")
    with pytest.raises(ValueError, match="pose_size"):
        RTMLibAnalyzer(pose_size=(640, 640))
    with pytest.raises(ValueError, match="CombinedAnalyzer"):
        RTMLibAnalyzer().embed_faces(torch.zeros(1, 3, 8, 8))


# Real weights on real photographs.


@pytest.mark.realparts
def test_one_opencv_is_installed() -> None:
    """InsightFace and rtmlib ask for further builds of OpenCV, which would overwrite each other's files."""
    names = {str(d.metadata["Name"]).lower() for d in importlib.metadata.distributions()}
    assert {name for name in names if name.startswith("opencv")} == {"opencv-python-headless"}


@pytest.fixture(scope="module")
def real() -> RTMLibAnalyzer:
    return RTMLibAnalyzer()


@pytest.fixture(scope="module")
def face_detector() -> InsightFaceAnalyzer:
    return InsightFaceAnalyzer()


@pytest.fixture(scope="module")
def counter() -> PersonCounter:
    return PersonCounter()


@pytest.mark.realparts
@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("astronaut.png", 1),
        ("sample1.jpg", 3),
        ("sample3.jpg", 3),
        ("sample5.jpg", 5),
        ("sample6.jpg", 4),
        ("obama.jpg", 1),
        ("biden.jpg", 1),
    ],
)
def test_bodies_are_counted_and_lie_below_their_heads(
    real: RTMLibAnalyzer, photograph: Photograph, name: str, people: int
) -> None:
    (found,) = real.analyze(photograph(name))
    assert len(found) == people
    assert found.keypoints is not None
    heads, shoulders = found.keypoints[:, :5].mean(dim=1), found.keypoints[:, 5:7].mean(dim=1)
    assert (shoulders[:, 1] > heads[:, 1]).all()
    assert ((found.keypoints[:, :5, 2] == 2).sum(dim=1) >= 3).all(), (
        "most of each face is seen with confidence"
    )


@pytest.mark.realparts
@pytest.mark.parametrize("name", ["sample1.jpg", "sample3.jpg", "sample5.jpg", "sample6.jpg"])
def test_heads_of_bodies_are_where_the_face_detector_sees_faces(
    real: RTMLibAnalyzer, face_detector: InsightFaceAnalyzer, photograph: Photograph, name: str
) -> None:
    """Two networks trained by different people agree on every head, so neither mirrors nor shifts the image."""
    image = photograph(name)
    (bodies,), (faces,) = real.analyze(image), face_detector.analyze(image)
    overlap = box_iou(bodies.boxes, faces.boxes)
    assert (overlap.amax(dim=0) > 0.35).all()
    assert (overlap.argmax(dim=0).sort().values == torch.arange(len(faces))).all()


@pytest.mark.realparts
def test_left_is_the_persons_own_left(real: RTMLibAnalyzer, photograph: Photograph) -> None:
    (found,) = real.analyze(photograph("astronaut.png"))
    assert found.keypoints is not None
    left_eye, right_eye, left_shoulder, right_shoulder = found.keypoints[0, [1, 2, 5, 6], 0].tolist()
    assert right_eye < left_eye
    assert right_shoulder < left_shoulder


@pytest.mark.realparts
@pytest.mark.parametrize(
    ("name", "people"), [("astronaut.png", 1), ("sample1.jpg", 3), ("sample3.jpg", 3), ("sample6.jpg", 4)]
)
def test_persons_are_counted_in_photographs(
    counter: PersonCounter, photograph: Photograph, name: str, people: int
) -> None:
    assert counter.count(photograph(name)).item() == people


@pytest.mark.realparts
def test_most_people_round_the_table_are_seen(
    real: RTMLibAnalyzer, counter: PersonCounter, photograph: Photograph
) -> None:
    image = photograph("t1.jpg")
    assert 5 <= len(real.analyze(image)[0]) <= 6
    assert 5 <= counter.count(image).item() <= 6
