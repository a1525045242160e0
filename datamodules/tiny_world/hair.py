"""Hair and headwear, drawn in the frame of a head (units: head radius, y down, face centre at the origin)."""

import math

from datamodules.tiny_world.brush import Brush, Point, Rgb, mix, shade
from datamodules.tiny_world.frames import HeadFrame
from datamodules.tiny_world.identities import Identity

# style: (volume of the cap of hair, hairline above the eyes, where it ends beside the face)
_CAPS = {
    "short": (1.10, -0.52, -0.12),
    "side": (1.12, -0.46, 0.05),
    "spiky": (1.06, -0.56, -0.20),
    "buzz": (1.03, -0.60, -0.15),
    "curly": (1.16, -0.46, 0.10),
    "mohawk": (1.01, -0.95, -0.70),
    "long": (1.12, -0.44, 0.55),
    "wavy": (1.14, -0.40, 0.50),
    "bob": (1.14, -0.30, 0.62),
    "bun": (1.07, -0.54, -0.05),
    "ponytail": (1.08, -0.52, -0.02),
    "pigtails": (1.08, -0.42, 0.0),
}
HIDES_EARS = frozenset({"long", "wavy", "bob", "curly"})
COVERING_HATS = frozenset({"scarf"})


def draw_back_hair(brush: Brush, identity: Identity, frame: HeadFrame, gain: float) -> None:
    """What falls behind neck and shoulders; drawn before the body."""
    if identity.hat in COVERING_HATS:
        cloth = shade(identity.hat_rgb, gain * 0.82)
        _shape(brush, frame, [(-1.05, 0), (1.05, 0), (1.15, 1.75), (-1.15, 1.75)], cloth)
        return
    painter = _BACKS.get(identity.style)
    if painter is not None:
        painter(brush, frame, shade(identity.hair_rgb, gain * 0.84))


def _long(brush: Brush, frame: HeadFrame, color: Rgb) -> None:
    brush.ellipse(frame(0, 0.55), (1.16 * frame.radius, 1.45 * frame.radius), color, frame.roll_deg)


def _wavy(brush: Brush, frame: HeadFrame, color: Rgb) -> None:
    _long(brush, frame, color)
    for x, y in ((-1.0, 0.8), (1.0, 0.8), (-0.9, 1.5), (0.9, 1.5), (0, 1.7)):
        brush.disc(frame(x, y), 0.42 * frame.radius, color)


def _bob(brush: Brush, frame: HeadFrame, color: Rgb) -> None:
    brush.ellipse(frame(0, 0.22), (1.20 * frame.radius, 1.08 * frame.radius), color, frame.roll_deg)


def _curls(brush: Brush, frame: HeadFrame, color: Rgb) -> None:
    for k in range(9):
        t = math.pi * (0.86 + 1.28 * k / 8)
        brush.disc(frame(1.0 * math.cos(t), -0.12 + 1.0 * math.sin(t)), 0.44 * frame.radius, color)


def _ponytail(brush: Brush, frame: HeadFrame, color: Rgb) -> None:
    side = -1.0 if frame.yaw > 0 else 1.0
    tail = [(0.55, -0.9), (1.45, -0.7), (1.65, 0.5), (1.3, 1.25), (1.05, 0.4), (0.75, -0.2)]
    _shape(brush, frame, [(side * x, y) for x, y in tail], color)


def _pigtails(brush: Brush, frame: HeadFrame, color: Rgb) -> None:
    for side in (-1.0, 1.0):
        tail = (0.36 * frame.radius, 0.72 * frame.radius)
        brush.ellipse(frame(side * 1.28, 0.45), tail, color, frame.roll_deg - side * 12)


_BACKS = {
    "long": _long,
    "wavy": _wavy,
    "bob": _bob,
    "curly": _curls,
    "ponytail": _ponytail,
    "pigtails": _pigtails,
}


def draw_front_hair(brush: Brush, identity: Identity, frame: HeadFrame, gain: float) -> None:
    """What lies on the skull; drawn after the face."""
    style = identity.style
    if style == "bald":
        return
    color, r = shade(identity.hair_rgb, gain), frame.radius
    if style == "bun":
        brush.disc(frame(-0.15 * frame.yaw, -1.32), 0.46 * r, shade(color, 0.82))
        brush.disc(frame(-0.15 * frame.yaw, -1.34), 0.38 * r, color)
    if style == "mohawk":
        ridge = [(-0.30, -0.75), (-0.34, -1.25), (-0.16, -1.62), (0.16, -1.62), (0.34, -1.25), (0.30, -0.75)]
        brush.polygon([frame(x + 0.25 * frame.yaw, y) for x, y in ridge], color)
        return
    _draw_cap(brush, identity, frame, color)
    if style == "spiky":
        for k in range(6):
            t = math.pi * (1.12 + 0.76 * k / 5)
            tip = frame(1.55 * math.cos(t) * 0.85, 1.5 * math.sin(t))
            foot = [frame(0.9 * math.cos(t + d), 1.02 * math.sin(t + d)) for d in (-0.22, 0.22)]
            brush.polygon([foot[0], tip, foot[1]], color)
    if style == "curly":
        for k in range(7):
            t = math.pi * (1.06 + 0.88 * k / 6)
            brush.disc(frame(0.98 * math.cos(t), 1.02 * math.sin(t)), 0.34 * r, color)
    if style == "pigtails":
        for side in (-1.0, 1.0):
            brush.disc(frame(side * 1.05, -0.12), 0.16 * r, shade((236, 70, 90), gain))


