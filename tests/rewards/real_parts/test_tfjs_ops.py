"""TensorFlow's operations in torch, against scipy, numpy and values from TensorFlow's own documentation."""

import base64

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from torch import Tensor

from rewards.real_parts.tfjs_ops import OPS, Node, same_padding


def _node(op: str, **attributes: object) -> Node:
    """A node as model.json writes it: integers and bytes become text."""
    raw: dict[str, object] = {}
    for key, value in attributes.items():
        if isinstance(value, bool):
            raw[key] = {"b": value}
        elif isinstance(value, int):
            raw[key] = {"i": str(value)}
        elif isinstance(value, str):
            raw[key] = {"s": base64.b64encode(value.encode()).decode()}
        elif isinstance(value, list) and isinstance(value[0], str):
            raw[key] = {"list": {"s": [base64.b64encode(v.encode()).decode() for v in value]}}
        else:
            raw[key] = {"list": {"i": [str(v) for v in value]}}  # type: ignore[union-attr]
    return Node.from_json({"name": "n", "op": op, "input": ["a", "^control", "b:1"], "attr": raw})


def _run(node: Node, *inputs: object) -> Tensor:
    result = OPS[node.op](node, [torch.as_tensor(i) for i in inputs])
    assert isinstance(result, Tensor)
    return result


def test_control_inputs_are_dropped() -> None:
    assert _node("Add").inputs == ("a", "b:1")


def test_same_padding_is_that_of_tensorflows_documentation() -> None:
    # tf.nn: input 13, filter 6, stride 5 -> one pixel before, two behind.
    assert same_padding((13, 13), (6, 6), (5, 5), (1, 1)) == [1, 2, 1, 2]
    assert same_padding((4, 7), (3, 1), (1, 2), (2, 1)) == [0, 0, 2, 2]


@pytest.mark.parametrize(("op", "channels_out"), [("Conv2D", 4), ("DepthwiseConv2dNative", 2)])
def test_convolutions_equal_scipys_correlation(op: str, channels_out: int) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(1, 9, 8, 3))
    weight = generator.normal(size=(3, 3, 3, channels_out))
    result = _run(_node(op, strides=[1, 1, 1, 1], padding="SAME"), x, weight)[0].numpy()
    planes = np.array(
        [
            [correlate2d(x[0, ..., i], weight[..., i, o], mode="same") for o in range(channels_out)]
            for i in range(3)
        ]
    )  # input channel, output channel, row, column
    expected = planes.reshape(-1, 9, 8) if op.startswith("Depthwise") else planes.sum(axis=0)
    np.testing.assert_allclose(result, expected.transpose(1, 2, 0), atol=1e-12)


def test_strides_start_where_tensorflow_starts() -> None:
    """Even size, kernel 3, stride 2: SAME pads below and right only, so samples lie at 1, 3, 5 of the full result."""
    generator = np.random.default_rng(0)
    x, weight = generator.normal(size=(1, 6, 6, 1)), generator.normal(size=(3, 3, 1, 1))
    node = _node("_FusedConv2D", strides=[1, 2, 2, 1], padding="SAME", fused_ops=["BiasAdd", "Relu6"])
    result = _run(node, x, weight, np.array([0.5]))[0, ..., 0]
    full = correlate2d(x[0, ..., 0], weight[..., 0, 0], mode="same")[1::2, 1::2]
    np.testing.assert_allclose(result, (full + 0.5).clip(0, 6), atol=1e-12)


def test_explicit_padding_and_prelu() -> None:
    x = torch.full((1, 2, 2, 1), -1.0)
    node = _node(
        "_FusedConv2D",
        strides=[1, 1, 1, 1],
        padding="EXPLICIT",
        explicit_paddings=[0, 0, 1, 0, 0, 2, 0, 0],
        fused_ops=["BiasAdd", "Prelu"],
    )
    result = _run(node, x, torch.ones(1, 1, 1, 1), torch.zeros(1), torch.tensor([0.25]))[0, ..., 0]
    assert result.tolist() == [[0, 0, 0, 0], [-0.25, -0.25, 0, 0], [-0.25, -0.25, 0, 0]]


