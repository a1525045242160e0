"""The layout that the renderer is shown while the reasoner still learns: an estimate with a gradient (Eq. (6)).

The paper writes ``M_hat = M_0 + v_hat`` with M_0 the noise: one straight step from pure noise. It is exact for an exact
velocity, wherever that is asked for; but an error e of the velocity costs e, also where the layout is almost there.
``M_t + (1 - t) v_hat`` is the same idea from any point t of the path, and costs (1 - t) e.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lightning_modules.flow.ode import euler_step
from lightning_modules.flow.path import clean_estimate, flow_matching_loss
from lightning_modules.flow.timesteps import SigmaShift, sigma_schedule

Reasoner = Callable[[Float[Tensor, "b s c"], Float[Tensor, " b"]], Float[Tensor, "b s c"]]
"""(point, sigma) to the velocity there; sigma = 1 - t is the noise level."""


class Prediction(NamedTuple):
    """What a network says at one point of the path from noise to data.

    Attributes:
        point: M_t, for a layout.
        noise: M_0, the noisy end of the path.
        sigma: 1 - t.
        velocity: noise minus data as the network sees it (the paper's v_hat with the sign turned).
    """

    point: Float[Tensor, "b s c"]
    noise: Float[Tensor, "b s c"]
    sigma: Float[Tensor, " b"]
    velocity: Float[Tensor, "b s c"]

    def loss(
        self, data: Float[Tensor, "b s c"], weight: Float[Tensor, "b s"] | None = None
    ) -> Float[Tensor, " b"]:
        """Flow matching (Eq. (1), (4) and (5)) per sample; ``weight`` says how much each token counts."""
        return flow_matching_loss(self.velocity, data, self.noise, weight)


@dataclass(frozen=True)
class LayoutEstimate:
    """How the layout is estimated; all kinds are differentiable in what the reasoner predicts.

    Attributes:
        kind: one of

            * ``general``: ``M_t + (1 - t) v_hat`` from the pass of L_reason, at whatever t it was; no extra pass. For
              the best possible velocity it is E[M | M_t].
            * ``t0``: ``M_0 + v_hat(M_0, 0)``: Eq. (6) with the velocity asked for where the equation is exact, at pure
              noise; one extra pass.
            * ``literal``: ``M_0 + v_hat(M_t, t)``: Eq. (6) to the letter with the pass of L_reason; its error is
              1 / (1 - t) times that of ``general``.
            * ``k_step_last_grad``: ``steps`` Euler steps from pure noise, as at inference, with the gradient through
              the last; ``steps`` extra passes.
        steps: of ``k_step_last_grad``.
        shift: of its schedule; FLUX's resolution shift by default.
    """

    kind: Literal["general", "t0", "literal", "k_step_last_grad"] = "general"
    steps: int = 4
    shift: SigmaShift | None = None

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps: {self.steps} must be at least 1")

    def of(self, reasoned: Prediction, reasoner: Reasoner) -> Float[Tensor, "b s c"]:
        """The estimate M_hat; ``reasoner`` is asked again by the kinds that need it."""
        if self.kind == "general":
            return clean_estimate(reasoned.point, reasoned.velocity, reasoned.sigma)
        if self.kind == "literal":
            return reasoned.noise - reasoned.velocity
        if self.kind == "t0":
            sigma = torch.ones_like(reasoned.sigma)
            return clean_estimate(reasoned.noise, reasoner(reasoned.noise, sigma), sigma)
        return self._sampled(reasoned.noise, reasoner)

    def _sampled(self, noise: Float[Tensor, "b s c"], reasoner: Reasoner) -> Float[Tensor, "b s c"]:
        sigmas = sigma_schedule(self.steps, noise.shape[1], self.shift).to(noise.device)
        x = noise
        with torch.no_grad():
            for index in range(self.steps - 1):
                x = euler_step(x, reasoner(x, sigmas[index].expand(len(x))), sigmas, index)
        last = self.steps - 1
        return euler_step(x, reasoner(x, sigmas[last].expand(len(x))), sigmas, last)