def _draw_cap(brush: Brush, identity: Identity, frame: HeadFrame, color: Rgb) -> None:
    volume, line, ends = _CAPS[identity.style]
    ax, shift = identity.width, 0.42 * frame.yaw
    outer: list[Point] = []
    for k in range(15):
        t = math.pi * (1 + k / 14)
        outer.append((ax * volume * math.cos(t), 1.12 * volume * math.sin(t)))
    inner_edge = 0.84 * ax
    part = {"side": 0.55, "bob": 0.0, "long": 0.12, "wavy": -0.12, "short": -0.2}.get(identity.style, 0.0)
    inner: list[Point] = [
        (ax * volume, ends),
        (inner_edge + min(0.0, shift) * 0.35, ends),
        (inner_edge * 0.97 + min(0.0, shift) * 0.35, line + 0.26),
        (ax * 0.62 + shift, line + (0.02 if identity.style == "side" else 0.04)),
        (ax * part + shift, line - (0.16 if identity.style in ("side", "long", "wavy") else 0.02)),
        (-ax * 0.62 + shift, line + (0.14 if identity.style == "side" else 0.04)),
        (-inner_edge * 0.97 + max(0.0, shift) * 0.35, line + 0.26),
        (-inner_edge + max(0.0, shift) * 0.35, ends),
        (-ax * volume, ends),
    ]
    brush.polygon([frame(x, y) for x, y in outer + inner], color)
    gloss = [(ax * 0.75 * math.cos(t), 0.88 * math.sin(t)) for t in (3.75, 4.05, 4.35)]
    brush.polyline([frame(x, y) for x, y in gloss], 0.13 * frame.radius, mix(color, (255, 255, 255), 0.22))


def draw_hat(brush: Brush, identity: Identity, frame: HeadFrame, gain: float) -> None:
    """Headwear over the hair; nothing for "none"."""
    color = shade(identity.hat_rgb, gain)
    painter = _HATS.get(identity.hat)
    if painter is not None:
        painter(brush, frame, identity.width, color)


def _shape(brush: Brush, frame: HeadFrame, points: list[Point], color: Rgb) -> None:
    brush.polygon([frame(x, y) for x, y in points], color)


def _crown(width: float, height: float, brim_y: float) -> list[Point]:
    """Dome over the skull down to ``brim_y``."""
    return [
        (width * math.cos(t), brim_y + height * math.sin(t))
        for t in [math.pi * (1 + k / 12) for k in range(13)]
    ]


def _cap(brush: Brush, frame: HeadFrame, ax: float, color: Rgb) -> None:
    _shape(brush, frame, _crown(ax * 1.13, 0.82, -0.46), color)
    s = 0.42 * frame.yaw
    _shape(
        brush,
        frame,
        [(-0.78 + s, -0.52), (0.78 + s, -0.52), (0.92 + 1.6 * s, -0.28), (-0.92 + 1.6 * s, -0.28)],
        shade(color, 0.66),
    )
    brush.disc(frame(0, -1.27), 0.09 * frame.radius, shade(color, 0.66))


def _beanie(brush: Brush, frame: HeadFrame, ax: float, color: Rgb) -> None:
    _shape(brush, frame, _crown(ax * 1.14, 0.98, -0.46), color)
    brush.disc(frame(0, -1.5), 0.24 * frame.radius, mix(color, (255, 255, 255), 0.55))
    a = ax * 1.17
    _shape(brush, frame, [(-a, -0.68), (a, -0.68), (a, -0.34), (-a, -0.34)], mix(color, (255, 255, 255), 0.4))


def _brimmed(brush: Brush, frame: HeadFrame, ax: float, color: Rgb) -> None:
    _shape(brush, frame, _crown(ax * 0.98, 0.92, -0.5), color)
    a = ax * 1.0
    _shape(brush, frame, [(-a, -0.78), (a, -0.78), (a, -0.52), (-a, -0.52)], shade(color, 0.5))
    brush.ellipse(frame(0, -0.48), (1.55 * frame.radius, 0.22 * frame.radius), color, frame.roll_deg)


def _headband(brush: Brush, frame: HeadFrame, ax: float, color: Rgb) -> None:
    a = ax * 1.06
    _shape(brush, frame, [(-a, -0.62), (0, -0.74), (a, -0.62), (a, -0.36), (0, -0.48), (-a, -0.36)], color)


def _scarf(brush: Brush, frame: HeadFrame, ax: float, color: Rgb) -> None:
    shift = 0.3 * frame.yaw
    outer = [
        (1.18 * ax * math.cos(t), 0.04 + 1.26 * math.sin(t)) for t in [k * math.tau / 24 for k in range(25)]
    ]
    inner = [
        (shift + 0.76 * ax * math.cos(t), 0.16 + 0.80 * math.sin(t))
        for t in [-k * math.tau / 24 for k in range(25)]
    ]
    _shape(brush, frame, outer + inner, color)
    brush.polyline([frame(x, y) for x, y in inner], 0.07 * frame.radius, shade(color, 0.7))


