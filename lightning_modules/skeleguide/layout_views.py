"""Layout images as a PoseInverter meets them: other places, moved and edited skeletons, a codec's traces.

At inference a layout image comes decoded from latents that a sampler made, and its skeletons may have been moved by
hand; renders alone show neither.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from datamodules.geometry.draw import draw_layouts
from datamodules.geometry.skeleton import FLIP_INDICES
from datamodules.schema.human_in_place import HumanInPlace
from datamodules.schema.layout import Layout
from lightning_modules.backbone.latents import LatentCodec


@dataclass(frozen=True)
class LayoutVariety:
    """How layouts are varied in training.

    Attributes:
        other_place: share whose skeletons stand in another sample's place.
        mirrored: share of mirrored samples.
        moved: share whose skeletons are scaled (0.75 to 1.15) and moved together (up to 0.1 of the image).
        edited: share in which every joint is moved by itself (standard deviation 0.015 of the image).
        thinned: share in which every joint is left out with a chance of 0.15.
    """

    other_place: float = 0.6
    mirrored: float = 0.5
    moved: float = 0.5
    edited: float = 0.25
    thinned: float = 0.2

    def __post_init__(self) -> None:
        for name, share in vars(self).items():
            if not 0 <= share <= 1:
                raise ValueError(f"{name}: {share} is a share, 0 to 1")


def vary(batch: HumanInPlace, variety: LayoutVariety) -> HumanInPlace:
    """New skeletons over old places; the target and its mask no longer belong to them and are left as they are."""
    source, layout, b = batch.source, batch.layout, len(batch)
    swap = torch.where(torch.rand(b) < variety.other_place, torch.randperm(b), torch.arange(b))
    source = source[swap.to(source.device)]
    flipped = (torch.rand(b) < variety.mirrored).to(source.device)
    source = torch.where(flipped[:, None, None, None], source.flip(-1), source)
    layout = _mirror(layout, flipped)
    layout = _move(layout, torch.rand(b) < variety.moved)
    layout = _edit(layout, torch.rand(b) < variety.edited, torch.rand(b) < variety.thinned)
    drawn = draw_layouts(layout, batch.size, source).to(source.device)
    return replace(batch, source=source, layout=layout, layout_image=drawn)


@torch.no_grad()
def as_decoded(
    images: Float[Tensor, "b 3 h w"], codec: LatentCodec, noise: float = 0.0
) -> Float[Tensor, "b 3 h w"]:
    """What a codec makes of images whose latents are off by up to ``noise`` (a standard deviation, per image)."""
    tokens = codec.encode(images)
    if noise:
        strength = noise * torch.rand(len(images), 1, 1, device=images.device)
        tokens = tokens + strength * torch.randn_like(tokens)
    return codec.decode(tokens, (images.shape[-2], images.shape[-1]))


def _mirror(layout: Layout, chosen: Bool[Tensor, " b"]) -> Layout:
    known = layout.keypoints[..., 2:] > 0
    joints = torch.cat([1 - layout.keypoints[..., :1], layout.keypoints[..., 1:]], dim=-1).where(known, 0.0)
    boxes = torch.stack(
        [1 - layout.boxes[..., 2], layout.boxes[..., 1], 1 - layout.boxes[..., 0], layout.boxes[..., 3]],
        dim=-1,
    ).where(layout.valid[..., None], 0.0)
    keypoints = torch.where(chosen[:, None, None, None], joints[:, :, list(FLIP_INDICES)], layout.keypoints)
    return replace(layout, keypoints=keypoints, boxes=torch.where(chosen[:, None, None], boxes, layout.boxes))


def _move(layout: Layout, chosen: Bool[Tensor, " b"]) -> Layout:
    """Scaled about the middle and moved; who has no head in the picture any more is no longer in the plan."""
    device = layout.boxes.device
    chosen = chosen.to(device)[:, None]
    scale = torch.where(chosen, 0.75 + 0.4 * torch.rand(len(chosen), 1, device=device), 1.0)
    shift = torch.where(chosen, 0.2 * torch.rand(len(chosen), 2, device=device) - 0.1, 0.0)

    def move(points: Tensor) -> Tensor:
        shape = (len(points), *([1] * (points.ndim - 2)))
        return (points - 0.5) * scale.view(*shape, 1) + 0.5 + shift.view(*shape, 2)

    boxes = move(layout.boxes.unflatten(-1, (2, 2))).flatten(-2)
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    valid = layout.valid & ((centre > 0.02) & (centre < 0.98)).all(dim=-1)
    places = move(layout.keypoints[..., :2])
    moved = torch.cat([places, layout.keypoints[..., 2:]], dim=-1)
    return replace(
        layout, boxes=boxes.where(valid[..., None], 0.0), keypoints=_within(moved, valid), valid=valid
    )


def _edit(layout: Layout, edited: Bool[Tensor, " b"], thinned: Bool[Tensor, " b"]) -> Layout:
    device = layout.boxes.device
    joints = layout.keypoints.clone()
    joints[..., :2] += 0.015 * edited.to(device)[:, None, None, None] * torch.randn_like(joints[..., :2])
    gone = (torch.rand(joints.shape[:-1], device=device) < 0.15) & thinned.to(device)[:, None, None]
    joints = joints.where(~gone[..., None], 0.0)
    joints = _within(joints, layout.valid)
    somebody = (joints[..., 2] > 0).any(dim=-1)
    return replace(
        layout, keypoints=joints, boxes=layout.boxes.where(somebody[..., None], 0.0), valid=somebody
    )


def _within(keypoints: Float[Tensor, "b n k 3"], valid: Bool[Tensor, "b n"]) -> Float[Tensor, "b n k 3"]:
    """Zeros for joints outside the picture, unknown or of nobody."""
    places = keypoints[..., :2]
    inside = ((places >= 0) & (places < 1)).all(dim=-1) & (keypoints[..., 2] > 0) & valid[..., None]
    return keypoints.where(inside[..., None], 0.0)
