"""Which values lie far from the middle half of their sample."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

WHISKER = 1.5


def within_fences(values: Float[Tensor, " n"], whisker: float = WHISKER) -> Bool[Tensor, " n"]:
    """Tukey's fences: at most ``whisker`` inter-quartile ranges below the lower or above the upper quartile.

    Args:
        values: the sample; NaN is left out of the quartiles and counts as outside.
        whisker: reach of the fences.

    Raises:
        ValueError: if ``whisker`` is negative.
    """
    if whisker < 0:
        raise ValueError(f"whisker: {whisker} must be at least 0; 1.5 is Tukey's")
    if not len(values):
        return torch.zeros(0, dtype=torch.bool)
    low, high = (values.double().nanquantile(q) for q in (0.25, 0.75))
    reach = whisker * (high - low)
    return (values >= low - reach) & (values <= high + reach)
