"""What to watch while a policy is being reinforced: hacking and collapse show here before they show in the reward."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lightning_modules.policy.surrogate import Surrogate


@dataclass
class Health:
    """Figures of one epoch.

    Attributes:
        on_policy_deviation: largest difference of a ratio from 1 before the first update.
        ratios: per pass, the mean ratio and its largest difference from 1.
        clipped: per pass, shares of images clipped below and above.
        gradient_norm: per update, before it is scaled down.
        divergence: per pass where it was measured, distance from the base model.
    """

    on_policy_deviation: float = 0.0
    ratios: list[tuple[float, float]] = field(default_factory=list)
    clipped: list[tuple[float, float]] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    divergence: list[float] = field(default_factory=list)

    def add_on_policy(self, log_ratio: Float[Tensor, " b"]) -> None:
        """Note the ratios of a pass before the first update."""
        deviation = float((log_ratio.exp() - 1).abs().max())
        self.on_policy_deviation = max(self.on_policy_deviation, deviation)

    def add(self, surrogate: Surrogate) -> None:
        """Note one pass."""
        ratio = surrogate.ratio
        self.ratios.append((float(ratio.mean()), float((ratio - 1).abs().max())))
        self.clipped.append((float(surrogate.clipped_low.mean()), float(surrogate.clipped_high.mean())))

    def figures(self) -> dict[str, float]:
        """Means over the epoch, and the largest deviations; only what was measured."""
        found: dict[str, float] = {}
        if self.ratios:
            found["on_policy_max_deviation"] = self.on_policy_deviation
            found["ratio_mean"] = _mean([mean for mean, _ in self.ratios])
            found["ratio_max_deviation"] = max(deviation for _, deviation in self.ratios)
            found["clipped_low"] = _mean([low for low, _ in self.clipped])
            found["clipped_high"] = _mean([high for _, high in self.clipped])
        for name, values in (("gradient_norm", self.gradient_norm), ("divergence", self.divergence)):
            if values:
                found[name] = _mean(values)
        return found


def pooled(figures: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The :meth:`Health.figures` of several processes as one: means of means, the largest of deviations.

    Args:
        figures: of each name, one value per process; every process makes the same number of passes of like size.
    """
    return {
        name: max(values) if name.endswith("max_deviation") else _mean(values)
        for name, values in figures.items()
    }


def diversity(latents: Float[Tensor, "b s c"], groups: Int[Tensor, " b"]) -> float:
    """Root mean square deviation of a group's images from their mean, averaged over groups; 0 when they are all one."""
    spreads = [
        latents[own].float().var(dim=0, correction=0).mean().sqrt()
        for own in (groups == g for g in groups.unique())
        if int(own.sum()) > 1
    ]
    return float(torch.stack(spreads).mean()) if spreads else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
