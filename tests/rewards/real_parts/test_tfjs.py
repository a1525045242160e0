"""Reading TensorFlow.js graph models: weight shards, quantisation, order of execution."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rewards.real_parts.tfjs import TfjsGraph, read_weights


def _write(
    folder: Path, nodes: list[dict[str, object]], weights: list[tuple[dict[str, object], bytes]]
) -> Path:
    """A model whose weights are split over two shards in the middle of a tensor."""
    data = b"".join(content for _, content in weights)
    (folder / "a.bin").write_bytes(data[:3])
    (folder / "b.bin").write_bytes(data[3:])
    manifest = [{"paths": ["a.bin", "b.bin"], "weights": [entry for entry, _ in weights]}]
    path = folder / "model.json"
    document = {"modelTopology": {"node": nodes}, "weightsManifest": manifest}
    document["signature"] = {"outputs": {"answer": {"name": "sum:0"}}}
    path.write_text(json.dumps(document))
    return path


def _affine_model(folder: Path) -> Path:
    """answer = x * scale + shift, nodes listed last first."""
    nodes: list[dict[str, object]] = [
        {"name": "sum", "op": "AddV2", "input": ["product", "shift"]},
        {"name": "product", "op": "Mul", "input": ["x", "scale"]},
        {"name": "unused", "op": "NobodyKnowsThis", "input": ["x"]},
        {"name": "scale", "op": "Const"},
        {"name": "shift", "op": "Const"},
        {"name": "x", "op": "Placeholder"},
    ]
    quantized = {"dtype": "uint8", "scale": 0.5, "min": -1.0}
    weights: list[tuple[dict[str, object], bytes]] = [
        ({"name": "scale", "shape": [3], "dtype": "float32", "quantization": quantized}, bytes([0, 2, 255])),
        (
            {"name": "shift", "shape": [], "dtype": "float32", "quantization": {"dtype": "float16"}},
            np.array(0.25, "<f2").tobytes(),
        ),
    ]
    return _write(folder, nodes, weights)


def test_a_quantised_model_computes_what_its_numbers_say(tmp_path: Path) -> None:
    model = TfjsGraph(_affine_model(tmp_path))
    answer = model(torch.tensor([1.0, 1.0, 2.0]))["answer"]
    torch.testing.assert_close(answer, torch.tensor([-1.0, 0.0, 253.0]) + 0.25)


def test_an_unknown_operation_is_named(tmp_path: Path) -> None:
    path = _affine_model(tmp_path)
    document = json.loads(path.read_text())
    document["signature"]["outputs"]["other"] = {"name": "unused"}
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="NobodyKnowsThis"):
        TfjsGraph(path)


@pytest.mark.parametrize(
    ("content", "message"), [(b"1234567", "shards hold 7"), (b"12", "ends before byte 4")]
)
def test_shards_of_the_wrong_length_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "w.bin").write_bytes(content)
    manifest = [{"paths": ["w.bin"], "weights": [{"name": "w", "shape": [1], "dtype": "float32"}]}]
    with pytest.raises(ValueError, match=message):
        read_weights(manifest, tmp_path)


def test_outputs_without_a_signature_are_the_nodes_nobody_consumes(tmp_path: Path) -> None:
    path = _affine_model(tmp_path)
    document = json.loads(path.read_text())
    del document["signature"]
    document["modelTopology"]["node"] = [
        n for n in document["modelTopology"]["node"] if n["name"] != "unused"
    ]
    path.write_text(json.dumps(document))
    assert list(TfjsGraph(path).outputs) == ["sum"]
