"""Groups of images of one prompt, wherever they stand in a batch: means and spreads."""

from typing import NamedTuple, Self

from jaxtyping import Float, Int
from torch import Tensor

EQUAL = 1e-6
"""Spread below which the scores of a group count as equal: sums of equal fp32 numbers differ by about 1e-8."""


class Groups(NamedTuple):
    """Which group each image belongs to.

    Attributes:
        places: group of each image, numbered from 0.
        members: images per group.
    """

    places: Int[Tensor, " b"]
    members: Int[Tensor, " g"]

    @classmethod
    def of(cls, labels: Int[Tensor, " b"]) -> Self:
        """Groups by label, any integers."""
        _, places, members = labels.unique(return_inverse=True, return_counts=True)
        return cls(places, members)

    def sum(self, values: Float[Tensor, " b"]) -> Float[Tensor, " g"]:
        """Sum of each group."""
        return values.new_zeros(len(self.members)).index_add_(0, self.places, values)

    def mean(self, values: Float[Tensor, " b"]) -> Float[Tensor, " g"]:
        """Mean of each group."""
        return self.sum(values) / self.members

    def std(self, values: Float[Tensor, " b"]) -> Float[Tensor, " g"]:
        """Population standard deviation of each group."""
        return self.mean((values - self.mean(values)[self.places]).square()).sqrt()
