"""The TensorFlow operations that the converted networks use, in torch (tensors stay NHWC, as TensorFlow lays them out).

Every function has the signature ``op(node, inputs)``: ``node`` gives the attributes of the graph node, ``inputs`` its
evaluated inputs. ``OPS`` maps operation names to functions; an operation that is not there is reported by name.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Values = list[Tensor]
Op = Callable[["Node", Values], Tensor | Values]

DTYPES = {"DT_FLOAT": torch.float32, "DT_INT32": torch.int32, "DT_INT64": torch.int64, "DT_BOOL": torch.bool}


@dataclass(frozen=True)
class Node:
    """One node of a TensorFlow.js graph model.

    Attributes:
        name: unique name.
        op: TensorFlow operation.
        inputs: names of the producing nodes, ``name`` or ``name:output``; control inputs left out.
        attributes: the raw ``attr`` table of model.json.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: dict[str, Any]

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> "Node":
        """Read one entry of ``modelTopology.node``."""
        inputs = tuple(i for i in raw.get("input", []) if not i.startswith("^"))
        return cls(raw["name"], raw["op"], inputs, raw.get("attr", {}))

    def integer(self, key: str, default: int = 0) -> int:
        """An integer attribute (JSON keeps 64-bit integers as text)."""
        return int(self.attributes.get(key, {}).get("i", default))

    def flag(self, key: str) -> bool:
        """A boolean attribute, False where absent."""
        return bool(self.attributes.get(key, {}).get("b", False))

    def integers(self, key: str) -> list[int]:
        """A list of integers, empty where absent."""
        return [int(i) for i in self.attributes.get(key, {}).get("list", {}).get("i", [])]

    def text(self, key: str) -> str:
        """A string attribute, empty where absent."""
        return base64.b64decode(self.attributes.get(key, {}).get("s", "")).decode()

    def texts(self, key: str) -> list[str]:
        """A list of strings, empty where absent."""
        return [
            base64.b64decode(s).decode() for s in self.attributes.get(key, {}).get("list", {}).get("s", [])
        ]

    def dtype(self, key: str) -> torch.dtype:
        """A type attribute."""
        return DTYPES[self.attributes[key]["type"]]


