"""Bodies: two-part limbs, clothes and shoes on a figure of joints.

Every part has a darker rim, so that a limb in front of the trunk or of another person stays readable.
"""

import math

from datamodules.tiny_world.brush import Brush, Point, Rgb, mix, shade
from datamodules.tiny_world.figures import Figure
from datamodules.tiny_world.outfits import Outfit

_RIM = 1.1
ARM_WIDTHS, LEG_WIDTHS = (0.54, 0.42), (0.70, 0.54)


class BodyPainter:
    """Draws one person's body, bottom to top.

    Args:
        brush: where to draw.
        figure: joints in pixels.
        outfit: clothes.
        skin: colour of the skin.
        radius: head radius in pixels.
        gain: light.
    """

    def __init__(
        self, brush: Brush, figure: Figure, outfit: Outfit, skin: Rgb, radius: float, gain: float
    ) -> None:
        self.brush, self.figure, self.outfit, self.r = brush, figure, outfit, radius
        self.skin = shade(skin, gain)
        self.top, self.accent = shade(outfit.top, gain), shade(outfit.accent, gain)
        self.bottom, self.shoes = shade(outfit.bottom, gain), shade(outfit.shoes, gain)

    def draw_below_head(self) -> None:
        """Arms behind, legs, trunk, arms in front."""
        self._draw_arms("behind")
        order = (0, 1) if self.figure.pose.crossed else (1, 0)
        for side in order:
            self._draw_leg(side)
        if self.outfit.legs == "skirt":
            self._draw_skirt()
        self._draw_neck()
        self._draw_trunk()
        self._draw_arms("front")

    def draw_above_head(self) -> None:
        """Arms that pass in front of the face."""
        self._draw_arms("over")

    def _limb(
        self, points: tuple[Point, Point, Point], widths: tuple[float, float], colors: tuple[Rgb, Rgb]
    ) -> None:
        a, b, c = points
        upper, lower = widths[0] * self.r, widths[1] * self.r
        self.brush.line(a, b, upper + _RIM, shade(colors[0], 0.62))
        self.brush.line(b, c, lower + _RIM, shade(colors[1], 0.62))
        self.brush.line(b, c, lower, colors[1])
        self.brush.line(a, b, upper, colors[0])

    def _draw_arms(self, layer: str) -> None:
        f, sleeve = self.figure, self.outfit.sleeve
        cloth = shade(self.top, 0.88) if layer != "behind" else shade(self.top, 0.76)
        upper = cloth if sleeve != "none" else self.skin
        lower = shade(cloth, 1.12) if sleeve == "long" else self.skin
        for side in (0, 1):
            if f.pose.layers[side] != layer:
                continue
            self._draw_hand(f.elbows[side], f.wrists[side])
            self._limb((f.shoulders[side], f.elbows[side], f.wrists[side]), ARM_WIDTHS, (upper, lower))
            if sleeve == "long":
                self._draw_hand(f.elbows[side], f.wrists[side], rim=False)

    def _draw_hand(self, elbow: Point, wrist: Point, rim: bool = True) -> None:
        length = max(1e-6, math.hypot(wrist[0] - elbow[0], wrist[1] - elbow[1]))
        reach = 0.16 * self.r / length
        palm = (wrist[0] + reach * (wrist[0] - elbow[0]), wrist[1] + reach * (wrist[1] - elbow[1]))
        if rim:
            self.brush.disc(palm, 0.29 * self.r + _RIM / 2, shade(self.skin, 0.62))
        self.brush.disc(palm, 0.28 * self.r, self.skin)

    def _draw_leg(self, side: int) -> None:
        f, legs = self.figure, self.outfit.legs
        cloth = shade(self.bottom, 1.0 if side else 0.9)
        upper = cloth if legs in ("trousers", "shorts") else self.skin
        lower = shade(cloth, 1.14) if legs == "trousers" else self.skin
        self._draw_shoe(side)
        self._limb((f.hips[side], f.knees[side], f.ankles[side]), LEG_WIDTHS, (upper, lower))

    def _draw_shoe(self, side: int) -> None:
        knee, ankle = self.figure.knees[side], self.figure.ankles[side]
        dx, dy = ankle[0] - knee[0], ankle[1] - knee[1]
        length = max(1e-6, math.hypot(dx, dy))
        dx, dy = dx / length, dy / length
        outward = -1 if side == 0 else 1
        if self.figure.pose.turn < 0.8 and not self.figure.pose.thick_ground:
            outward = 1 if self.figure.pose.tilt_deg > 0 else -1
        # The sole is perpendicular to the shin, toes outward.
        toe = (dy * outward, -dx * outward)
        sole = (ankle[0] + dx * 0.10 * self.r, ankle[1] + dy * 0.10 * self.r)
        tip = (sole[0] + toe[0] * 0.34 * self.r, sole[1] + toe[1] * 0.34 * self.r)
        self.brush.line(sole, tip, 0.44 * self.r + _RIM, shade(self.shoes, 0.55))
        self.brush.line(sole, tip, 0.44 * self.r, self.shoes)

    def _draw_neck(self) -> None:
        f = self.figure
        middle = (f.neck[0] * 0.55 + f.head[0] * 0.45, f.neck[1] * 0.55 + f.head[1] * 0.45)
        self.brush.line(f.neck, middle, 0.62 * self.r, shade(self.skin, 0.78))

    def locate(self, across: float, down: float) -> Point:
        """Point of the trunk: across in head radii, down as a share of the way from neck to pelvis."""
        f = self.figure
        ex = (f.shoulders[1][0] - f.shoulders[0][0], f.shoulders[1][1] - f.shoulders[0][1])
        width = max(1e-6, math.hypot(*ex))
        k = across * self.r / width
        return (
            f.neck[0] + (f.pelvis[0] - f.neck[0]) * down + ex[0] * k,
            f.neck[1] + (f.pelvis[1] - f.neck[1]) * down + ex[1] * k,
        )

    def _draw_trunk(self) -> None:
        shoulder = 1.02 * self.figure.pose.turn
        hip = 0.56 * (0.4 + 0.6 * self.figure.pose.turn)
        flare = 0.28 if self.outfit.legs != "skirt" else 0.2
        outline = [
            (-0.30, -0.16), (-shoulder * 0.92, -0.10), (-shoulder - 0.20, 0.06), (-shoulder - 0.02, 0.34),
            (-hip - flare + 0.06, 0.72), (-hip - flare, 1.10), (hip + flare, 1.10), (hip + flare - 0.06, 0.72),
            (shoulder + 0.02, 0.34), (shoulder + 0.20, 0.06), (shoulder * 0.92, -0.10), (0.30, -0.16),
        ]  # fmt: skip
        points = [self.locate(x, y) for x, y in outline]
        self.brush.polyline(points, _RIM, shade(self.top, 0.62), closed=True)
        self.brush.polygon(points, self.top)
        side = [
            self.locate(x, y)
            for x, y in ((hip * 0.7, 1.10), (hip + flare, 1.10), (shoulder, 0.34), (shoulder * 0.7, 0.34))
        ]
        self.brush.polygon(side, shade(self.top, 0.90))
        detail = _DETAILS.get(self.outfit.kind)
        if detail is not None:
            detail(self)
        neckline = (
            self.skin
            if self.outfit.kind in ("tee", "dress", "skirt", "vest", "scrubs", "striped", "number")
            else self.accent
        )
        self.brush.polygon(
            [self.locate(x, y) for x, y in ((-0.32, -0.16), (0.32, -0.16), (0, 0.12))], neckline
        )

    def _draw_skirt(self) -> None:
        f, r = self.figure, self.r
        reach = 0.86 if self.outfit.kind in ("dress", "robe") else 0.74
        hem = []
        for side, outward in ((0, -1), (1, 1)):
            hip, knee = f.hips[side], f.knees[side]
            x, y = hip[0] + (knee[0] - hip[0]) * reach, hip[1] + (knee[1] - hip[1]) * reach
            hem.append((x + outward * 0.5 * r, y + 0.15 * r))
        if hem[0][0] > hem[1][0]:
            hem.reverse()
        waist = [self.locate(-0.62, 0.8), self.locate(0.62, 0.8)]
        points = [
            waist[0],
            waist[1],
            (f.hips[1][0] + 0.36 * r, f.hips[1][1]),
            hem[1],
            hem[0],
            (f.hips[0][0] - 0.36 * r, f.hips[0][1]),
        ]
        self.brush.polyline(points, _RIM, shade(self.bottom, 0.62), closed=True)
        self.brush.polygon(points, self.bottom)
        self.brush.line(hem[0], hem[1], 0.14 * r, shade(self.bottom, 0.78))

    def patch(self, corners: tuple[Point, ...], color: Rgb) -> None:
        """Filled shape in trunk coordinates."""
        self.brush.polygon([self.locate(x, y) for x, y in corners], color)

    def seam(self, start: Point, end: Point, width: float, color: Rgb) -> None:
        """Stroke in trunk coordinates."""
        self.brush.line(self.locate(*start), self.locate(*end), width * self.r, color)


