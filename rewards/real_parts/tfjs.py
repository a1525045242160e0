"""TensorFlow.js graph models as torch modules: read ``model.json`` and its weight shards, run the graph node by node.

Covers the operations of the networks in the catalogue (``tfjs_ops``), not all of TensorFlow.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rewards.real_parts.tfjs_ops import OPS, Node

STORED = {"float32": "<f4", "int32": "<i4", "float16": "<f2", "uint8": "u1", "uint16": "<u2", "bool": "u1"}
LOADED = {"float32": np.float32, "int32": np.int32, "bool": np.bool_}


def read_weights(manifest: list[dict[str, Any]], folder: Path) -> dict[str, Tensor]:
    """The tensors of a TensorFlow.js weight manifest.

    Quantised weights are stored as small integers q and mean ``q * scale + min``; float16 ones are just widened.

    Args:
        manifest: ``weightsManifest`` of a model.json, or the content of a ``*-weights_manifest.json``.
        folder: where the shard files named by the manifest are.

    Raises:
        ValueError: when the shards are longer or shorter than the manifest says.
    """
    weights: dict[str, Tensor] = {}
    for group in manifest:
        buffer = b"".join((folder / path).read_bytes() for path in group["paths"])
        offset = 0
        for entry in group["weights"]:
            array, size = _read_array(entry, buffer, offset)
            weights[entry["name"]] = torch.from_numpy(array)
            offset += size
        if offset != len(buffer):
            raise ValueError(
                f"{folder}: weight shards hold {len(buffer)} bytes, the manifest describes {offset}"
            )
    return weights


def _read_array(entry: dict[str, Any], buffer: bytes, offset: int) -> tuple[np.ndarray, int]:
    """One tensor of the manifest and the bytes it took."""
    quantization = entry.get("quantization") or {}
    stored = np.dtype(STORED[quantization.get("dtype", entry["dtype"])])
    count = int(np.prod(entry["shape"], dtype=np.int64))
    if offset + count * stored.itemsize > len(buffer):
        raise ValueError(
            f"weight {entry['name']}: the shard ends before byte {offset + count * stored.itemsize}"
        )
    array = np.frombuffer(buffer, stored, count, offset).reshape(entry["shape"])
    if "scale" in quantization:
        array = array * quantization["scale"] + quantization["min"]
    return array.astype(LOADED[entry["dtype"]]), count * stored.itemsize


class TfjsGraph(nn.Module):
    """A TensorFlow.js graph model with one input.

    Args:
        model_json: path of the model's JSON file; the weight shards are beside it.

    Raises:
        ValueError: when the graph uses an operation that ``tfjs_ops`` does not have.
    """

    def __init__(self, model_json: Path) -> None:
        super().__init__()
        document = json.loads(Path(model_json).read_text())
        self.weights = read_weights(document["weightsManifest"], Path(model_json).parent)
        self.nodes = {raw["name"]: Node.from_json(raw) for raw in document["modelTopology"]["node"]}
        signature = (
            document.get("signature") or (document.get("userDefinedMetadata") or {}).get("signature") or {}
        )
        self.outputs = {key: value["name"] for key, value in signature.get("outputs", {}).items()}
        if not self.outputs:
            consumed = {_producer(i) for node in self.nodes.values() for i in node.inputs}
            self.outputs = {
                n.name: n.name for n in self.nodes.values() if n.name not in consumed and n.op != "Const"
            }
        self.order = self._topological_order()
        unknown = {self.nodes[n].op for n in self.order} - set(OPS) - {"Const", "Placeholder"}
        if unknown:
            raise ValueError(
                f"{model_json}: operations {sorted(unknown)} are not in rewards.real_parts.tfjs_ops"
            )

    def _topological_order(self) -> list[str]:
        """Nodes that the outputs need, producers first."""
        order: list[str] = []
        seen: set[str] = set()
        stack = [(_producer(name), False) for name in self.outputs.values()]
        while stack:
            name, ready = stack.pop()
            if ready:
                order.append(name)
            elif name not in seen:
                seen.add(name)
                stack.append((name, True))
                stack += [(_producer(i), False) for i in self.nodes[name].inputs]
        return order

    @torch.no_grad()
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """All outputs by the name the model's signature gives them; ``x`` feeds the placeholder."""
        values: dict[str, Tensor | list[Tensor]] = {}
        for name in self.order:
            node = self.nodes[name]
            if node.op == "Const":
                values[name] = self.weights[name]
            elif node.op == "Placeholder":
                values[name] = x
            else:
                values[name] = OPS[node.op](node, [_lookup(values, i) for i in node.inputs])
        return {key: _lookup(values, name) for key, name in self.outputs.items()}


def _producer(reference: str) -> str:
    return reference.partition(":")[0]


def _lookup(values: dict[str, Tensor | list[Tensor]], reference: str) -> Tensor:
    name, _, output = reference.partition(":")
    value = values[name]
    return value[int(output or 0)] if isinstance(value, list) else value
