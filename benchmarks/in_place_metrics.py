"""Figures of people put into scenes: is the place as it was, do the skeletons fit, does an edited pose show.

The tables of SkeleGuide report them of photographs and with other networks; here the tiny world's own judge.
"""

from collections.abc import Sequence
from functools import cache

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from benchmarks.metrics import Observation, Values
from datamodules.geometry.draw import draw_layouts
from datamodules.geometry.edits import moved_joints, raise_left_arm
from lightning_modules.skeleguide.pose_inverter import PoseInverter, TinyPoseInverter
from lightning_modules.skeleguide.pose_inverter_module import reading_figures
from lightning_modules.skeleguide.pose_text import Poses, to_layout
from rewards.evaluation.background import background_perceptual, background_psnr, background_ssim
from rewards.evaluation.perceptual import TinyPerceptual
from rewards.functional.keypoints import extent_areas, match_people, oks

MARGIN = 3
"""Pixels around a drawn skeleton that are no background: limbs end softly."""


def background(seen: Observation) -> Values:
    """``background_psnr``, ``_ssim`` and ``_perceptual_tiny`` where nobody stands in the image or in the true one."""
    if seen.scenes is None or seen.scenes.backgrounds is None or seen.detections is None:
        return {}
    masks = [found.person_mask for found in seen.detections]
    if any(mask is None for mask in masks):
        return {}
    shown = torch.stack([mask > 0.5 for mask in masks if mask is not None])
    return _unchanged(seen, shown)


def layout_quality(seen: Observation) -> Values:
    """Of images that are layouts: skeletons read off them against the true ones, and the background around them.

    ``layout_pck`` (PCK@0.5 of the trunk) and ``layout_oks`` are means over the true people, ``layout_count`` is 1 where
    as many skeletons are read as people are asked for.
    """
    if seen.scenes is None or seen.scenes.backgrounds is None:
        return {}
    read = _inverter().invert(seen.images)
    layout, size = seen.scenes.layout, seen.scenes.size
    values: Values = {name: torch.full((len(seen),), torch.nan) for name in ("pck", "oks", "count")}
    for i, poses in enumerate(read):
        one = layout.select(torch.tensor([i]))
        for name, figures in reading_figures([poses], one, size).items():
            values[name][i] = figures.nanmean()
    named = {f"layout_{name}": value for name, value in values.items()}
    return named | _unchanged(seen, _drawn(read, size))


def edited_pose(seen: Observation) -> Values:
    """``edited_oks`` and ``edited_limb``: OKS to the plan with an arm raised, of all joints or the moved ones.

    Means over the true people, a missing one counting 0; the limb's only over those whose arm was moved.
    """
    if seen.scenes is None or seen.detections is None or any(d.keypoints is None for d in seen.detections):
        return {}
    edited = raise_left_arm(seen.scenes.layout, seen.scenes.size)
    pixels = torch.tensor([seen.scenes.size[1], seen.scenes.size[0], 1.0])
    whole, limb = torch.full((len(seen),), torch.nan), torch.full((len(seen),), torch.nan)
    for i, found in enumerate(seen.detections):
        valid = edited.valid[i]
        gt = edited.keypoints[i][valid].cpu() * pixels
        assert found.keypoints is not None  # asked above
        pred, areas = found.keypoints.cpu() * pixels, extent_areas(gt)
        similarity = oks(gt, pred, areas)
        rows, columns = match_people(similarity)
        moved = moved_joints(seen.scenes.layout.keypoints[i][valid].cpu(), edited.keypoints[i][valid].cpu())
        only = torch.cat([gt[..., :2], gt[..., 2:] * moved[..., None]], dim=-1)
        of_limb, matched = torch.zeros(len(gt)), torch.zeros(len(gt))
        matched[rows] = similarity[rows, columns].float()
        of_limb[rows] = oks(only, pred, areas)[rows, columns].float()
        whole[i], limb[i] = matched.mean(), of_limb[moved.any(dim=1)].mean()
    return {"edited_oks": whole, "edited_limb": limb}


def _unchanged(seen: Observation, shown: Bool[Tensor, "b h w"]) -> Values:
    assert seen.scenes is not None and seen.scenes.backgrounds is not None  # noqa: PT018 - callers asked
    people = shown.cpu() | seen.scenes.masks.any(dim=1)
    images, source = seen.images.cpu(), seen.scenes.backgrounds
    return {
        "background_psnr": background_psnr(images, source, people),
        "background_ssim": background_ssim(images, source, people),
        "background_perceptual_tiny": background_perceptual(images, source, people, _perceptual()),
    }


def _drawn(read: Sequence[Poses], size: tuple[int, int]) -> Bool[Tensor, "b h w"]:
    """Pixels of the skeletons that were read, and a margin."""
    ink: Float[Tensor, "b 1 h w"] = draw_layouts(to_layout(read, size), size).amax(dim=1, keepdim=True)
    return functional.max_pool2d(ink, 2 * MARGIN + 1, 1, MARGIN)[:, 0] > 0


@cache
def _inverter() -> PoseInverter:
    return TinyPoseInverter()


@cache
def _perceptual() -> TinyPerceptual:
    return TinyPerceptual()
