"""What the Artist is shown: reference faces pasted where they shall appear."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from datamodules.schema.layout import Layout


@dataclass(frozen=True)
class Canvas:
    """One blank canvas per person with that person's face pasted in (Ar2Can Algorithm 1, Appendix C.1).

    Attributes:
        images: RGB in [0, 1].
        keep: latent tokens (16 x 16 px) that are fed to the model; the others are dropped (Ar2Can, section 3.5).
        layout: the plan the canvases were drawn from.
    """

    images: Float[Tensor, "b n 3 h w"]
    keep: Bool[Tensor, "b n hp wp"]
    layout: Layout
