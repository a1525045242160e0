"""One number for a benchmark of several figures: their geometric mean."""

import torch
from jaxtyping import Float
from torch import Tensor


def unified_score(parts: Float[Tensor, "*b k"]) -> Float[Tensor, "*b"]:
    """Geometric mean of figures that are better when higher; 0 as soon as one of them is 0 or below.

    It does not depend on the units of the parts: a preference score of another range multiplies every model's result
    by the same factor and changes no order. Nor can one part buy off another, as in an arithmetic mean, where drawing
    the right number of strangers beautifully would count for much.

    Args:
        parts: the figures; a NaN (not measured) makes the result NaN.
    """
    return torch.where(parts.isnan(), parts, parts.clamp(min=0)).log().mean(dim=-1).exp()
