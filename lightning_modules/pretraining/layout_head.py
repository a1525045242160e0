"""Deep supervision of the base: its middle blocks say where people and faces are.

Flow matching hardly notices a face too many. A linear head on the noise tokens half-way through the network is asked
for the share of person pixels and for a density of faces whose sum is their number (Lempitsky and Zisserman 2010), so
that the blocks after it have a layout to draw. The idea is that of representation alignment (REPA, Yu et al. 2024),
with the true layout in the place of another network's features. The head is not written out with the model.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

DENSITY_WEIGHT = 4.0  # a density is sparse: its variance is a quarter of the person share's
COUNT_WEIGHT = 0.05


class LayoutHead(nn.Module):
    """Person share and face density of every noise token, and their error.

    Args:
        width: of the network's hidden states.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, 2)

    def forward(self, hidden: Float[Tensor, "b s c"]) -> Float[Tensor, "b s 2"]:
        """Predicted (person share, face density)."""
        return self.linear(self.norm(hidden.float()))  # type: ignore[no-any-return]

    def loss(
        self,
        hidden: Float[Tensor, "b s c"],
        people: Float[Tensor, "b s"],
        density: Float[Tensor, "b s"],
    ) -> Float[Tensor, ""]:
        """Squared errors of the share, the density, and the number of faces that the density sums to."""
        share, faces = self(hidden).unbind(-1)
        number = F.mse_loss(faces.sum(1), density.sum(1))
        return F.mse_loss(share, people) + DENSITY_WEIGHT * F.mse_loss(faces, density) + COUNT_WEIGHT * number


def face_density(place: Int[Tensor, "t 3"], side: int) -> Float[Tensor, " s"]:
    """Density of faces over ``side`` x ``side`` tokens, summing to their number.

    Args:
        place: (row, column, person) of the tokens that each face touches.
        side: tokens per row and per column.

    Returns:
        One unit per person, shared bilinearly by the tokens around the middle of its face; row by row.
    """
    density = torch.zeros(side, side)
    for person in place[:, 2].unique():
        row, column = place[place[:, 2] == person, :2].float().mean(0)
        for r in {int(row.floor()), int(row.ceil())}:
            for c in {int(column.floor()), int(column.ceil())}:
                density[r, c] += (1 - (row - r).abs()) * (1 - (column - c).abs())
    return density.flatten()
