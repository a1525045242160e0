"""What a published benchmark asks of one image, as its judges see it."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Asked:
    """One case, looked at.

    Attributes:
        references: identity embeddings of the reference faces; None where one of them cannot be had.
        truth: the true image, RGB in [0, 1], where the benchmark has one.
        truth_faces: identity embeddings of the faces in it.
        questions: what a vision-language model is asked about the image.
        is_complex: whether the actions asked about are the complex ones; None where the benchmark does not say.
    """

    references: Float[Tensor, "n d"] | None
    truth: Float[Tensor, "3 h w"] | None = None
    truth_faces: Float[Tensor, "o d"] | None = None
    questions: tuple[str, ...] = ()
    is_complex: bool | None = None
