"""InsightFaceAnalyzer on a tiny pack made here, through the stock FaceAnalysis."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from insightface.app import FaceAnalysis
from insightface.utils.face_align import estimate_norm
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from datamodules.schema.interfaces import Analyzer
from rewards.analyzers.insightface import InsightFaceAnalyzer, find_pack, to_bgr
from rewards.real_parts.fetch import MissingPartError

Photograph = Callable[[str], Tensor]
LANDMARKS = np.array([0.25, 0.375, 0.75, 0.375, 0.5, 0.625, 0.3125, 0.8125, 0.6875, 0.8125], dtype=np.float32)
PROJECTION = np.random.default_rng(0).normal(size=(768, 8)).astype(np.float32)


def _save(path: Path, nodes: list, inputs: list, outputs: list, constants: dict[str, np.ndarray]) -> None:
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _float(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _red_square_detector(path: Path) -> None:
    """SCRFD's signature: a 32 px cell whose mean is red is a face that fills it; other strides see nothing."""
    nodes = []
    for stride in (8, 16, 32):
        offset = 0.0 if stride == 32 else -9.0
        nodes += [
            helper.make_node(
                "AveragePool", ["x"], [f"p{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2
            ),
            helper.make_node("Conv", [f"p{stride}", "redness"], [f"r{stride}"]),
            helper.make_node("Add", [f"r{stride}", f"offset{offset}"], [f"a{stride}"]),
            helper.make_node("Add", [f"a{stride}", "offset-9.0"], [f"b{stride}"]),
            helper.make_node("Concat", [f"a{stride}", f"b{stride}"], [f"c{stride}"], axis=1),
            helper.make_node("Transpose", [f"c{stride}"], [f"t{stride}"], perm=[0, 2, 3, 1]),
            helper.make_node("Reshape", [f"t{stride}", "column"], [f"score{stride}"]),
            helper.make_node("Mul", [f"score{stride}", "zero"], [f"z{stride}"]),
            helper.make_node("Add", [f"z{stride}", "box"], [f"box{stride}"]),
            helper.make_node("Add", [f"z{stride}", "points"], [f"points{stride}"]),
        ]
    constants = {
        "redness": np.array([0.5, -0.25, -0.25], dtype=np.float32).reshape(1, 3, 1, 1),
        "column": np.array([-1, 1], dtype=np.int64),
        "zero": np.zeros(1, dtype=np.float32),
        "offset0.0": np.zeros(1, dtype=np.float32),
        "offset-9.0": np.full(1, -9, dtype=np.float32),
        "box": np.array([[0, 0, 1, 1]], dtype=np.float32),
        "points": LANDMARKS[None],
    }
    widths = (("score", 1), ("box", 4), ("points", 10))
    outputs = [_float(f"{name}{s}", f"n{s}", width) for name, width in widths for s in (8, 16, 32)]
    _save(path, nodes, [_float("x", 1, 3, "height", "width")], outputs, constants)


def _pooling_recogniser(path: Path) -> None:
    """ArcFace's signature: 7 x 7 means of the crop, projected to 8 numbers."""
    nodes = [
        helper.make_node("AveragePool", ["x"], ["pooled"], kernel_shape=[7, 7], strides=[7, 7]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "projection"], ["embedding"]),
    ]
    _save(
        path,
        nodes,
        [_float("x", "b", 3, 112, 112)],
        [_float("embedding", "b", 8)],
        {"projection": PROJECTION},
    )


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packs") / "tiny"
    folder.mkdir()
    _red_square_detector(folder / "det_tiny.onnx")
    _pooling_recogniser(folder / "rec_tiny.onnx")
    return folder


@pytest.fixture(scope="module")
def analyzer(pack: Path) -> InsightFaceAnalyzer:
    return InsightFaceAnalyzer(pack, det_size=(128, 128))


@pytest.fixture
def scene() -> Tensor:
    """Grey, 96 x 128; a red square at columns 64..96, rows 32..64, a bluish one that is no face."""
    image = torch.full((3, 96, 128), 0.4)
    image[:, 32:64, 64:96] = torch.tensor([1.0, 0.1, 0.0])[:, None, None]
    image[:, 32:64, 0:32] = torch.tensor([0.0, 0.1, 1.0])[:, None, None]
    image[1, 40:48, 72:80] = 0.6  # something to recognise
    return image


def test_the_protocol_is_kept(analyzer: InsightFaceAnalyzer) -> None:
    assert isinstance(analyzer, Analyzer)


def test_boxes_landmarks_and_scores_are_in_units_of_the_image(
    analyzer: InsightFaceAnalyzer, scene: Tensor
) -> None:
    found, nobody = analyzer.analyze(torch.stack([scene, torch.full_like(scene, 0.4)]))
    assert len(found) == 1
    torch.testing.assert_close(found.boxes, torch.tensor([[64 / 128, 32 / 96, 96 / 128, 64 / 96]]))
    pixels = torch.from_numpy(LANDMARKS).reshape(1, 5, 2) * 32 + torch.tensor([64.0, 32.0])
    torch.testing.assert_close(found.landmarks, pixels / torch.tensor([128.0, 96.0]))
    assert 0.5 < found.scores.item() <= 1
    assert len(nobody) == 0
    assert nobody.landmarks is not None
    assert nobody.landmarks.shape == (0, 5, 2)
    assert nobody.embeddings is not None
    assert nobody.embeddings.shape == (0, 8)


