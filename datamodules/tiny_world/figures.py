"""From joint angles to joint positions: the forward and inverse kinematics of a flat person.

Units: head radius. x right and y down as seen; angles in degrees from straight down, positive towards image right.
Index 0 of a pair is the image-left side (the person's right), index 1 the image-right side (the person's left).
"""

import math
from dataclasses import dataclass, field, replace
from typing import Literal, Self, TypeAlias

from datamodules.tiny_world.brush import Point

TRUNK, NECK = 2.25, 1.62
UPPER_ARM, FOREARM = 1.42, 1.34
THIGH, SHIN = 1.86, 1.80
FOOT = 0.24
Layer: TypeAlias = Literal["behind", "front", "over"]


@dataclass(frozen=True)
class Bend:
    """A limb of two bones given by its angles; scales below 1 foreshorten."""

    upper: float
    lower: float
    upper_scale: float = 1.0
    lower_scale: float = 1.0


@dataclass(frozen=True)
class Reach:
    """A limb whose end goes to a point.

    Attributes:
        x, y: target relative to the middle of the shoulders, in the frame of the trunk (y down along it).
        elbow: +1 or -1: on which side of the line to the target the joint lies (+1 is image right of a limb that
            hangs straight down).
    """

    x: float
    y: float
    elbow: float


@dataclass(frozen=True)
class Pose:
    """What the body does.

    Attributes:
        tilt_deg: lean of the trunk, positive towards image right.
        trunk_scale: foreshortening of the trunk.
        turn: apparent width of shoulders and hips (1 faces the viewer).
        arms, legs: image-left and image-right limb.
        head_tilt_deg: lean of the neck relative to upright.
        head_roll_deg: roll that the pose gives to the head.
        lift: height of the lowest foot above the ground.
        layers: where each arm is drawn: behind the trunk, in front of it, or over the head as well.
        crossed: the image-right leg is drawn last (legs are crossed).
        thick_ground: keep half the body's thickness above the ground (lying).
    """

    arms: tuple[Bend | Reach, Bend | Reach]
    legs: tuple[Bend, Bend]
    tilt_deg: float = 0.0
    trunk_scale: float = 1.0
    turn: float = 1.0
    head_tilt_deg: float = 0.0
    head_roll_deg: float = 0.0
    lift: float = 0.0
    layers: tuple[Layer, Layer] = ("front", "front")
    crossed: bool = False
    thick_ground: bool = False


@dataclass(frozen=True)
class Figure:
    """Joint positions; pairs are (image left, image right)."""

    head: Point
    neck: Point
    pelvis: Point
    shoulders: tuple[Point, Point]
    elbows: tuple[Point, Point]
    wrists: tuple[Point, Point]
    hips: tuple[Point, Point]
    knees: tuple[Point, Point]
    ankles: tuple[Point, Point]
    pose: Pose = field(repr=False)

    def placed(self, dx: float, dy: float, scale: float) -> Self:
        """Scaled by ``scale``, then moved."""

        def move(p: Point) -> Point:
            return p[0] * scale + dx, p[1] * scale + dy

        def pair(ps: tuple[Point, Point]) -> tuple[Point, Point]:
            return move(ps[0]), move(ps[1])

        return replace(
            self,
            head=move(self.head),
            neck=move(self.neck),
            pelvis=move(self.pelvis),
            shoulders=pair(self.shoulders),
            elbows=pair(self.elbows),
            wrists=pair(self.wrists),
            hips=pair(self.hips),
            knees=pair(self.knees),
            ankles=pair(self.ankles),
        )

    def points(self) -> tuple[Point, ...]:
        """Every joint."""
        return (
            self.head, *self.shoulders, *self.elbows, *self.wrists, self.pelvis, *self.hips, *self.knees, *self.ankles
        )  # fmt: skip


