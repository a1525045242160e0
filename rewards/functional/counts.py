"""Is the number of people right (Ar2Can, section 3.4: r_count = 1[detected = N])."""

from jaxtyping import Float, Int
from torch import Tensor


def exact_count(pred: Int[Tensor, " b"], gt: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
    """1 where the number is right, else 0; the mean is the count accuracy."""
    return (pred == gt).float()


def count_error(pred: Int[Tensor, " b"], gt: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
    """People too many or too few; the mean is the mean absolute error."""
    return (pred - gt).abs().float()
