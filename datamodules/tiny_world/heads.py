"""Faces: a parametric identity drawn at a place, from an angle, with an expression.

The box, the five landmarks and the ears are returned exactly as drawn.
"""

import math
from dataclasses import dataclass

import numpy as np

from datamodules.tiny_world.brush import Brush, Point, Rgb, mix, shade
from datamodules.tiny_world.frames import HeadFrame
from datamodules.tiny_world.hair import COVERING_HATS, HIDES_EARS, draw_front_hair, draw_hat
from datamodules.tiny_world.identities import Identity

FACE_HEIGHT = 1.12
_ANGLES = np.arange(26) * (math.tau / 26)
_COS, _SIN, _BELOW = np.cos(_ANGLES), np.sin(_ANGLES), np.maximum(0.0, np.sin(_ANGLES))
_EYE_Y, _NOSE_Y, _MOUTH_Y = -0.06, 0.28, 0.62


@dataclass(frozen=True)
class Expression:
    """What the face does in this view.

    Attributes:
        smile: -0.4 (sad) to 1 (broad); above 0.55 the teeth show.
        gaze: sideways look, -1 to 1.
    """

    smile: float
    gaze: float


@dataclass(frozen=True)
class HeadGeometry:
    """What was drawn, in pixels.

    Attributes:
        box: face box, xyxy.
        landmarks: image-left eye, image-right eye, nose, image-left and image-right mouth corner.
        ears: image-left and image-right ear.
        ears_visible: whether each ear is shown.
    """

    box: tuple[float, float, float, float]
    landmarks: tuple[Point, ...]
    ears: tuple[Point, Point]
    ears_visible: tuple[bool, bool]


def draw_head(
    brush: Brush, identity: Identity, frame: HeadFrame, expression: Expression, gain: float
) -> HeadGeometry:
    """Draw ears, face, features, hair, beard, glasses and hat; ``gain`` is the light."""
    skin = shade(identity.skin, gain)
    ears = _draw_ears(brush, identity, frame, skin, gain)
    _draw_skull(brush, identity, frame, skin)
    ax = identity.width
    eyes = [(frame.turn(s * identity.eye_distance, ax), _EYE_Y) for s in (-1, 1)]
    nose = (frame.turn(0.0, ax, 1.18), _NOSE_Y + (0.08 if identity.nose == "long" else 0.0))
    mouth = [(frame.turn(s * identity.mouth, ax), _MOUTH_Y - 0.05 * expression.smile) for s in (-1, 1)]
    _draw_beard(brush, identity, frame, gain)
    _draw_nose(brush, identity, frame, nose, skin)
    _draw_mouth(brush, identity, frame, mouth, expression, gain)
    for side, eye in zip((-1, 1), eyes, strict=True):
        _draw_eye(brush, identity, frame, side, eye, expression, gain)
    draw_front_hair(brush, identity, frame, gain)
    if identity.glasses != "none":
        _draw_glasses(brush, identity, frame, eyes, gain)
    draw_hat(brush, identity, frame, gain)
    hidden = identity.style in HIDES_EARS or identity.hat in COVERING_HATS
    visible = (not hidden and frame.yaw > -0.30, not hidden and frame.yaw < 0.30)
    points = (eyes[0], eyes[1], nose, mouth[0], mouth[1])
    return HeadGeometry(
        box=face_box(identity, frame),
        landmarks=tuple(frame(x, y) for x, y in points),
        ears=ears,
        ears_visible=visible,
    )


def face_box(identity: Identity, frame: HeadFrame) -> tuple[float, float, float, float]:
    """Tight box of the rotated face oval, 4 % wider."""
    c, s = math.cos(math.radians(frame.roll_deg)), math.sin(math.radians(frame.roll_deg))
    ax, ay = 1.04 * identity.width * frame.radius, 1.04 * FACE_HEIGHT * frame.radius
    half_w, half_h = math.hypot(ax * c, ay * s), math.hypot(ax * s, ay * c)
    x, y = frame.center
    return x - half_w, y - half_h, x + half_w, y + half_h