def test_the_surest_face_of_a_view_is_its_reference(analyzer: InsightFaceAnalyzer, scene: Tensor) -> None:
    fainter = scene.clone()
    fainter[:, 64:, :32] = torch.tensor([0.95, 0.25, 0.15])[:, None, None]  # less red than the first
    fainter[:, :32, 32:64] = torch.tensor([1.0, 0.0, 0.0])[:, None, None]  # redder
    landmarks, boxes = analyzer.reference_faces(torch.stack([fainter, torch.full_like(scene, 0.4)]))
    assert len(analyzer.analyze(fainter[None])[0]) == 3
    torch.testing.assert_close(boxes[0], torch.tensor([32 / 128, 0, 64 / 128, 32 / 96]))
    pixels = torch.from_numpy(LANDMARKS).reshape(5, 2) * 32 + torch.tensor([32.0, 0.0])
    torch.testing.assert_close(landmarks[0], pixels / torch.tensor([128.0, 96.0]))
    assert bool(landmarks[1].isnan().all())
    assert bool(boxes[1].isnan().all())


def test_faces_equal_those_of_face_analysis_called_by_hand(
    analyzer: InsightFaceAnalyzer, pack: Path, scene: Tensor
) -> None:
    app = FaceAnalysis(name=str(pack), providers=["CPUExecutionProvider"])
    app.prepare(ctx_id=-1, det_thresh=0.5, det_size=(128, 128))
    (face,) = app.get((scene.permute(1, 2, 0).numpy()[..., ::-1] * 255).round().astype(np.uint8))
    (found,) = analyzer.analyze(scene[None])
    assert found.embeddings is not None
    np.testing.assert_allclose(found.embeddings[0].numpy(), face.normed_embedding, atol=1e-6)
    np.testing.assert_allclose(found.embeddings.norm(dim=1), 1, atol=1e-6)


def test_embedding_by_landmarks_is_the_projection_of_the_aligned_crop(analyzer: InsightFaceAnalyzer) -> None:
    view = torch.rand(3, 160, 160, generator=torch.Generator().manual_seed(1))
    points = torch.tensor([[0.4, 0.4], [0.6, 0.42], [0.5, 0.5], [0.42, 0.6], [0.58, 0.62]])
    pixels = (view * 255).round().permute(1, 2, 0).numpy().astype(np.uint8)
    crop = cv2.warpAffine(
        pixels, estimate_norm((points * 160).numpy(), 112), (112, 112)
    )  # lies inside the view
    pooled = ((crop.astype(np.float64) - 127.5) / 127.5).reshape(16, 7, 16, 7, 3).mean(axis=(1, 3))
    expected = pooled.transpose(2, 0, 1).reshape(-1) @ PROJECTION
    embedding = analyzer.embed_faces(view[None], points[None])
    np.testing.assert_allclose(embedding[0].numpy(), expected / np.linalg.norm(expected), atol=1e-5)


def test_views_without_a_face_embed_to_zero_and_a_filling_face_is_found(
    analyzer: InsightFaceAnalyzer,
) -> None:
    # 64 px of red: widened to 128 px by its edge, every cell of the detector is red.
    red = torch.tensor([1.0, 0.0, 0.0])[:, None, None].expand(3, 64, 64)
    empty = torch.full((3, 64, 64), 0.4)
    norms = analyzer.embed_faces(torch.stack([red, empty])).norm(dim=1)
    torch.testing.assert_close(norms, torch.tensor([1.0, 0.0]))


def test_same_person_compares_cosines_with_the_configured_threshold() -> None:
    analyzer = InsightFaceAnalyzer("nowhere", same_threshold=0.6)
    first = torch.tensor([[1.0, 0.0]])
    second = torch.tensor([[1.0, 0.0], [0.61, 0.7924], [0.59, 0.8074], [-1.0, 0.0]])
    assert analyzer.same_person(first, second).tolist() == [[True, True, False, False]]


def test_channels_are_turned_to_bgr() -> None:
    image = torch.zeros(1, 3, 2, 4)
    image[:, 0] = 1
    image[:, 1] = 0.5
    assert to_bgr(image)[0][1, 2].tolist() == [0, 128, 255]


def test_a_missing_pack_names_the_command_and_the_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rewards.analyzers.insightface.INSIGHTFACE_MODELS", tmp_path)
    analyzer = InsightFaceAnalyzer("antelopev2", home=tmp_path)  # construction reads nothing
    with pytest.raises(
        MissingPartError, match=r"rewards\.real_parts --only faces.*non-commercial research only"
    ):
        analyzer.analyze(torch.zeros(1, 3, 8, 8))
    assert not list(tmp_path.iterdir()), "something was downloaded"
    (tmp_path / "antelopev2").mkdir()
    assert find_pack("antelopev2") == tmp_path / "antelopev2"


def test_the_unfetched_part_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match=r"python -m rewards\.real_parts --only faces"):
        InsightFaceAnalyzer(home=tmp_path).analyze(torch.zeros(1, 3, 8, 8))


def test_a_zip_unpacked_too_deep_names_the_inner_folder(tmp_path: Path) -> None:
    inner = tmp_path / "antelopev2" / "antelopev2"
    inner.mkdir(parents=True)
    _pooling_recogniser(inner / "rec.onnx")
    with pytest.raises(MissingPartError, match=f"one level too deep: set pack to {inner}"):
        InsightFaceAnalyzer(inner.parent).analyze(torch.zeros(1, 3, 8, 8))
    with pytest.raises(MissingPartError, match="is a face detector"):
        InsightFaceAnalyzer(inner).analyze(torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize(
    ("argument", "value"), [("det_size", (640, 650)), ("det_threshold", 1.5), ("same_threshold", 2.0)]
)
def test_settings_out_of_range_are_refused_by_name(argument: str, value: object) -> None:
    with pytest.raises(ValueError, match=argument):
        InsightFaceAnalyzer("faces", **{argument: value})


# Real weights on real photographs.
