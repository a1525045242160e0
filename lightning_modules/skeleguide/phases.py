"""What is trained when, on what, and how much it counts (SkeleGuide, section 3.3, Figure 2).

One module goes through all phases; it reads the row it is in and has no case distinction of its own. When to go on to
the next row is decided by ``callbacks.phase_schedule.PhaseSchedule``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

SKELETAL, APPEARANCE = "skeletal", "appearance"
"""The two LoRA sets: one turns the backbone into the reasoner, the other into the renderer."""

REASON, RENDER = "reason", "render"
"""The two losses."""

RendererSees = Literal["true_layout", "predicted_layout", "detached_layout"]


@dataclass(frozen=True)
class Phase:
    """One row.

    Attributes:
        name: of the phase.
        trains: LoRA sets that are moved; the others stay as they are, to the last bit.
        weights: factor of each loss; a loss without one is not computed.
        renderer_sees: the condition of the renderer: the true layout M, the reasoner's estimate of it with the
            gradient flowing back (the paper's phase 2), or the same estimate with the gradient cut (an ablation).
    """

    name: str
    trains: tuple[str, ...]
    weights: dict[str, float]
    renderer_sees: RendererSees = "true_layout"

    def __post_init__(self) -> None:
        if not self.trains:
            raise ValueError(f"trains: phase {self.name!r} trains no LoRA set; name at least one")
        if not self.weights or min(self.weights.values()) <= 0:
            raise ValueError(
                f"weights: {self.weights} of phase {self.name!r}; give positive factors and leave out losses that do "
                "not count"
            )


SKELEGUIDE_PHASES = (
    Phase("reason", (SKELETAL,), {REASON: 1.0}),
    Phase("joint", (SKELETAL, APPEARANCE), {REASON: 0.5, RENDER: 1.0}, "predicted_layout"),
    Phase("render", (APPEARANCE,), {RENDER: 1.0}, "true_layout"),
)
"""The paper's three phases, with lambda_reason = 0.5 and lambda_render = 1 in the second."""


def phase_named(name: str, phases: Sequence[Phase]) -> Phase:
    """The row called ``name``.

    Raises:
        ValueError: if there is none.
    """
    for phase in phases:
        if phase.name == name:
            return phase
    raise ValueError(f"phase: {name!r}; there are {[phase.name for phase in phases]}")