def _draw_ears(
    brush: Brush, identity: Identity, frame: HeadFrame, skin: Rgb, gain: float
) -> tuple[Point, Point]:
    r, places = frame.radius, []
    for side in (-1, 1):
        x = side * identity.width * 0.98 - 0.14 * frame.yaw
        place = frame(x, 0.06)
        places.append(place)
        if side * frame.yaw < 0.55:
            brush.ellipse(place, (0.19 * r, 0.27 * r), shade(skin, 0.72), frame.roll_deg)
            brush.ellipse(place, (0.14 * r, 0.22 * r), shade(skin, 0.92), frame.roll_deg)
            if identity.earrings:
                brush.disc(frame(x + 0.03 * side, 0.42), 0.13 * r, shade((252, 214, 70), gain))
    return places[0], places[1]


def _draw_skull(brush: Brush, identity: Identity, frame: HeadFrame, skin: Rgb) -> None:
    ax, taper = identity.width, identity.taper
    outline = np.empty((len(_ANGLES), 2))
    outline[:, 0] = ax * _COS * (1.0 - taper * _BELOW * _BELOW) + 0.10 * frame.yaw * _BELOW
    outline[:, 1] = FACE_HEIGHT * _SIN
    brush.polygon(frame.many(outline), shade(skin, 0.74))
    brush.polygon(frame.many(outline * (0.945, 0.955) - (0.0, 0.01)), skin)
    cheek = mix(skin, (232, 96, 90), 0.22)
    for side in (-1, 1):
        x = frame.turn(side * 0.52 * ax / 0.85, ax)
        if abs(x) < 0.8 * ax:
            brush.ellipse(frame(x, 0.36), (0.17 * frame.radius, 0.12 * frame.radius), cheek, frame.roll_deg)
    if identity.freckles:
        dots = shade(skin, 0.72)
        for x, y in ((-0.5, 0.24), (-0.34, 0.36), (-0.56, 0.42), (0.5, 0.24), (0.34, 0.36), (0.56, 0.42)):
            brush.disc(frame(frame.turn(x * ax, ax), y), 0.05 * frame.radius, dots)


def _draw_beard(brush: Brush, identity: Identity, frame: HeadFrame, gain: float) -> None:
    if identity.beard == "none":
        return
    color, ax, shift = shade(identity.hair_rgb, gain * 0.92), identity.width, frame.yaw
    if identity.beard == "full":
        angles = [math.pi * (-0.02 + 1.04 * k / 12) for k in range(13)]
        outer = [
            (ax * (1 - identity.taper * max(0.0, math.sin(t)) ** 2) * math.cos(t), 1.16 * math.sin(t))
            for t in angles
        ]
        inner = [
            (0.62 * ax * math.cos(t) + 0.55 * shift * ax, 0.26 + 0.18 * math.sin(t)) for t in angles[::-1]
        ]
        brush.polygon([frame(x, y) for x, y in outer + inner], color)
    if identity.beard == "goatee":
        brush.ellipse(
            frame(0.62 * shift, 0.90), (0.27 * frame.radius, 0.26 * frame.radius), color, frame.roll_deg
        )
    if identity.beard in ("moustache", "full"):
        x = frame.turn(0.0, ax, 1.05)
        curve = [(x - 0.40, 0.56), (x - 0.18, 0.44), (x, 0.47), (x + 0.18, 0.44), (x + 0.40, 0.56)]
        brush.polyline([frame(a, b) for a, b in curve], 0.17 * frame.radius, color)


def _draw_nose(brush: Brush, identity: Identity, frame: HeadFrame, tip: Point, skin: Rgb) -> None:
    r, dark = frame.radius, shade(skin, 0.70)
    x, y = tip
    if identity.nose == "long":
        brush.line(frame(0.55 * x, y - 0.34), frame(x, y), 0.12 * r, dark)
        brush.disc(frame(x, y), 0.10 * r, dark)
    elif identity.nose == "wide":
        brush.ellipse(frame(x, y), (0.24 * r, 0.11 * r), dark, frame.roll_deg)
        brush.ellipse(frame(x, y - 0.05), (0.15 * r, 0.10 * r), skin, frame.roll_deg)
    else:
        brush.disc(frame(x, y), 0.12 * r, dark)
        brush.disc(frame(x, y - 0.03), 0.06 * r, mix(skin, (255, 255, 255), 0.25))


