"""What the face detector is taught: dense targets from boxes and landmarks, and its losses.

Centre points as in CenterNet (Zhou et al. 2019): a Gaussian bump per face on the heatmap; the 3 x 3 cells around
the centre regress the box and the landmarks of the face they are nearest to.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from rewards.analyzers.tiny_networks import BOX_UNIT, GRID


class DetectorTargets(NamedTuple):
    """Dense targets.

    Attributes:
        heatmap: 1 at the cell of each face centre, falling off around it.
        regression: box sides and landmarks as in ``DetectorOutput``, zero where not positive.
        positive: cells that regress.
    """

    heatmap: Float[Tensor, "b g g"]
    regression: Float[Tensor, "b 14 g g"]
    positive: Bool[Tensor, "b g g"]


def detector_targets(
    boxes: Float[Tensor, "b n 4"],
    landmarks: Float[Tensor, "b n 5 2"],
    valid: Bool[Tensor, "b n"],
    grid: int = GRID,
) -> DetectorTargets:
    """Targets of a padded batch; coordinates in [0, 1]."""
    centre_cell = centre_cells(boxes, grid)
    step = torch.arange(grid, device=boxes.device)
    dx = step[None, None, None, :] - centre_cell[..., 0, None, None]
    dy = step[None, None, :, None] - centre_cell[..., 1, None, None]
    squared = (dx.square() + dy.square()).float()
    present = valid[..., None, None]
    sigma = ((boxes[..., 2] - boxes[..., 0]) * grid * 0.18).clamp(min=0.5)[..., None, None]
    heatmap = (torch.exp(-squared / (2 * sigma.square())) * present).amax(1)
    owner = torch.where(present, squared, torch.inf).argmin(1)
    near = (torch.maximum(dx.abs(), dy.abs()) <= 1) & present
    positive = near.gather(1, owner[:, None])[:, 0]
    regression = _regression(boxes, landmarks, owner, grid) * positive[:, None]
    return DetectorTargets(heatmap, regression, positive)


def centre_cells(boxes: Float[Tensor, "b n 4"], grid: int = GRID) -> Int[Tensor, "b n 2"]:
    """Column and row of the cell that holds each box's centre."""
    return ((boxes[..., :2] + boxes[..., 2:]) / 2 * grid).floor().clamp(0, grid - 1).long()


def focal_loss(logits: Float[Tensor, "b g g"], heatmap: Float[Tensor, "b g g"]) -> Float[Tensor, ""]:
    """Penalty-reduced focal loss per face (CenterNet Eq. 1, alpha 2, beta 4)."""
    p = logits.sigmoid()
    centre = (heatmap == 1).float()
    at_centre = centre * (1 - p).square() * functional.logsigmoid(logits)
    elsewhere = (1 - centre) * (1 - heatmap) ** 4 * p.square() * functional.logsigmoid(-logits)
    return -(at_centre + elsewhere).sum() / centre.sum().clamp(min=1)


def mask_loss(
    logits: Float[Tensor, "b h w"], masks: Bool[Tensor, "b h w"], known: Bool[Tensor, " b"]
) -> Float[Tensor, ""]:
    """Cross-entropy plus soft Dice over the images whose mask is known."""
    weight = known.float()
    gt = masks.float()
    entropy = functional.binary_cross_entropy_with_logits(logits, gt, reduction="none").mean((1, 2))
    p = logits.sigmoid()
    dice = 1 - (2 * (p * gt).sum((1, 2)) + 1) / (p.sum((1, 2)) + gt.sum((1, 2)) + 1)
    return ((entropy + dice) * weight).sum() / weight.sum().clamp(min=1)


def keypoint_loss(
    positions: tuple[Float[Tensor, "p k 2"], ...],
    gt: Float[Tensor, "p k 3"],
    area: Float[Tensor, " p"],
    sigmas: Float[Tensor, " k"],
) -> Float[Tensor, ""]:
    """Mean over rounds and labelled joints of 1 - OKS plus a distance measured in COCO's tolerances.

    A tolerance is ``2 sigma_k sqrt(area)``. The distance keeps pulling where OKS has gone flat, and is concave far
    out, so that one hopeless joint does not outweigh the others.
    """
    known = (gt[..., 2] > 0).float()
    tolerance_squared = 4 * sigmas.square() * area.clamp(min=1e-3)[:, None]
    total = gt.new_zeros(())
    for xy in positions:
        e = (xy - gt[..., :2]).square().sum(-1) / tolerance_squared
        penalty = (1 - torch.exp(-e / 2)) + 0.5 * torch.log1p(torch.sqrt(e + 1e-4))
        total = total + (penalty * known).sum() / known.sum().clamp(min=1)
    return total / len(positions)


def _regression(
    boxes: Float[Tensor, "b n 4"], landmarks: Float[Tensor, "b n 5 2"], owner: Int[Tensor, "b g g"], grid: int
) -> Float[Tensor, "b 14 g g"]:
    axis = (torch.arange(grid, device=boxes.device) + 0.5) / grid
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    cell = torch.stack([x, y], dim=-1)
    batch = torch.arange(len(boxes), device=boxes.device)[:, None, None]
    box, marks = boxes[batch, owner], landmarks[batch, owner]
    sides = torch.cat([cell - box[..., :2], box[..., 2:] - cell], dim=-1)
    offsets = (marks - cell[None, :, :, None]).flatten(-2)
    return torch.cat([sides, offsets], dim=-1).permute(0, 3, 1, 2) / BOX_UNIT