def test_resizing_starts_at_the_corner_unless_told_otherwise() -> None:
    """TensorFlow's three conventions on [0, 1] -> 4 samples."""
    x = torch.tensor([0.0, 1.0]).reshape(1, 1, 2, 1)
    size = torch.tensor([1, 4])
    assert _run(_node("ResizeBilinear"), x, size).flatten().tolist() == [0, 0.5, 1, 1]
    half = _run(_node("ResizeBilinear", half_pixel_centers=True), x, size)
    assert half.flatten().tolist() == [0, 0.25, 0.75, 1]
    corners = _run(_node("ResizeBilinear", align_corners=True), x, size)
    torch.testing.assert_close(corners.flatten(), torch.tensor([0, 1 / 3, 2 / 3, 1]))


def test_max_pool_ignores_its_padding() -> None:
    x = -torch.arange(1.0, 10).reshape(1, 3, 3, 1)
    result = _run(_node("MaxPool", ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME"), x)
    assert result[0, ..., 0].tolist() == [[-1, -3], [-7, -9]]


@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        ({}, lambda x: x[1:2, 0:3, 1:4:2]),
        ({"begin_mask": 1, "end_mask": 4}, lambda x: x[:2, 0:3, 1::2]),
        ({"shrink_axis_mask": 1}, lambda x: x[1, 0:3, 1:4:2]),
        ({"ellipsis_mask": 1}, lambda x: x[..., 0:3, 1:4:2]),
        ({"new_axis_mask": 1}, lambda x: x[None, 0:3, 1:4:2]),
    ],
)
def test_strided_slices_are_numpys(masks: dict[str, int], expected: object) -> None:
    x = np.arange(60).reshape(3, 4, 5)
    result = _run(_node("StridedSlice", **masks), x, [1, 0, 1], [2, 3, 4], [1, 1, 2])
    np.testing.assert_array_equal(result, expected(x))  # type: ignore[operator]


def test_gathers_equal_numpys_indexing() -> None:
    x = np.arange(24).reshape(2, 3, 4)
    indices = np.array([[1, 2], [0, 1], [1, 0]])
    np.testing.assert_array_equal(_run(_node("GatherNd"), x, indices), x[indices[:, 0], indices[:, 1]])
    np.testing.assert_array_equal(_run(_node("GatherV2"), x, indices, 1), np.take(x, indices, axis=1))


def test_select_of_rank_one_chooses_rows() -> None:
    yes, no = np.ones((3, 2)), np.zeros((3, 2))
    assert _run(_node("Select"), [True, False, True], yes, no).tolist() == [[1, 1], [0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("op", "inputs", "attributes", "expected"),
    [
        ("FloorDiv", ([7, -7], 2), {}, [3, -4]),
        ("FloorMod", ([7, -7], 4), {}, [3, 1]),
        ("SquaredDifference", ([3.0, 1.0], [1.0, 4.0]), {}, [4, 9]),
        ("Squeeze", (np.zeros((1, 2, 1)),), {"squeeze_dims": [-1]}, [[0, 0]]),
        ("Pad", ([[1, 2]], [[1, 0], [0, 2]]), {}, [[0, 0, 0, 0], [1, 2, 0, 0]]),
        ("Sum", ([[1, 2], [3, 4]], [1]), {"keep_dims": True}, [[3], [7]]),
        ("Mean", ([[1.0, 2], [3, 4]], [0]), {}, [2, 3]),
        ("ConcatV2", ([[1]], [[2]], 1), {}, [[1, 2]]),
        ("Tile", ([1, 2], [2]), {}, [1, 2, 1, 2]),
        ("Range", (2, 8, 3), {}, [2, 5]),
        ("AddN", ([1, 2], [3, 4], [5, 6]), {}, [9, 12]),
        ("Size", (np.zeros((2, 3)),), {}, 6),
    ],
)
def test_small_operations(op: str, inputs: tuple, attributes: dict[str, object], expected: object) -> None:
    assert _run(_node(op, **attributes), *inputs).tolist() == expected


def test_operations_with_several_outputs() -> None:
    values, indices = OPS["TopKV2"](_node("TopKV2"), [torch.tensor([1.0, 3.0, 2.0]), torch.tensor(2)])
    assert (values.tolist(), indices.tolist(), indices.dtype) == ([3, 2], [1, 2], torch.int32)
    parts = OPS["Split"](_node("Split", num_split=2), [torch.tensor(1), torch.arange(4).reshape(1, 4)])
    assert [p.tolist() for p in parts] == [[[0, 1]], [[2, 3]]]