def _helmet(brush: Brush, frame: HeadFrame, ax: float, color: Rgb) -> None:
    _shape(brush, frame, _crown(ax * 1.12, 0.95, -0.44), color)
    _shape(brush, frame, [(-0.14, -1.55), (0.14, -1.55), (0.14, -0.6), (-0.14, -0.6)], shade(color, 0.72))
    _shape(brush, frame, [(-0.32, -1.05), (0.32, -1.05), (0.22, -0.55), (-0.22, -0.55)], (250, 210, 70))
    brush.ellipse(
        frame(0, -0.44), (1.32 * frame.radius, 0.17 * frame.radius), shade(color, 0.8), frame.roll_deg
    )


def _hardhat(brush: Brush, frame: HeadFrame, ax: float, color: Rgb) -> None:
    _shape(brush, frame, _crown(ax * 1.10, 0.88, -0.46), color)
    _shape(
        brush,
        frame,
        [(-0.16, -1.38), (0.16, -1.38), (0.16, -0.55), (-0.16, -0.55)],
        mix(color, (255, 255, 255), 0.5),
    )
    brush.ellipse(
        frame(0.2 * frame.yaw, -0.46),
        (1.2 * frame.radius, 0.15 * frame.radius),
        shade(color, 0.82),
        frame.roll_deg,
    )


def _toque(brush: Brush, frame: HeadFrame, ax: float, color: Rgb) -> None:
    for x, y, k in ((-0.62, -1.5, 0.5), (0.62, -1.5, 0.5), (0, -1.72, 0.6)):
        brush.disc(frame(x, y), (k + 0.05) * frame.radius, shade(color, 0.8))
        brush.disc(frame(x, y), k * frame.radius, color)
    a = ax * 1.0
    _shape(brush, frame, [(-a, -1.35), (a, -1.35), (a, -0.5), (-a, -0.5)], color)
    _shape(brush, frame, [(-a, -0.68), (a, -0.68), (a, -0.5), (-a, -0.5)], shade(color, 0.82))


def _nurse(brush: Brush, frame: HeadFrame, ax: float, color: Rgb) -> None:
    a = ax * 0.95
    _shape(
        brush, frame, [(-a * 1.06, -1.36), (a * 1.06, -1.36), (a * 0.82, -0.62), (-a * 0.82, -0.62)], color
    )
    red = (216, 40, 50)
    _shape(brush, frame, [(-0.09, -1.26), (0.09, -1.26), (0.09, -0.74), (-0.09, -0.74)], red)
    _shape(brush, frame, [(-0.26, -1.09), (0.26, -1.09), (0.26, -0.91), (-0.26, -0.91)], red)


def _police(brush: Brush, frame: HeadFrame, ax: float, color: Rgb) -> None:
    _shape(
        brush, frame, [(-ax, -0.5), (-ax * 1.28, -1.16), (0, -1.42), (ax * 1.28, -1.16), (ax, -0.5)], color
    )
    s = 0.42 * frame.yaw
    _shape(brush, frame, [(-ax, -0.66), (ax, -0.66), (0.8 + s, -0.34), (-0.8 + s, -0.34)], shade(color, 0.45))
    brush.disc(frame(s * 0.7, -0.96), 0.19 * frame.radius, (250, 214, 80))


def _pointed(brush: Brush, frame: HeadFrame, ax: float, color: Rgb) -> None:
    _shape(brush, frame, [(-ax * 1.05, -0.5), (0.1, -2.5), (ax * 1.05, -0.5)], color)
    for x, y in ((-0.3, -0.95), (0.32, -1.1), (0.02, -1.6)):
        brush.disc(frame(x, y), 0.12 * frame.radius, (252, 224, 96))
    brush.ellipse(
        frame(0, -0.48), (1.5 * frame.radius, 0.2 * frame.radius), shade(color, 0.75), frame.roll_deg
    )


def _mortarboard(brush: Brush, frame: HeadFrame, ax: float, color: Rgb) -> None:
    _shape(
        brush, frame, [(-ax * 1.04, -0.48), (-ax, -1.0), (ax, -1.0), (ax * 1.04, -0.48)], shade(color, 1.3)
    )
    _shape(brush, frame, [(-1.5, -1.02), (0, -1.46), (1.5, -1.02), (0, -0.62)], color)
    brush.polyline(
        [frame(0, -1.04), frame(1.1, -0.9), frame(1.14, -0.35)], 0.1 * frame.radius, (246, 204, 62)
    )


_HATS = {
    "cap": _cap, "beanie": _beanie, "brimmed": _brimmed, "headband": _headband, "scarf": _scarf, "helmet": _helmet,
    "hardhat": _hardhat, "toque": _toque, "nurse": _nurse, "police": _police, "pointed": _pointed,
    "mortarboard": _mortarboard,
}  # fmt: skip