def _stripes(p: BodyPainter) -> None:
    for y, half in ((0.22, 1.0), (0.52, 0.80), (0.82, 0.72)):
        k = half * (0.35 + 0.65 * p.figure.pose.turn)
        p.seam((-k, y), (k, y), 0.24, p.accent)


def _jacket(p: BodyPainter) -> None:
    p.patch(((-0.26, -0.14), (0.26, -0.14), (0.34, 1.08), (-0.34, 1.08)), p.accent)
    for side in (-1, 1):
        p.seam((side * 0.30, -0.1), (side * 0.38, 1.05), 0.10, shade(p.top, 0.66))


def _suit(p: BodyPainter) -> None:
    p.patch(((-0.36, -0.14), (0.36, -0.14), (0.0, 0.62)), (246, 246, 246))
    p.seam((0, 0.0), (0, 0.46), 0.20, (200, 44, 54))
    p.seam((0, 0.62), (0, 1.05), 0.08, shade(p.top, 0.6))


def _buttons(p: BodyPainter) -> None:
    p.seam((0, 0.1), (0, 1.05), 0.08, shade(p.top, 0.7))
    for y in (0.3, 0.55, 0.8):
        p.brush.disc(p.locate(-0.16, y), 0.09 * p.r, p.accent)
        p.brush.disc(p.locate(0.20, y), 0.09 * p.r, p.accent)


