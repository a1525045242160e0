"""One-to-one matching of least total cost (the Hungarian problem; Ar2Can Algorithm 4, Eq. (9))."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor


class Assignment(NamedTuple):
    """Matched pairs, rows rising.

    Attributes:
        rows: matched row of each pair.
        columns: its column.
    """

    rows: Int[Tensor, " p"]
    columns: Int[Tensor, " p"]

    def partners(self, rows: int) -> Int[Tensor, " n"]:
        """For each of ``rows`` rows its column, or -1 where it has none."""
        found = torch.full((rows,), -1, dtype=torch.long, device=self.rows.device)
        found[self.rows] = self.columns
        return found


def hungarian(cost: Float[Tensor, "n m"], maximize: bool = False) -> Assignment:
    """The pairs of least total cost among all matchings with the most pairs.

    Pairs whose cost is not finite are forbidden: they are never returned, and a row with no other choice
    stays alone. No rows or no columns give no pairs.

    Args:
        cost: of matching a row with a column; need not be square.
        maximize: read ``cost`` as a gain and find the greatest total.
    """
    values = cost.detach().double().cpu().numpy()
    if maximize:
        values = -values
    allowed = np.isfinite(values)
    if not allowed.any():
        nobody = torch.zeros(0, dtype=torch.long, device=cost.device)
        return Assignment(nobody, nobody)
    low, high = values[allowed].min(), values[allowed].max()
    # dearer than any exchange of allowed pairs can save, so forbidden pairs are taken only for want of others
    forbidden = high + (high - low + 1) * (min(values.shape) + 1)
    rows, columns = linear_sum_assignment(np.where(allowed, values, forbidden))
    kept = allowed[rows, columns]
    return Assignment(
        torch.from_numpy(rows[kept]).to(cost.device), torch.from_numpy(columns[kept]).to(cost.device)
    )
