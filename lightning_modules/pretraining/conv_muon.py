"""Muon for convolutions: each kernel is orthogonalised as a matrix of output channels by everything else.

``torch.optim.Muon`` takes matrices only. The iteration, its coefficients, the Nesterov momentum and the step's scale
(``match_rms_adamw``) are the same here, so that on a 1 x 1 kernel both take equal steps.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.775, 2.0315)  # of torch.optim.Muon


def orthogonalize(matrix: Float[Tensor, "m n"], iterations: int) -> Float[Tensor, "m n"]:
    """The nearest matrix with about equal singular values, by Newton-Schulz iteration in bfloat16."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).bfloat16()
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.T if tall else x).float()


class ConvMuon(torch.optim.Optimizer):
    """Momentum, then an orthogonalised step, for kernels of any number of dimensions above one.

    Args:
        params: kernels; the first dimension is the output channel.
        lr: learning rate, on AdamW's scale.
        momentum: of the Nesterov average.
        weight_decay: decoupled.
        ns_steps: Newton-Schulz iterations.

    Raises:
        ValueError: if a parameter has fewer than two dimensions.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float = 1e-3,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
        ns_steps: int = 4,
    ) -> None:
        kernels = list(params)
        for kernel in kernels:
            if kernel.ndim < 2:
                raise ValueError(f"params: a vector of shape {tuple(kernel.shape)}; give it to AdamW instead")
        super().__init__(
            kernels, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "ns_steps": ns_steps}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One update of every kernel that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for kernel in group["params"]:
                if kernel.grad is not None:
                    self._update(kernel, group)
        return loss

    def _update(self, kernel: Tensor, group: dict[str, Any]) -> None:
        gradient = kernel.grad
        assert gradient is not None  # step skips kernels without one
        state = self.state[kernel]
        if not state:
            state["momentum"] = torch.zeros_like(kernel)
        state["momentum"].lerp_(gradient, 1 - group["momentum"])
        direction = gradient.lerp(state["momentum"], group["momentum"]).flatten(1)
        step = orthogonalize(direction, group["ns_steps"]).view(kernel.shape)
        kernel.mul_(1 - group["lr"] * group["weight_decay"])
        kernel.add_(step, alpha=-0.2 * max(direction.shape) ** 0.5 * group["lr"])