def _draw_mouth(
    brush: Brush,
    identity: Identity,
    frame: HeadFrame,
    corners: list[Point],
    expression: Expression,
    gain: float,
) -> None:
    r, lips = frame.radius, shade(identity.lips, gain)
    (x0, y0), (x1, y1) = corners
    low = _MOUTH_Y + 0.13 * expression.smile
    if expression.smile > 0.55:
        lower = [(x0 + (x1 - x0) * k / 6, y0 + 0.24 * math.sin(math.pi * k / 6)) for k in range(7)]
        brush.polygon([frame(x, y) for x, y in lower], (252, 250, 246))
        brush.polyline([frame(x, y) for x, y in lower], 0.10 * r, lips, closed=True)
    else:
        curve = [(x0, y0), ((2 * x0 + x1) / 3, low), ((x0 + 2 * x1) / 3, low), (x1, y1)]
        width = 0.17 if identity.woman else 0.12
        brush.polyline([frame(x, y) for x, y in curve], width * r, lips)


def _draw_eye(
    brush: Brush,
    identity: Identity,
    frame: HeadFrame,
    side: int,
    eye: Point,
    expression: Expression,
    gain: float,
) -> None:
    r, (x, y) = frame.radius, eye
    narrow = frame.narrowing(side * identity.eye_distance, identity.width)
    width, height = identity.eye_size * narrow, identity.eye_size * 0.86
    white = shade((252, 252, 252), min(1.0, gain))
    if identity.woman:
        brush.line(
            frame(x - width * 1.15, y - height * 0.75),
            frame(x + width * 1.15, y - height * 0.75),
            0.11 * r,
            (32, 26, 30),
        )
    brush.ellipse(frame(x, y), (width * r, height * r), white, frame.roll_deg)
    look = x + 0.3 * width * expression.gaze
    brush.ellipse(
        frame(look, y), (0.70 * width * r, 0.82 * height * r), shade(identity.iris, gain), frame.roll_deg
    )
    brush.ellipse(frame(look, y), (0.34 * width * r, 0.42 * height * r), (18, 14, 18), frame.roll_deg)
    color = shade(mix(identity.hair_rgb, (40, 30, 26), 0.45), gain)
    if identity.style == "bald":
        color = shade(identity.skin, 0.42 * gain)
    brow_y, span = y - height - 0.17, identity.eye_size * 1.25 * narrow
    brush.line(
        frame(x - span, brow_y + side * -identity.brow_tilt),
        frame(x + span, brow_y + side * identity.brow_tilt),
        identity.brow * r,
        color,
    )


def _draw_glasses(brush: Brush, identity: Identity, frame: HeadFrame, eyes: list[Point], gain: float) -> None:
    r, color = frame.radius, shade(identity.glasses_rgb, gain)
    half = 0.30
    inner = []
    for side, (x, y) in zip((-1, 1), eyes, strict=True):
        w = half * frame.narrowing(side * identity.eye_distance, identity.width)
        inner.append((x - side * w, y))
        corners = [(x - w, y - 0.25), (x + w, y - 0.25), (x + w, y + 0.25), (x - w, y + 0.25)]
        if identity.glasses == "dark":
            brush.ellipse(frame(x, y), (w * 1.05 * r, 0.27 * r), (26, 24, 32), frame.roll_deg)
            brush.line(frame(x - 0.4 * w, y - 0.12), frame(x - 0.1 * w, y - 0.14), 0.08 * r, (150, 156, 170))
        elif identity.glasses == "round":
            brush.ring(frame(x, y), (w * r, 0.29 * r), 0.10 * r, color, frame.roll_deg)
        else:
            brush.polyline([frame(a, b) for a, b in corners], 0.10 * r, color, closed=True)
    brush.line(frame(*inner[0]), frame(*inner[1]), 0.10 * r, color)
