"""Position ids of canvas tokens: what faces that overlap share, and who stands behind (Ar2Can, section 3.5, B.4).

Every person has a canvas of their own, of which only the tokens inside their box are fed. Where boxes overlap, both
people's tokens are fed; whether they claim the same place is decided here.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from lightning_modules.backbone.positions import CONTEXT_PLANE

ShareIds = Literal["cellwise", "none", "union_affine"]


def canvas_ids(
    position: Int[Tensor, "t 2"], person: Int[Tensor, " t"], share_ids: ShareIds = "cellwise"
) -> Float[Tensor, "t 3"]:
    """The (plane, row, column) of each kept token of one scene.

    Args:
        position: row and column of each token.
        person: whose canvas it comes from.
        share_ids: what tokens of different people at one place do (the paper's words allow the first and the last):

            * ``cellwise``: all canvases lie on Kontext's plane, so tokens of one cell have equal ids (Figure 5).
            * ``none``: person i has plane 1 + i; nobody shares a place.
            * ``union_affine``: RoPE(b_i) = RoPE(b_j) = RoPE(b_i u b_j) to the letter: the grids of boxes that overlap,
              directly or through others, are stretched over the rectangle around them, at fractions of cells.

    Raises:
        ValueError: for another ``share_ids``.
    """
    ids = torch.cat([torch.full((len(position), 1), CONTEXT_PLANE), position], dim=1).float()
    if share_ids == "cellwise" or not len(position):
        return ids
    if share_ids == "none":
        ids[:, 0] += person
        return ids
    if share_ids != "union_affine":
        raise ValueError(f"share_ids: {share_ids!r}; choose cellwise, none or union_affine")
    people = person.unique()
    first = torch.stack([position[person == p].amin(dim=0) for p in people])
    last = torch.stack([position[person == p].amax(dim=0) for p in people])
    for member in _connected(_overlapping(first, last)):
        corner = first[member].amin(dim=0)
        union = last[member].amax(dim=0) + 1 - corner
        for p in member.nonzero()[:, 0].tolist():
            own = person == people[p]
            size = last[p] + 1 - first[p]
            ids[own, 1:] = corner + (position[own] - first[p] + 0.5) * union / size - 0.5
    return ids


def hidden_tokens(
    position: Int[Tensor, "t 2"], person: Int[Tensor, " t"], depth: Int[Tensor, " n"]
) -> Bool[Tensor, " t"]:
    """Tokens at a place that somebody nearer has a token at.

    Args:
        position: row and column of each token.
        person: whose canvas it comes from.
        depth: of each person, 0 nearest; people of equal depth do not hide each other.
    """
    same = (position[:, None] == position[None]).all(dim=-1)
    nearer = depth[person][None] < depth[person][:, None]
    return (same & nearer).any(dim=1)


def _overlapping(first: Int[Tensor, "n 2"], last: Int[Tensor, "n 2"]) -> Bool[Tensor, "n n"]:
    return ((first[:, None] <= last[None]) & (first[None] <= last[:, None])).all(dim=-1)


def _connected(linked: Bool[Tensor, "n n"]) -> Bool[Tensor, "m n"]:
    """The members of each connected component."""
    count, component = connected_components(linked.cpu().numpy(), directed=False)
    return torch.from_numpy(component).to(linked.device) == torch.arange(count, device=linked.device)[:, None]
