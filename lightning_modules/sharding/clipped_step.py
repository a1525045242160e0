"""One optimizer step with the gradient's norm limited, in manual optimisation, under every strategy.

Lightning refuses ``gradient_clip_val`` where a module optimises by hand. Torch's own clipping is right in one process
and under DDP; under ZeRO it sees no gradient at all (DeepSpeed keeps them), scales nothing and says nothing.
"""

from collections.abc import Iterable

import lightning as L
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn

from lightning_modules.sharding.micro_backward import zero_engine


def clipped_step(module: L.LightningModule, parameters: Iterable[Tensor], max_norm: float) -> float:
    """Scale the gradient down to ``max_norm`` where it is longer, and step.

    Collective under ZeRO: every rank calls it.

    Args:
        module: a module in manual optimisation with one optimizer, after the step's last backward.
        parameters: what the optimizer trains.
        max_norm: largest Euclidean norm of all gradients together, those of all ranks averaged.

    Returns:
        The norm before it was limited.
    """
    optimizer = module.optimizers()
    assert isinstance(optimizer, LightningOptimizer)  # one optimizer, as the docstring says
    engine = zero_engine(module)
    if engine is None:
        norm = float(nn.utils.clip_grad_norm_(parameters, max_norm))
        optimizer.step()
        return norm
    # Here and not in DeepSpeed's configuration: resuming restores whatever limit the checkpoint was written with.
    engine.optimizer.clip_grad = max_norm
    optimizer.step()
    return float(engine.get_global_grad_norm())
