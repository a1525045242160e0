"""A GPU that is not there: tensors that say they are on one, compute on the CPU, and refuse what a GPU refuses.

Unlike torch's fake tensors they hold numbers, so code that looks at them runs, whole trainings included.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map_only

DEVICE = torch.device("lazy:0")
"""A device of torch's that nothing serves here: nothing but this file computes on it."""
INDEXING = ("aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_")
"""Tensors of a GPU may be indexed by those of the CPU."""
CROSSING = ("aten::_to_copy", "aten::copy_", "aten::_has_compatible_shallow_copy_type")
"""What is done between devices."""


class Elsewhere(Tensor):
    """A tensor of the pretended device around the real one."""

    @staticmethod
    def __new__(cls, real: Tensor) -> Tensor:
        return Tensor._make_wrapper_subclass(
            cls,
            real.shape,
            strides=real.stride(),
            storage_offset=real.storage_offset(),
            dtype=real.dtype,
            device=DEVICE,
        )

    def __init__(self, real: Tensor) -> None:
        self.held = real

    def __repr__(self) -> str:
        return f"Elsewhere({self.held})"

    def tolist(self) -> Any:
        return self.held.tolist()

    def __tensor_flatten__(self) -> tuple[list[str], None]:
        return ["held"], None  # so that modules take the whole tensor when they are moved, not its data alone

    @staticmethod
    def __tensor_unflatten__(held: dict[str, Tensor], *_: Any) -> Tensor:
        return Elsewhere(held["held"])

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class _Mode(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class _Constructors(TorchFunctionMode):
    """``torch.tensor`` fills its tensor past the dispatcher: it does so on the CPU first."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func not in (torch.tensor, torch.as_tensor, Tensor.new_tensor):
            return func(*args, **kwargs)
        device = kwargs.pop("device", None)
        if func is Tensor.new_tensor:
            device, kwargs["dtype"] = device or args[0].device, kwargs.get("dtype", args[0].dtype)
            func, args = torch.tensor, args[1:]
        made = func(*args, **kwargs)
        return made if device is None else made.to(device)


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Compute on the CPU; the result is where a real device would have put it.

    Raises:
        RuntimeError: as torch does, if tensors of both devices meet; only single numbers of the CPU may.
    """
    if torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd"):
        with _Mode():  # in inference mode they come as they are
            return func.decompose(*args, **kwargs)
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
    there = any(isinstance(x, Elsewhere) for x in tensors)
    name = func.name().split(".")[0]
    if there and name not in CROSSING:
        bound = [args[0]] if name in INDEXING else tensors
        if not all(isinstance(x, Elsewhere) or x.ndim == 0 for x in bound):
            devices = [f"{x.device}{tuple(x.shape)}" for x in tensors]
            raise RuntimeError(
                f"Expected all tensors to be on the same device, but {name} got {', '.join(devices)}"
            )
    device = kwargs.get("device")
    if device is not None:
        there = torch.device(device).type == DEVICE.type
        kwargs = {**kwargs, "device": torch.device("cpu")}
    if name == "aten::copy_":
        there = isinstance(args[0], Elsewhere)
    real_args, real_kwargs = tree_map_only(Elsewhere, lambda x: x.held, (args, kwargs))
    out = func(*real_args, **real_kwargs)
    if not there:
        return args[0] if name == "aten::copy_" else out
    out = tree_map_only(Tensor, Elsewhere, out)
    return out if device is not None else return_and_correct_aliasing(func, args, kwargs, out)


@contextmanager
def pretended_device() -> Iterator[torch.device]:
    """The device, which code that is run inside may use."""
    with _Constructors(), _Mode():
        yield DEVICE


class _Accelerator(CPUAccelerator):
    def setup_device(self, device: torch.device) -> None:
        """Nothing is to be set up."""


def pretended_strategy() -> SingleDeviceStrategy:
    """For a trainer whose module shall be on the device."""
    return SingleDeviceStrategy(DEVICE, accelerator=_Accelerator())