def _shirt(p: BodyPainter) -> None:
    p.seam((0, 0.1), (0, 1.05), 0.08, shade(p.top, 0.7))


def _hoodie(p: BodyPainter) -> None:
    p.patch(((-0.5, 0.62), (0.5, 0.62), (0.62, 0.95), (-0.62, 0.95)), shade(p.top, 0.78))
    for x in (-0.2, 0.2):
        p.seam((x, 0.0), (x, 0.3), 0.07, p.accent)


def _bands(p: BodyPainter) -> None:
    for y, half in ((0.42, 0.86), (0.86, 0.74)):
        p.seam((-half, y), (half, y), 0.24, p.accent)
    p.seam((0, 0.0), (0, 1.05), 0.10, shade(p.top, 0.6))


def _scrubs(p: BodyPainter) -> None:
    p.patch(((0.15, 0.38), (0.55, 0.38), (0.55, 0.66), (0.15, 0.66)), shade(p.top, 0.84))


def _badge(p: BodyPainter) -> None:
    p.seam((0, 0.1), (0, 0.9), 0.14, (30, 36, 60))
    p.brush.disc(p.locate(0.48, 0.32), 0.17 * p.r, p.accent)
    p.seam((-0.74, 1.0), (0.74, 1.0), 0.18, (30, 32, 40))


def _highvis(p: BodyPainter) -> None:
    for x in (-0.5, 0.5):
        p.seam((x, 0.0), (x, 1.0), 0.22, p.accent)
    p.seam((-0.78, 0.72), (0.78, 0.72), 0.22, p.accent)


def _coat(p: BodyPainter) -> None:
    p.patch(((-0.28, -0.14), (0.28, -0.14), (0.2, 0.75), (-0.2, 0.75)), p.accent)
    p.seam((-0.42, -0.05), (-0.2, 0.42), 0.09, (60, 64, 76))
    p.seam((0.42, -0.05), (0.2, 0.42), 0.09, (60, 64, 76))
    p.brush.disc(p.locate(0.2, 0.46), 0.13 * p.r, (90, 94, 108))


def _overalls(p: BodyPainter) -> None:
    p.patch(((-0.52, 0.42), (0.52, 0.42), (0.74, 1.1), (-0.74, 1.1)), p.accent)
    for x in (-0.45, 0.45):
        p.seam((x, -0.06), (x, 0.5), 0.16, p.accent)


def _robe(p: BodyPainter) -> None:
    p.seam((-0.28, -0.1), (0, 0.55), 0.16, p.accent)
    p.seam((0.28, -0.1), (0, 0.55), 0.16, p.accent)
    p.seam((0, 0.55), (0, 1.05), 0.10, mix(p.top, p.accent, 0.5))


def _number(p: BodyPainter) -> None:
    p.seam((0.0, 0.32), (0.0, 0.82), 0.20, p.accent)
    p.seam((-0.2, 0.40), (0.0, 0.32), 0.14, p.accent)


def _vest(p: BodyPainter) -> None:
    for side in (-1, 1):
        p.seam((side * 0.84, -0.02), (side * 0.92, 0.3), 0.14, shade(p.top, 0.7))


_DETAILS = {
    "striped": _stripes, "jacket": _jacket, "suit": _suit, "buttons": _buttons, "shirt": _shirt, "hoodie": _hoodie,
    "bands": _bands, "scrubs": _scrubs, "badge": _badge, "highvis": _highvis, "coat": _coat, "overalls": _overalls,
    "robe": _robe, "number": _number, "vest": _vest,
}  # fmt: skip
