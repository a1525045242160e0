"""How much better an image is than the others drawn for the same prompt (Ar2Can, section 3.3.2)."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rewards.functional.groups import EQUAL, Groups


class Advantages(NamedTuple):
    """Advantages of a batch of images.

    Attributes:
        values: in fp32; exactly 0 where nothing can be learned.
        informative: False for images whose group is equal in every trained reward: leave them out of the update.
        equal_groups: share of groups that are equal in every trained reward.
    """

    values: Float[Tensor, " b"]
    informative: Bool[Tensor, " b"]
    equal_groups: float


def group_advantages(
    rewards: Float[Tensor, "k b"],
    weights: Float[Tensor, " k"],
    groups: Int[Tensor, " b"],
    aggregate: Literal["sum", "gdpo"] = "sum",
    spread: Literal["group", "global"] = "group",
    epsilon: float = 1e-4,
    limit: float = 5.0,
) -> Advantages:
    """``A_i = (r_i - mean) / (std + epsilon)`` within each group, by population standard deviation, in float64.

    A reward that is NaN for an image (not asked for, not to be had) counts as its group's mean: it neither helps nor
    harms the image. Rewards with weight 0 are left out.

    Args:
        rewards: scaled scores, one row per reward.
        weights: of the rows.
        groups: group of each image, any integers; a group may be spread over the batch.
        aggregate: ``sum`` weights and adds the rewards, then normalises (Ar2Can); ``gdpo`` normalises each reward,
            then weights and adds, so that a reward of large range cannot drown the others (GDPO, MixGRPO).
        spread: divide by the deviation of the ``group`` (as printed in Ar2Can), or by that of all images (``global``,
            the public framework's default).
        epsilon: keeps groups with little spread from being blown up.
        limit: advantages are clamped to plus and minus this.

    Raises:
        ValueError: if a group has a single image, whose advantage could only be 0.
    """
    within = Groups.of(groups)
    alone = int((within.members < 2).sum())
    if alone:
        raise ValueError(f"groups: {alone} of {len(within.members)} have one image; draw at least two each")
    used = weights != 0
    rows, factors = rewards[used].double(), weights[used].double()
    centred = torch.stack([_centred(row, within) for row in rows])
    equal = (torch.stack([within.std(row) for row in centred]) < EQUAL).all(dim=0)
    if aggregate == "sum":
        values = _normalized((factors[:, None] * centred).sum(dim=0), within, spread, epsilon)
    else:
        parts = torch.stack([_normalized(row, within, spread, epsilon) for row in centred])
        values = (factors[:, None] * parts).sum(dim=0)
    informative = ~equal[within.places]
    values = torch.where(informative, values.clamp(-limit, limit), torch.zeros_like(values))
    return Advantages(values.float(), informative, float(equal.double().mean()))


def _centred(row: Float[Tensor, " b"], within: Groups) -> Float[Tensor, " b"]:
    """Differences from the mean of what is known in the group; 0 for what is not."""
    known = row.isfinite()
    mean = within.sum(torch.where(known, row, 0.0)) / within.sum(known.to(row.dtype)).clamp(min=1)
    return torch.where(known, row - mean[within.places], 0.0)


def _normalized(
    centred: Float[Tensor, " b"], within: Groups, spread: str, epsilon: float
) -> Float[Tensor, " b"]:
    if spread == "global":
        return centred / (centred.square().mean().sqrt() + epsilon)
    deviation = within.std(centred)[within.places]
    return torch.where(deviation < EQUAL, torch.zeros_like(centred), centred / (deviation + epsilon))
