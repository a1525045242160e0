"""LoRA sets that a phase does not train: they stand still, to the last bit, whatever the strategy.

All sets stay in the optimizer, each in a group of its own that is called like it.
"""

from collections.abc import Collection
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


def zero_of_idle(sets: nn.ModuleDict, trains: Collection[str]) -> Float[Tensor, ""]:
    """Zero, with a gradient of zero for every idle set: data-parallel training waits for one of each parameter."""
    idle = [lora for name, lora in sets.items() if name not in trains]
    sums = [parameter.sum() for lora in idle for parameter in lora.parameters()]
    if not sums:
        return torch.zeros((), device=next(sets.parameters()).device)
    return 0.0 * torch.stack(sums).sum()


def leave_idle(optimizer: torch.optim.Optimizer, trains: Collection[str], learning_rate: float) -> None:
    """Before a step: without a gradient Adam neither moves idle sets nor counts the step.

    ZeRO keeps gradients of its own and steps idle sets too, at a rate of 0: they do not move either, but their steps
    are counted. So a set whose moments are still empty begins with fresh ones. One that is trained, idles and is
    trained again (in no row of the paper's table) finds them decayed there.
    """
    for group in optimizer.param_groups:
        idle = group["name"] not in trains
        fresh = not any(_begun(optimizer.state.get(parameter, {})) for parameter in group["params"])
        group["lr"] = 0.0 if idle else learning_rate
        for parameter in group["params"]:
            if idle:
                parameter.grad = None
            elif fresh:
                optimizer.state.pop(parameter, None)


def _begun(state: dict[str, Any]) -> bool:
    """Whether Adam has seen a gradient."""
    return "exp_avg_sq" in state and bool(state["exp_avg_sq"].any())
