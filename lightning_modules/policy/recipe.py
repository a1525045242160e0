"""The numbers of group-relative policy optimisation."""

from dataclasses import dataclass
from typing import Literal

from lightning_modules.policy.surrogate import Divergence


@dataclass(frozen=True)
class GRPORecipe:
    """How the policy is moved.

    Attributes:
        learning_rate: of AdamW, on the LoRA set.
        weight_decay: of AdamW.
        micro_batch: images per forward pass, in drawing and in learning alike (else the ratio is not exactly 1).
        updates: optimizer steps per epoch; the first is on-policy.
        clip: range of the ratio, given for latents of FLUX at 512 x 512 and rescaled to the latents at hand.
        shared_noise: let all images of a group start from the same noise, as DanceGRPO does: they then differ by what
            random steps made of it alone.
        ratio_norm: use GRPO-Guard's normalised log-ratio instead of the raw one.
        aggregate: how several rewards become one advantage.
        spread: what advantages are divided by.
        advantage_limit: advantages are clamped to this.
        divergence: which distance from the base model is measured.
        divergence_weight: factor of it in the loss; at 0 it is measured once per epoch and not trained.
        max_gradient_norm: gradients are scaled down to this norm.
        on_policy_tolerance: training stops if a ratio differs from 1 by more before the first update.
        seed: of noise and random steps.
    """

    learning_rate: float = 1e-4
    weight_decay: float = 1e-4
    micro_batch: int = 8
    updates: int = 2
    clip: float = 1e-4
    shared_noise: bool = False
    ratio_norm: bool = False
    aggregate: Literal["sum", "gdpo"] = "sum"
    spread: Literal["group", "global"] = "group"
    advantage_limit: float = 5.0
    divergence: Divergence = "velocity"
    divergence_weight: float = 0.0
    max_gradient_norm: float = 1.0
    on_policy_tolerance: float = 2e-5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("micro_batch", "updates"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} must be at least 1")