def solve(pose: Pose, shoulder_width: float = 1.02, hip_width: float = 0.56) -> Figure:
    """Joint positions of a pose, middle of the hips at the origin.

    Args:
        pose: the joint angles.
        shoulder_width: half distance between the shoulders.
        hip_width: half distance between the hips.
    """
    tilt = math.radians(pose.tilt_deg)
    up, across = (math.sin(tilt), -math.cos(tilt)), (math.cos(tilt), math.sin(tilt))
    trunk = TRUNK * pose.trunk_scale
    neck = (up[0] * trunk, up[1] * trunk)
    lean = math.radians(pose.head_tilt_deg + 0.7 * pose.tilt_deg)
    head = (neck[0] + NECK * math.sin(lean), neck[1] - NECK * math.cos(lean))
    shoulders = _pair(neck, across, shoulder_width * pose.turn)
    hips = _pair((0.0, 0.0), across, hip_width * (0.4 + 0.6 * pose.turn))
    elbows, wrists = [], []
    for side in (0, 1):
        limb = pose.arms[side]
        if isinstance(limb, Bend):
            joint, end = _bend(shoulders[side], limb, UPPER_ARM, FOREARM)
        else:
            target = (
                neck[0] + across[0] * limb.x - up[0] * limb.y,
                neck[1] + across[1] * limb.x - up[1] * limb.y,
            )
            joint, end = _reach(shoulders[side], target, limb.elbow)
        elbows.append(joint)
        wrists.append(end)
    lower = [_bend(hips[side], pose.legs[side], THIGH, SHIN) for side in (0, 1)]
    return Figure(
        head=head,
        neck=neck,
        pelvis=(0.0, 0.0),
        shoulders=shoulders,
        elbows=(elbows[0], elbows[1]),
        wrists=(wrists[0], wrists[1]),
        hips=hips,
        knees=(lower[0][0], lower[1][0]),
        ankles=(lower[0][1], lower[1][1]),
        pose=pose,
    )


def stand(figure: Figure, x: float, ground: float, radius: float) -> Figure:
    """Scale a solved figure to pixels, feet on the ground, head at x (a lying body is centred on x).

    Args:
        figure: from ``solve``.
        x: pixel column of the head.
        ground: pixel row of the ground.
        radius: head radius in pixels.
    """
    if figure.pose.thick_ground:
        lowest = max(p[1] for p in figure.points()) + 0.36
        xs = [p[0] for p in figure.points()]
        anchor = (min(xs) + max(xs)) / 2
    else:
        lowest = max(max(p[1] for p in figure.ankles) + FOOT, max(p[1] for p in figure.knees) + 0.3)
        # Somebody bent far over is centred between head and hips.
        anchor = figure.head[0] if abs(figure.pose.tilt_deg) < 30 else (figure.head[0] + figure.pelvis[0]) / 2
    return figure.placed(x - anchor * radius, ground - (lowest + figure.pose.lift) * radius, radius)


def _pair(middle: Point, across: Point, half: float) -> tuple[Point, Point]:
    return (
        (middle[0] - across[0] * half, middle[1] - across[1] * half),
        (middle[0] + across[0] * half, middle[1] + across[1] * half),
    )


def _bend(root: Point, limb: Bend, upper: float, lower: float) -> tuple[Point, Point]:
    a, b = math.radians(limb.upper), math.radians(limb.lower)
    upper, lower = upper * limb.upper_scale, lower * limb.lower_scale
    joint = (root[0] + upper * math.sin(a), root[1] + upper * math.cos(a))
    return joint, (joint[0] + lower * math.sin(b), joint[1] + lower * math.cos(b))


def _reach(root: Point, target: Point, elbow: float) -> tuple[Point, Point]:
    """Two-bone inverse kinematics by the law of cosines; a target out of reach is approached in a straight line."""
    dx, dy = target[0] - root[0], target[1] - root[1]
    distance = math.hypot(dx, dy)
    reach = min(max(distance, abs(UPPER_ARM - FOREARM) + 0.05), UPPER_ARM + FOREARM - 0.02)
    direction = math.atan2(dx, dy)
    cosine = (UPPER_ARM**2 + reach**2 - FOREARM**2) / (2 * UPPER_ARM * reach)
    inner = math.acos(max(-1.0, min(1.0, cosine)))
    angle = direction + elbow * inner
    joint = (root[0] + UPPER_ARM * math.sin(angle), root[1] + UPPER_ARM * math.cos(angle))
    end = (root[0] + reach * math.sin(direction), root[1] + reach * math.cos(direction))
    return joint, end
