"""What people wear."""

import random
from dataclasses import dataclass

from datamodules.tiny_world.brush import Rgb, mix

CLOTH_COLORS: dict[str, Rgb] = {
    "red": (214, 50, 52), "blue": (52, 96, 206), "green": (44, 150, 84), "yellow": (244, 206, 66),
    "orange": (240, 136, 44), "purple": (134, 76, 186), "pink": (242, 130, 176), "white": (240, 240, 240),
    "black": (54, 54, 62), "gray": (146, 150, 158), "brown": (134, 90, 58), "teal": (38, 152, 160),
}  # fmt: skip
BOTTOM_COLORS: tuple[Rgb, ...] = (
    (58, 78, 128), (40, 46, 66), (106, 82, 60), (92, 96, 104), (190, 170, 128), (70, 104, 82), (120, 60, 70),
)  # fmt: skip
SHOES: tuple[Rgb, ...] = ((52, 40, 36), (228, 228, 232), (190, 50, 50), (40, 60, 120), (120, 82, 50))
KINDS_MAN = ("shirt", "tee", "striped", "jacket", "vest", "suit", "hoodie")
KINDS_WOMAN = ("dress", "dress", "tee", "striped", "jacket", "skirt", "skirt", "shirt", "hoodie")
KIND_WORDS = {
    "shirt": "shirt", "tee": "t-shirt", "striped": "striped shirt", "jacket": "jacket", "vest": "vest",
    "suit": "suit", "hoodie": "hoodie", "dress": "dress", "skirt": "top",
}  # fmt: skip


@dataclass(frozen=True)
class Outfit:
    """Clothes of one person in one scene.

    Attributes:
        kind: cut of the upper part; "dress" and "robe" reach down.
        color: name of the main colour.
        top: main colour.
        accent: stripes, shirt under a jacket, apron ...
        sleeve: "none", "short" or "long".
        legs: "trousers", "shorts", "skirt" or "bare".
        bottom: colour of trousers, shorts or skirt.
        shoes: colour of the shoes.
    """

    kind: str
    color: str
    top: Rgb
    accent: Rgb
    sleeve: str
    legs: str
    bottom: Rgb
    shoes: Rgb


def sample_outfit(rng: random.Random, woman: bool, color: str | None = None) -> Outfit:
    """Everyday clothes, of a named colour if given."""
    kind = rng.choice(KINDS_WOMAN if woman else KINDS_MAN)
    color = color or rng.choice(tuple(CLOTH_COLORS))
    top = CLOTH_COLORS[color]
    legs = rng.choice(("trousers", "trousers", "shorts"))
    if kind in ("dress", "skirt"):
        legs = "skirt"
    bottom = top if kind == "dress" else rng.choice(BOTTOM_COLORS)
    if kind == "suit":
        bottom = mix(top, (20, 20, 30), 0.25)
        legs = "trousers"
    pale = (248, 246, 240)
    accent = pale if color not in ("white", "yellow", "pink") else rng.choice(((70, 80, 110), (150, 60, 70)))
    sleeve = {"tee": "short", "vest": "none", "dress": "short", "skirt": "short", "striped": "short"}.get(
        kind, "long"
    )
    if kind == "dress" and rng.random() < 0.5:
        sleeve = "none"
    return Outfit(kind, color, top, accent, sleeve, legs, bottom, rng.choice(SHOES))


@dataclass(frozen=True)
class Role:
    """A profession one can see.

    Attributes:
        plural: plural of the name.
        hat: (kind, colour name, colour) of the headwear, or None.
        outfit: the clothes.
    """

    plural: str
    hat: tuple[str, str, Rgb] | None
    outfit: Outfit


_DARK, _SCRUBS, _DENIM = (52, 40, 36), (104, 200, 206), (58, 78, 128)
ROLES: dict[str, Role] = {
    "firefighter": Role(
        "firefighters", ("helmet", "red", (206, 40, 40)),
        Outfit("bands", "brown", (98, 74, 52), (246, 222, 80), "long", "trousers", (98, 74, 52), _DARK),
    ),
    "nurse": Role(
        "nurses", ("nurse", "white", (246, 246, 246)),
        Outfit("scrubs", "teal", _SCRUBS, (246, 246, 246), "short", "trousers", _SCRUBS, (240, 240, 240)),
    ),
    "chef": Role(
        "chefs", ("toque", "white", (248, 248, 248)),
        Outfit("buttons", "white", (244, 244, 244), (60, 60, 70), "long", "trousers", (88, 92, 104), _DARK),
    ),
    "police officer": Role(
        "police officers", ("police", "blue", (36, 54, 118)),
        Outfit("badge", "blue", (60, 92, 176), (250, 214, 80), "long", "trousers", (32, 42, 82), _DARK),
    ),
    "builder": Role(
        "builders", ("hardhat", "yellow", (250, 206, 40)),
        Outfit("highvis", "orange", (250, 130, 30), (240, 244, 150), "short", "trousers", _DENIM, (150, 110, 60)),
    ),
    "doctor": Role(
        "doctors", None,
        Outfit("coat", "white", (246, 246, 248), (90, 160, 210), "long", "trousers", (70, 84, 110), _DARK),
    ),
    "farmer": Role(
        "farmers", ("brimmed", "yellow", (232, 196, 108)),
        Outfit("overalls", "red", (206, 70, 62), (66, 98, 168), "long", "trousers", (66, 98, 168), (120, 82, 50)),
    ),
    "wizard": Role(
        "wizards", ("pointed", "purple", (94, 60, 164)),
        Outfit("robe", "purple", (94, 60, 164), (252, 224, 96), "long", "skirt", (94, 60, 164), _DARK),
    ),
    "graduate": Role(
        "graduates", ("mortarboard", "black", (46, 46, 58)),
        Outfit("robe", "black", (56, 56, 70), (214, 60, 60), "long", "skirt", (56, 56, 70), _DARK),
    ),
    "football player": Role(
        "football players", ("headband", "white", (244, 244, 244)),
        Outfit("number", "green", (40, 160, 80), (250, 250, 250), "short", "shorts", (246, 246, 246), (40, 40, 50)),
    ),
}  # fmt: skip
