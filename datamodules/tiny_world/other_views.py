"""Portraits of somebody who is already in a scene: the tiny world's stand-in for a generated view.

A scene keeps the names of its people, not their faces; but its cast is a function of its seed, so it is cast again.
"""

import random
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.schema.scene import Scene
from datamodules.tiny_world.compositions import compose
from datamodules.tiny_world.identities import Split
from datamodules.tiny_world.portraits import draw_portrait
from datamodules.tiny_world.staging import CastMember, cast

_DRAWN = 3


def draw_other_view(
    scene: Scene, k: int, rng: random.Random
) -> tuple[Float[Tensor, "3 64 64"], Float[Tensor, "5 2"]]:
    """A new portrait of a scene's k-th person, turned away from the view in the scene and from its reference.

    Args:
        scene: as ``draw_scene`` made it, with or without a forced ``count``.
        k: which person.
        rng: source of randomness.

    Returns:
        The portrait, RGB in [0, 1], and its five landmarks in [0, 1].

    Raises:
        ValueError: if the person cannot be cast again from the scene's id and count.
    """
    person = scene.persons[k]
    member = _member(scene, person.identity)
    drawn = [draw_portrait(rng, member.identity, person.yaw_deg, member.outfit.top) for _ in range(_DRAWN)]
    if person.reference_landmarks is not None:
        turned = _turn(person.reference_landmarks)
        drawn.sort(key=lambda view: -abs(_turn(torch.from_numpy(view[1])) - turned))
    pixels, landmarks = drawn[0]
    return torch.from_numpy(pixels).permute(2, 0, 1).float().div(255), torch.from_numpy(landmarks)


def _turn(landmarks: Float[Tensor, "5 2"]) -> float:
    """How far the nose lies from the middle of the eyes, along them and in distances of the eyes: grows with yaw."""
    left, right, nose = landmarks[:3]
    along = right - left
    return float((nose - (left + right) / 2) @ along / along.square().sum().clamp(min=1e-9))


def _member(scene: Scene, identity: str) -> CastMember:
    for count in (len(scene), None):
        if member := _cast(scene.scene_id, count).get(identity):
            return member
    raise ValueError(
        f"scene: {scene.scene_id!r} does not cast {identity!r} again; other views are drawn for scenes of draw_scene "
        "with no forced part but count"
    )


@lru_cache(maxsize=64)
def _cast(scene_id: str, count: int | None) -> dict[str, CastMember]:
    """Who is in a scene, by name: the first steps of ``draw_scene``."""
    rng = random.Random(scene_id)
    split: Split = scene_id.split("/")[0]  # type: ignore[assignment]
    members = cast(rng, compose(rng, split, count=count), split)
    return {member.identity.name: member for member in members}
