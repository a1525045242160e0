"""From a composition to figures on the picture: who, in which pose, where."""

import math
import random
from dataclasses import dataclass, replace
from typing import Self

import torch

from datamodules.geometry.edits import raised_arm
from datamodules.tiny_world.brush import Point
from datamodules.tiny_world.compositions import Composition
from datamodules.tiny_world.figures import Figure, solve, stand
from datamodules.tiny_world.identities import Identity, Split, likeness, sample_identity
from datamodules.tiny_world.outfits import ROLES, Outfit, sample_outfit
from datamodules.tiny_world.placement import SIZE, Slot, place
from datamodules.tiny_world.poses import Situation, sample_pose

_POSE_TRIES = 8
_TOO_ALIKE = 4


@dataclass(frozen=True)
class CastMember:
    """One person before being placed."""

    identity: Identity
    outfit: Outfit
    group: int
    action: str


@dataclass(frozen=True)
class Staged:
    """One person on the picture.

    Attributes:
        slot: place.
        figure: joints in pixels.
        roll_deg, yaw_deg: head rotation.
    """

    slot: Slot
    figure: Figure
    roll_deg: float
    yaw_deg: float

    def with_raised_arm(self) -> Self:
        """The person's left arm (image right) stretched outwards and up, in front of the trunk."""
        figure = self.figure
        other, shoulder = figure.shoulders
        arm = torch.tensor([shoulder, other, figure.elbows[1], figure.wrists[1]], dtype=torch.float64)
        (elbow_x, elbow_y), (wrist_x, wrist_y) = raised_arm(arm).tolist()
        raised = replace(
            figure,
            elbows=(figure.elbows[0], (elbow_x, elbow_y)),
            wrists=(figure.wrists[0], (wrist_x, wrist_y)),
            pose=replace(figure.pose, layers=(figure.pose.layers[0], "front")),
        )
        return replace(self, figure=raised)


def cast(rng: random.Random, composition: Composition, split: Split) -> list[CastMember]:
    """Identities and outfits for every person; nobody looks like another of the same scene."""
    members: list[CastMember] = []
    for index, group in enumerate(composition.groups):
        role = ROLES.get(group.noun)
        for _ in range(group.count):
            woman = group.noun == "woman" or (group.noun != "man" and rng.random() < 0.5)
            for _ in range(20):
                identity = sample_identity(rng, split, woman, role.hat if role else None)
                if all(likeness(identity, other.identity) < _TOO_ALIKE for other in members):
                    break
            outfit = role.outfit if role else sample_outfit(rng, woman, group.color)
            members.append(CastMember(identity, outfit, index, group.action))
    return members


def stage(rng: random.Random, members: list[CastMember], frontal: bool) -> list[Staged]:
    """Place and pose everybody so that limbs stay off the faces behind them, as far as chance allows."""
    slots = place(rng, [member.action for member in members])
    staged = [_pose_one(rng, members[k], k, slots, frontal) for k in range(len(members))]
    for k, member in enumerate(members):
        best = _faces_hit(staged[k], staged)
        for _ in range(_POSE_TRIES):
            if best == 0:
                break
            other = _pose_one(rng, member, k, slots, frontal)
            hits = _faces_hit(other, [*staged[:k], other, *staged[k + 1 :]])
            if hits < best:
                staged[k], best = other, hits
    return staged


def _pose_one(rng: random.Random, member: CastMember, k: int, slots: list[Slot], frontal: bool) -> Staged:
    slot = slots[k]
    neighbour = None
    if slot.leans_on is not None:
        support = slots[slot.leans_on]
        neighbour = ((support.x - slot.x) / slot.radius, (support.ground - slot.ground) / slot.radius)
    pose = sample_pose(member.action, Situation(rng, slot.room, neighbour), upright_head=frontal)
    width = rng.uniform(0.94, 1.02) if member.identity.woman else rng.uniform(1.02, 1.12)
    figure = stand(solve(pose, shoulder_width=width), slot.x, slot.ground, slot.radius)
    if frontal:
        roll, yaw = rng.gauss(0, 1.0), rng.gauss(0, 1.0)
    else:
        roll = pose.head_roll_deg + max(-14.0, min(14.0, rng.gauss(0, 6.5)))
        yaw = rng.choice((-1, 1)) * rng.uniform(12, 30)
    return Staged(slot, _inside(figure, slot.radius), roll, yaw)


def _inside(figure: Figure, radius: float) -> Figure:
    """Moved as little as needed to keep the head in the picture."""
    x, y = figure.head
    reach = 1.22 * radius
    dx = min(max(x, reach), SIZE - reach) - x
    dy = min(max(y, reach), SIZE - reach) - y
    return figure if dx == 0 and dy == 0 else figure.placed(dx, dy, 1.0)


def _faces_hit(person: Staged, everybody: list[Staged]) -> int:
    """How many faces further away are touched by the person's arms or legs."""
    f, r = person.figure, person.slot.radius
    limbs = [
        segment
        for side in (0, 1)
        for segment in (
            (f.shoulders[side], f.elbows[side]),
            (f.elbows[side], f.wrists[side]),
            (f.hips[side], f.knees[side]),
            (f.knees[side], f.ankles[side]),
        )
    ]
    hits = 0
    for other in everybody:
        if other is person or other.slot.ground > person.slot.ground:
            continue
        reach = 0.8 * other.slot.radius + 0.25 * r
        if any(_distance(other.figure.head, a, b) < reach for a, b in limbs):
            hits += 1
    return hits


def _distance(p: Point, a: Point, b: Point) -> float:
    """From a point to a segment."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    t = ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / max(1e-9, dx * dx + dy * dy)
    t = max(0.0, min(1.0, t))
    return math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy)


def drawing_order(staged: list[Staged]) -> list[int]:
    """Indices from the farthest to the nearest person."""
    return sorted(range(len(staged)), key=lambda k: staged[k].slot.ground)
