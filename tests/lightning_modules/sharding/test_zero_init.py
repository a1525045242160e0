"""Unsharded behaviour; ``test_zero_strategy.py`` runs the same functions on parameters cut up by ZeRO-3."""

import pytest
import torch
from diffusers import FluxTransformer2DModel
from safetensors.torch import save_file
from torch import nn

from lightning_modules.sharding.zero_init import (
    built_sharded,
    cast,
    gathered,
    initialize,
    is_partitioned,
    load_weights,
    parameter_bytes,
    tensor_files,
)


class Net(nn.Module):
    """Parameters of its own, of a child, and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.randn(3))
        self.child = nn.Linear(3, 2)
        self.register_buffer("mean", torch.randn(3))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)


@pytest.mark.parametrize("shard_size", ["10GB", "200KB"])
def test_load_weights_equals_from_pretrained(tmp_path, shard_size):
    size = {
        "in_channels": 16,
        "num_layers": 1,
        "num_single_layers": 1,
        "attention_head_dim": 16,
        "num_attention_heads": 2,
        "joint_attention_dim": 32,
        "pooled_projection_dim": 32,
        "axes_dims_rope": (4, 4, 8),
    }
    FluxTransformer2DModel(**size).save_pretrained(tmp_path, max_shard_size=shard_size)
    assert (len(list(tmp_path.glob("*.safetensors"))) > 1) is (shard_size == "200KB")
    theirs = FluxTransformer2DModel.from_pretrained(tmp_path)
    ours = FluxTransformer2DModel(**size)
    load_weights(ours, tmp_path)
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor), name


def test_load_weights_fills_parameters_and_persistent_buffers_in_their_own_dtype(tmp_path):
    source, target = Net(), Net().to(torch.bfloat16)
    save_file(source.state_dict(), tmp_path / "net.safetensors")
    load_weights(target, tmp_path / "net.safetensors")
    for name, tensor in target.state_dict().items():
        assert torch.equal(tensor, source.state_dict()[name].to(torch.bfloat16)), name


def test_load_weights_names_what_does_not_fit(tmp_path):
    state = Net().state_dict()
    save_file({**state, "extra": torch.zeros(1)}, tmp_path / "extra.safetensors")
    with pytest.raises(ValueError, match=r"1 unexpected \['extra'\]"):
        load_weights(Net(), tmp_path / "extra.safetensors")
    save_file({k: v for k, v in state.items() if k != "mean"}, tmp_path / "less.safetensors")
    with pytest.raises(ValueError, match=r"1 tensors missing \['mean'\]"):
        load_weights(Net(), tmp_path / "less.safetensors")
    # (3,) would broadcast into (2, 3) without a word.
    save_file({**state, "child.weight": torch.zeros(3)}, tmp_path / "shape.safetensors")
    with pytest.raises(
        ValueError, match=r"child.weight has shape \(3,\), the configured model wants \(2, 3\)"
    ):
        load_weights(Net(), tmp_path / "shape.safetensors")


def test_tensor_files_refuses_an_empty_folder_and_a_missing_file(tmp_path):
    with pytest.raises(ValueError, match=r"no \.safetensors file there"):
        tensor_files(tmp_path)
    with pytest.raises(ValueError, match=r"no \.safetensors file there"):
        tensor_files(tmp_path / "missing.safetensors")


def test_initialize_runs_the_initialiser_once():
    net = Net()
    initialize(net, lambda: nn.init.constant_(net.child.weight, 3.0))
    assert torch.equal(net.child.weight, torch.full((2, 3), 3.0))
    assert not built_sharded()
    with gathered(net.parameters()):
        assert not any(is_partitioned(p) for p in net.parameters())


def test_parameter_bytes_counts_dtype_and_leaves_out_buffers():
    count = parameter_bytes(Net().to(torch.bfloat16))
    assert (count.local, count.total) == (22, 22)


def test_cast_converts_what_is_whole_and_refuses_foreign_shards():
    net = Net()
    cast(net, torch.bfloat16)
    assert net.scale.dtype == net.mean.dtype == torch.bfloat16
    # What ZeRO-3 leaves behind: an empty tensor, an id, and the shard.
    net.scale.ds_id, net.scale.ds_tensor = 0, torch.zeros(2)
    with pytest.raises(ValueError, match=r"it was sharded in torch.float32; .*ZeroStrategy"):
        cast(net, torch.bfloat16)