def same_padding(
    size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> list[int]:
    """TensorFlow's SAME padding as torch wants it: [left, right, top, bottom]; the odd pixel goes right and below."""
    padding: list[int] = []
    for n, k, s, d in reversed(list(zip(size, kernel, stride, dilation, strict=True))):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        padding += [total // 2, total - total // 2]
    return padding


def _pair(values: list[int]) -> tuple[int, int]:
    return (values[1], values[2]) if values else (1, 1)


def _convolve(node: Node, inputs: Values) -> Tensor:
    x, weight = inputs[0].permute(0, 3, 1, 2), inputs[1]
    stride, dilation = _pair(node.integers("strides")), _pair(node.integers("dilations"))
    height, width, c_in, c_out = weight.shape
    if node.text("padding") == "SAME":
        x = F.pad(x, same_padding((x.shape[2], x.shape[3]), (height, width), stride, dilation))
    elif node.text("padding") == "EXPLICIT":
        pads = node.integers("explicit_paddings")
        x = F.pad(x, [pads[4], pads[5], pads[2], pads[3]])
    if "Depthwise" in node.op:
        kernel, groups = weight.permute(2, 3, 0, 1).reshape(c_in * c_out, 1, height, width), c_in
    else:
        kernel, groups = weight.permute(3, 2, 0, 1), 1
    return F.conv2d(x, kernel, None, stride, 0, dilation, groups).permute(0, 2, 3, 1)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "Relu": torch.relu,
    "Relu6": lambda x: x.clamp(0, 6),
    "Sigmoid": torch.sigmoid,
    "Elu": F.elu,
}


def _fused(node: Node, inputs: Values) -> Tensor:
    """A convolution followed by what ``fused_ops`` lists: a bias, then perhaps an activation."""
    y = _convolve(node, inputs)
    for name in node.texts("fused_ops"):
        if name == "BiasAdd":
            y = y + inputs[2]
        elif name == "Prelu":
            y = torch.where(y > 0, y, y * inputs[3])
        else:
            y = ACTIVATIONS[name](y)
    return y


def _max_pool(node: Node, inputs: Values) -> Tensor:
    x = inputs[0].permute(0, 3, 1, 2)
    kernel, stride = _pair(node.integers("ksize")), _pair(node.integers("strides"))
    if node.text("padding") == "SAME":
        padding = same_padding((x.shape[2], x.shape[3]), kernel, stride, (1, 1))
        x = F.pad(x, padding, value=float("-inf"))
    return F.max_pool2d(x, kernel, stride).permute(0, 2, 3, 1)


def _resize_bilinear(node: Node, inputs: Values) -> Tensor:
    x = inputs[0].permute(0, 3, 1, 2).float()
    height, width = (int(v) for v in inputs[1])
    corners = node.flag("align_corners")
    if corners or node.flag("half_pixel_centers"):
        y = F.interpolate(x, (height, width), mode="bilinear", align_corners=corners)
    else:
        y = _resize_from_corner(_resize_from_corner(x, height, 2), width, 3)
    return y.permute(0, 2, 3, 1)


def _resize_from_corner(x: Tensor, size: int, dim: int) -> Tensor:
    """TensorFlow 1's resize along one axis: output i samples at i * n / size, with no half-pixel shift."""
    n = x.shape[dim]
    position = torch.arange(size) * (n / size)
    low = position.floor().long().clamp(max=n - 1)
    high = (low + 1).clamp(max=n - 1)
    weight = (position - low).reshape([-1 if d == dim else 1 for d in range(x.dim())])
    return x.index_select(dim, low) * (1 - weight) + x.index_select(dim, high) * weight


def _squeeze(node: Node, inputs: Values) -> Tensor:
    x = inputs[0]
    axes = node.integers("squeeze_dims") or [d for d in range(x.dim()) if x.shape[d] == 1]
    for axis in sorted((a % x.dim() for a in axes), reverse=True):
        x = x.squeeze(axis)
    return x


def _strided_slice(node: Node, inputs: Values) -> Tensor:
    begin, end, step = ([int(v) for v in t] for t in inputs[1:4])

    def has(mask: str, axis: int) -> bool:
        return bool(node.integer(f"{mask}_mask") >> axis & 1)

    index: list[Any] = []
    for axis in range(len(begin)):
        if has("ellipsis", axis):
            index.append(Ellipsis)
        elif has("new_axis", axis):
            index.append(None)
        elif has("shrink_axis", axis):
            index.append(begin[axis])
        else:
            start = None if has("begin", axis) else begin[axis]
            stop = None if has("end", axis) else end[axis]
            index.append(slice(start, stop, step[axis]))
    return inputs[0][tuple(index)]


def _top_k(node: Node, inputs: Values) -> Values:
    values, indices = inputs[0].topk(int(inputs[1]))
    return [values, indices.to(torch.int32)]


def _gather_nd(node: Node, inputs: Values) -> Tensor:
    return inputs[0][tuple(inputs[1].long().unbind(-1))]


def _gather(node: Node, inputs: Values) -> Tensor:
    x, indices, axis = inputs[0], inputs[1], int(inputs[2])
    picked = x.index_select(axis, indices.reshape(-1).long())
    return picked.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


def _pad(node: Node, inputs: Values) -> Tensor:
    return F.pad(inputs[0], [int(v) for row in reversed(inputs[1].tolist()) for v in row])


def _floor_div(node: Node, inputs: Values) -> Tensor:
    return torch.div(inputs[0], inputs[1], rounding_mode="floor").to(inputs[0].dtype)


def _axes(axes: Tensor) -> list[int]:
    return [int(v) for v in axes.reshape(-1)]


def _select(node: Node, inputs: Values) -> Tensor:
    """TensorFlow 1's where: a condition of rank one chooses whole rows."""
    condition, yes, no = inputs
    if condition.dim() < yes.dim():
        condition = condition.reshape(-1, *[1] * (yes.dim() - 1))
    return torch.where(condition, yes, no)


def _concat(node: Node, inputs: Values) -> Tensor:
    return torch.cat([x.to(inputs[0].dtype) for x in inputs[:-1]], int(inputs[-1]))


OPS: dict[str, Op] = {
    "Abs": lambda node, x: x[0].abs(),
    "Add": lambda node, x: x[0] + x[1],
    "AddN": lambda node, x: torch.stack(x).sum(0),
    "AddV2": lambda node, x: x[0] + x[1],
    "ArgMax": lambda node, x: x[0].argmax(int(x[1])).to(torch.int32),
    "Cast": lambda node, x: x[0].to(node.dtype("DstT")),
    "ConcatV2": _concat,
    "Conv2D": _convolve,
    "DepthwiseConv2dNative": _convolve,
    "Equal": lambda node, x: x[0] == x[1],
    "Exp": lambda node, x: x[0].exp(),
    "ExpandDims": lambda node, x: x[0].unsqueeze(int(x[1])),
    "Fill": lambda node, x: torch.full([int(v) for v in x[0]], x[1].item(), dtype=x[1].dtype),
    "FloorDiv": _floor_div,
    "FloorMod": lambda node, x: torch.remainder(x[0], x[1]),
    "FusedDepthwiseConv2dNative": _fused,
    "GatherNd": _gather_nd,
    "GatherV2": _gather,
    "Greater": lambda node, x: x[0] > x[1],
    "GreaterEqual": lambda node, x: x[0] >= x[1],
    "Identity": lambda node, x: x[0],
    "Less": lambda node, x: x[0] < x[1],
    "LogicalAnd": lambda node, x: x[0] & x[1],
    "Max": lambda node, x: x[0].amax(_axes(x[1]), keepdim=node.flag("keep_dims")),
    "MaxPool": _max_pool,
    "Maximum": lambda node, x: torch.maximum(*torch.broadcast_tensors(*x)),
    "Mean": lambda node, x: x[0].mean(_axes(x[1]), keepdim=node.flag("keep_dims")),
    "Minimum": lambda node, x: torch.minimum(*torch.broadcast_tensors(*x)),
    "Mul": lambda node, x: x[0] * x[1],
    "Pack": lambda node, x: torch.stack(x, node.integer("axis")),
    "Pad": _pad,
    "Range": lambda node, x: torch.arange(x[0].item(), x[1].item(), x[2].item(), dtype=x[0].dtype),
    "RealDiv": lambda node, x: x[0] / x[1],
    "Reciprocal": lambda node, x: x[0].reciprocal(),
    "Relu": lambda node, x: x[0].relu(),
    "Relu6": lambda node, x: x[0].clamp(0, 6),
    "Reshape": lambda node, x: x[0].reshape([int(v) for v in x[1]]),
    "ResizeBilinear": _resize_bilinear,
    "Select": _select,
    "Shape": lambda node, x: torch.tensor(x[0].shape, dtype=torch.int32),
    "Sigmoid": lambda node, x: x[0].sigmoid(),
    "Size": lambda node, x: torch.tensor(x[0].numel(), dtype=torch.int32),
    "Split": lambda node, x: list(x[1].chunk(node.integer("num_split"), int(x[0]))),
    "Sqrt": lambda node, x: x[0].sqrt(),
    "SquaredDifference": lambda node, x: (x[0] - x[1]) ** 2,
    "Squeeze": _squeeze,
    "StridedSlice": _strided_slice,
    "Sub": lambda node, x: x[0] - x[1],
    "Sum": lambda node, x: x[0].sum(_axes(x[1]), keepdim=node.flag("keep_dims")),
    "Tile": lambda node, x: x[0].repeat([int(v) for v in x[1]]),
    "TopKV2": _top_k,
    "Unpack": lambda node, x: list(x[0].unbind(node.integer("axis"))),
    "_FusedConv2D": _fused,
}
