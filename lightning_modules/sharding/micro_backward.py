"""Several backward passes before one optimizer step, in manual optimisation, with the gradients of a single process.

What looks alike behaves differently: under DDP every backward synchronises gradients unless told not to; under
ZeRO-2 and ZeRO-3 the engine counts forwards that manual optimisation never makes, takes every backward for the last
one, and sums gradients twice, without an error.
"""

from contextlib import nullcontext
from typing import Any

import lightning as L
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor


def micro_backward(module: L.LightningModule, loss: Tensor, *, is_last: bool) -> None:
    """Add the gradient of ``loss`` to what earlier calls left; ``is_last`` completes the step's gradient.

    Divide the loss by the number of calls yourself. Every rank must make the same number of calls.

    Args:
        module: a module in manual optimisation with one optimizer.
        loss: a scalar.
        is_last: whether the optimizer steps next.
    """
    engine = zero_engine(module)
    if engine is not None:
        engine.set_gradient_accumulation_boundary(is_last)
        # ZeRO-3 resets this flag in the engine's forward, which is not called between two backwards here.
        engine.optimizer.clear_backward_seen_flag()
        module.manual_backward(loss)
        return
    optimizer = module.optimizers()
    assert isinstance(optimizer, LightningOptimizer)  # one optimizer, as the docstring says
    waiting = nullcontext() if is_last else optimizer.toggle_model(sync_grad=False)
    with waiting:
        module.manual_backward(loss)


def zero_engine(module: L.LightningModule) -> Any | None:
    """The DeepSpeed engine around the module; None without one."""
    model = module.trainer.strategy.model
    return model if hasattr(model, "set_gradient_accumulation_boundary") else None
