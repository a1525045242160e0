"""Export to ONNX and its check against torch."""

from pathlib import Path

import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from rewards.real_parts.catalogue import PARTS
from rewards.real_parts.convert import CONVERSIONS, export, prepare_part
from rewards.real_parts.fetch import PartError, part_path


class _Forgetful(nn.Module):
    """Computes something else at each call, as a graph does whose tracing froze a branch."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rand(1)


def test_an_exported_graph_computes_what_the_module_computes(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten())
    export(network, torch.rand(1, 3, 8, 8), tmp_path / "n.onnx", ["features"], batched=True)
    session = onnxruntime.InferenceSession(str(tmp_path / "n.onnx"))
    images = torch.rand(5, 3, 8, 8)
    (features,) = session.run(["features"], {"input.1": images.numpy()})
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(features), network(images), atol=1e-5, rtol=1e-4)


def test_a_graph_that_disagrees_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PartError, match=r"n\.onnx: output y of the exported graph is off"):
        export(_Forgetful(), torch.rand(1, 3, 8, 8), tmp_path / "n.onnx", ["y"])


def test_every_part_has_a_conversion() -> None:
    assert CONVERSIONS.keys() == PARTS.keys()


def test_a_finished_part_is_not_made_again(tmp_path: Path) -> None:
    folder = part_path(PARTS["persons"], tmp_path)
    folder.mkdir(parents=True)
    (folder / "centernet_yolox.onnx").write_bytes(b"as it was")
    assert prepare_part("persons", tmp_path) == folder
    assert (folder / "centernet_yolox.onnx").read_bytes() == b"as it was"
    assert [p.name for p in (tmp_path / "real_parts").iterdir()] == [folder.name]
