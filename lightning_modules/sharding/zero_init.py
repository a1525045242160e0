"""Values for parameters that ZeRO-3 has already cut into shards.

Lightning runs ``configure_model`` inside ``deepspeed.zero.Init``: each parameter is cut up the moment its module
is built, and what a rank then holds is empty. An initialiser that runs later (LoRA's zero B, a zeroed output layer)
acts on the empty tensor, silently; ``from_pretrained`` fails. The functions here gather the parameters first. On
parameters that are not cut up they do the plain thing, so a model calls them always and never asks where it runs.

All functions are collective: every rank calls them, in the same order.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn


def is_partitioned(parameter: Tensor) -> bool:
    """Whether ZeRO-3 has cut this parameter up, so that its own data is empty."""
    return hasattr(parameter, "ds_id")


def built_sharded() -> bool:
    """Whether a module built here and now would be cut up at once, so that ``from_pretrained`` would fail."""
    return is_partitioned(nn.Linear(1, 1).weight)


@contextmanager
def gathered(parameters: Iterable[Tensor], writable: bool = False) -> Iterator[None]:
    """The parameters in full on every rank; with ``writable``, what rank 0 writes is what all ranks keep."""
    partitioned = [p for p in parameters if is_partitioned(p)]
    if not partitioned:
        yield
        return
    import deepspeed

    with deepspeed.zero.GatheredParameters(partitioned, modifier_rank=0 if writable else None):
        yield


def initialize(module: nn.Module, init: Callable[[], object]) -> None:
    """Run an initialiser of ``module``'s own parameters and its children's as if nothing were sharded.

    Args:
        module: whose parameters ``init`` writes.
        init: writes them in place, for instance ``layer.reset_parameters``.
    """
    with gathered(module.parameters(), writable=True):
        init()


@contextmanager
def sharded_in(dtype: torch.dtype) -> Iterator[None]:
    """Modules built inside are cut up in ``dtype``; where nothing is cut up, they are built as ever."""
    with torch.random.fork_rng(devices=[]):  # asking moves nobody's random numbers
        sharded = built_sharded()
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype if sharded else before)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def cast(module: nn.Module, dtype: torch.dtype) -> None:
    """Bring a module's parameters and buffers to ``dtype``; shards must have it already, see :func:`sharded_in`.

    Raises:
        ValueError: if the module is sharded in another dtype. Casting would change the empty remains only.
    """
    sharded = {getattr(p, "ds_tensor", p).dtype for p in module.parameters() if is_partitioned(p)}
    if not sharded:
        # Past diffusers' own ``to``, which warns of layers kept in float32 where there are none.
        nn.Module.to(module, dtype)
    elif sharded != {dtype}:
        raise ValueError(
            f"dtype: the backbone asks for {dtype}, but it was sharded in "
            f"{', '.join(map(str, sorted(sharded, key=str)))}; choose a strategy of configs/trainer/ (ZeroStrategy), "
            "which leaves the dtype to the backbone"
        )


def load_weights(module: nn.Module, source: Path) -> None:
    """Copy safetensors weights into ``module``, one submodule at a time, sharded or not.

    Under ZeRO-3 rank 0 reads the tensors and the host never holds more than one submodule in full.

    Args:
        module: parameters and buffers are overwritten in place and keep their dtype.
        source: one ``.safetensors`` file, or a folder whose ``.safetensors`` files together hold the weights.
            Every rank reads the files' headers.

    Raises:
        ValueError: if there is no such file, or its names or shapes are not the module's.
    """
    files = tensor_files(source)
    _check_fit(module, files, source)
    for prefix, child in module.named_modules():
        own = {f"{prefix}.{name}" if prefix else name: p for name, p in child.named_parameters(recurse=False)}
        persistent = {
            key: value
            for name, value in child.named_buffers(recurse=False)
            if (key := f"{prefix}.{name}" if prefix else name) in files
        }
        with gathered(own.values(), writable=True):
            _copy({**own, **persistent}, files)


def tensor_files(source: Path) -> dict[str, Path]:
    """The file that holds each tensor of a safetensors file, or of a folder of them.

    Raises:
        ValueError: if there is no such file, or the folder holds none.
    """
    paths = sorted(source.glob("*.safetensors")) if source.is_dir() else [source]
    if not paths or not paths[0].is_file():
        raise ValueError(
            f"source={str(source)!r}: no .safetensors file there; give a file or a folder that holds some"
        )
    found: dict[str, Path] = {}
    for path in paths:
        with safe_open(path, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - a safetensors handle is not iterable
                found.setdefault(key, path)
    return found


@dataclass(frozen=True)
class ParameterBytes:
    """What one rank holds of a model.

    Attributes:
        local: bytes of parameters kept by this rank between steps.
        total: bytes of the whole model's parameters.
    """

    local: int
    total: int


def parameter_bytes(module: nn.Module) -> ParameterBytes:
    """Count parameter bytes on this rank and in all; process memory says nothing for a small model."""
    local = total = 0
    for p in module.parameters():
        shard = getattr(p, "ds_tensor", p)
        local += shard.numel() * shard.element_size()
        total += getattr(p, "ds_numel", p.numel()) * p.element_size()
    return ParameterBytes(local=local, total=total)


def _check_fit(module: nn.Module, files: dict[str, Path], source: Path) -> None:
    # From headers alone and on every rank: an error on one rank would leave the others waiting for it.
    wanted = module.state_dict(keep_vars=True)
    missing, unexpected = sorted(set(wanted) - set(files)), sorted(set(files) - set(wanted))
    if missing or unexpected:
        raise ValueError(
            f"source={str(source)!r} does not fit {type(module).__name__}: {len(missing)} tensors missing "
            f"{missing[:3]}, {len(unexpected)} unexpected {unexpected[:3]}; check the configuration against the file"
        )
    for key, target in wanted.items():
        with safe_open(files[key], framework="pt") as file:
            stored = tuple(file.get_slice(key).get_shape())
        shape = tuple(getattr(target, "ds_shape", target.shape))
        if stored != shape:
            raise ValueError(
                f"source={str(source)!r}: {key} has shape {stored}, the configured model wants {shape}; "
                "check the configuration against the file"
            )


@torch.no_grad()
def _copy(targets: dict[str, Tensor], files: dict[str, Path]) -> None:
    for key, target in targets.items():
        if is_partitioned(target) and torch.distributed.get_rank() != 0:
            continue
        with safe_open(files[key], framework="pt") as file:
            target.data.copy_(file.get_tensor(key))
