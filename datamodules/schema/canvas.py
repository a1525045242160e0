"""What the Artist is shown: reference faces pasted where they shall appear."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class Canvases:
    """The canvases of one scene, one per person (Ar2Can Algorithm 1, Appendix C.1).

    Attributes:
        images: RGB in [0, 1]; blank but for the person's face, and their skeleton where poses are shown.
        keep: tokens (16 x 16 px) that are fed to the model; the others are dropped (Ar2Can, section 3.5).
    """

    images: Float[Tensor, "n 3 h w"]
    keep: Bool[Tensor, "n hp wp"]

    def __len__(self) -> int:
        return len(self.images)
