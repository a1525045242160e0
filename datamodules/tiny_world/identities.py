"""Who somebody is: a parametric face that stays the same from view to view.

An identity is a set of discrete traits (hair, skin tone, glasses, beard, headwear ...) and a few continuous ones
(spacing of the eyes, shape of the jaw ...). The train, validation and test identities are disjoint by
construction: the traits other than iris colour and nose shape are hashed, and the iris-nose pair (one of twelve
codes) is chosen such that ``(hash + code) mod 12`` is 0 for val, 1 for test and 2 ... 11 for train. Every trait
keeps its distribution in every split, and no combination of traits occurs in two of them.
"""

import random
import zlib
from dataclasses import dataclass
from typing import Literal, TypeAlias

from datamodules.tiny_world.brush import Rgb, mix

Split: TypeAlias = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
SPLIT_BUCKETS = 12

SKINS: tuple[Rgb, ...] = (
    (255, 224, 200), (246, 205, 168), (228, 178, 130), (200, 146, 98), (160, 108, 68), (124, 82, 54), (96, 62, 44),
)  # fmt: skip
HAIR_COLORS: dict[str, Rgb] = {
    "black": (30, 26, 30), "brown": (92, 58, 34), "light brown": (148, 100, 58), "blond": (232, 194, 100),
    "red": (190, 72, 30), "gray": (150, 150, 156), "white": (238, 236, 230), "blue": (58, 100, 214),
    "green": (56, 160, 92), "pink": (236, 110, 170), "purple": (132, 72, 186),
}  # fmt: skip
IRISES: tuple[Rgb, ...] = ((66, 42, 26), (44, 104, 190), (50, 136, 72), (96, 100, 110))
NOSES = ("button", "long", "wide")
LIPS: tuple[Rgb, ...] = ((170, 84, 76), (196, 60, 76), (150, 50, 70), (214, 100, 110))
HAT_COLORS: dict[str, Rgb] = {
    "red": (210, 48, 48), "blue": (44, 84, 190), "green": (36, 140, 76), "yellow": (246, 204, 62),
    "black": (46, 46, 54), "white": (242, 242, 242), "purple": (130, 70, 180), "orange": (240, 132, 40),
}  # fmt: skip
GLASSES = ("none", "round", "square", "dark")
GLASSES_COLORS: tuple[Rgb, ...] = ((34, 32, 38), (196, 44, 52), (40, 92, 196), (120, 76, 36))
BEARDS = ("none", "moustache", "goatee", "full")
STYLES_WOMAN = ("long", "wavy", "bob", "bun", "ponytail", "pigtails", "curly", "short", "side")
STYLES_MAN = ("short", "side", "spiky", "buzz", "bald", "curly", "mohawk", "long", "short", "side")
HATS = ("cap", "beanie", "brimmed", "headband", "scarf")
HAT_WORDS = {"cap": "cap", "beanie": "beanie", "brimmed": "hat", "headband": "headband", "scarf": "headscarf"}


@dataclass(frozen=True)
class Identity:
    """One face. Lengths are fractions of the head radius.

    Attributes:
        traits: the discrete traits in a fixed order, iris and nose last; what the split is decided on.
        woman: woman or man.
        skin: skin colour.
        hair: name of the hair colour.
        hair_rgb: its colour.
        style: hair style.
        hat: headwear or "none".
        hat_name: name of its colour.
        hat_rgb: its colour.
        iris: colour of the eyes.
        nose: shape of the nose.
        glasses: frame or "none".
        glasses_rgb: colour of the frame.
        beard: kind or "none".
        earrings: wears earrings.
        freckles: has freckles.
        lips: colour of the lips.
        width: half width of the face.
        taper: narrowing towards the chin; negative is a square jaw.
        eye_distance: half distance between the eyes.
        eye_size: half width of an eye.
        brow: thickness of the brows.
        brow_tilt: slope of the brows; positive looks worried, negative stern.
        mouth: half width of the mouth.
    """

    traits: tuple[object, ...]
    woman: bool
    skin: Rgb
    hair: str
    hair_rgb: Rgb
    style: str
    hat: str
    hat_name: str
    hat_rgb: Rgb
    iris: Rgb
    nose: str
    glasses: str
    glasses_rgb: Rgb
    beard: str
    earrings: bool
    freckles: bool
    lips: Rgb
    width: float
    taper: float
    eye_distance: float
    eye_size: float
    brow: float
    brow_tilt: float
    mouth: float

    @property
    def name(self) -> str:
        """Unique name: equal for the same face only."""
        numbers = (
            self.skin,
            self.width,
            self.taper,
            self.eye_distance,
            self.eye_size,
            self.mouth,
            self.brow_tilt,
        )
        return f"{zlib.crc32(repr(self.traits).encode()):08x}{zlib.crc32(repr(numbers).encode()):08x}"


def split_of(traits: tuple[object, ...]) -> Split:
    """The split a combination of traits belongs to."""
    *base, iris, nose = traits
    code = int(iris) * len(NOSES) + int(nose)  # type: ignore[call-overload]
    return bucket_split(stable_hash(tuple(base)) + code)


def bucket_split(value: int) -> Split:
    """Bucket 0 of ``SPLIT_BUCKETS`` is val, 1 is test, the others are train."""
    bucket = value % SPLIT_BUCKETS
    return "val" if bucket == 0 else "test" if bucket == 1 else "train"


def stable_hash(value: object) -> int:
    """A hash of ``repr(value)`` that is the same in every process."""
    return zlib.crc32(repr(value).encode())


def sample_identity(
    rng: random.Random, split: Split, woman: bool, hat: tuple[str, str, Rgb] | None = None
) -> Identity:
    """Draw an identity of a split.

    Args:
        rng: source of randomness.
        split: which identities to draw from.
        woman: woman or man.
        hat: (kind, colour name, colour) of headwear that comes with a role; drawn freely where None.

    Returns:
        A new identity.
    """
    tone = rng.choices(range(len(SKINS) - 1), (4, 4, 3, 3, 2, 2))[0]
    hair = rng.choice(tuple(HAIR_COLORS))
    style = rng.choice(STYLES_WOMAN if woman else STYLES_MAN)
    kind, hat_name, hat_rgb = hat if hat is not None else _sample_hat(rng, woman)
    glasses = rng.choice(GLASSES) if rng.random() < 0.5 else "none"
    frame = rng.randrange(len(GLASSES_COLORS))
    beard = "none" if woman else rng.choice(BEARDS)
    earrings = rng.random() < (0.5 if woman else 0.1)
    freckles = rng.random() < 0.2
    lips = rng.randrange(1, len(LIPS)) if woman else 0
    jaw = rng.randrange(3)
    base = (woman, tone, hair, style, kind, hat_name, glasses, frame, beard, earrings, freckles, lips, jaw)
    iris, nose = _sample_code(rng, split, stable_hash(base))
    return Identity(
        traits=(*base, iris, nose),
        woman=woman,
        skin=mix(SKINS[tone], SKINS[tone + 1], rng.random()),
        hair=hair,
        hair_rgb=HAIR_COLORS[hair],
        style=style,
        hat=kind,
        hat_name=hat_name,
        hat_rgb=hat_rgb,
        iris=IRISES[iris],
        nose=NOSES[nose],
        glasses=glasses,
        glasses_rgb=GLASSES_COLORS[frame],
        beard=beard,
        earrings=earrings,
        freckles=freckles,
        lips=LIPS[lips],
        width=rng.uniform(0.85, 0.92) + (0.0, 0.05, 0.02)[jaw],
        taper=(0.30, 0.14, -0.02)[jaw] + rng.uniform(-0.04, 0.04),
        eye_distance=rng.uniform(0.33, 0.43),
        eye_size=rng.uniform(0.17, 0.23),
        brow=rng.uniform(0.08, 0.12) if woman else rng.uniform(0.10, 0.17),
        brow_tilt=rng.uniform(-0.10, 0.10),
        mouth=rng.uniform(0.22, 0.38),
    )


def _sample_hat(rng: random.Random, woman: bool) -> tuple[str, str, Rgb]:
    if rng.random() > 0.28:
        return "none", "", (0, 0, 0)
    name = rng.choice(tuple(HAT_COLORS))
    return rng.choice(HATS if woman else HATS[:4]), name, HAT_COLORS[name]


def _sample_code(rng: random.Random, split: Split, base: int) -> tuple[int, int]:
    """(iris, nose) such that the identity falls into the split."""
    bucket = rng.randrange(2, SPLIT_BUCKETS) if split == "train" else SPLITS.index(split) - 1
    code = (bucket - base) % SPLIT_BUCKETS
    return divmod(code, len(NOSES))


def likeness(a: Identity, b: Identity) -> int:
    """How many of the traits that show at a glance are equal (0 ... 6)."""
    pairs = (
        (a.hair, b.hair), (a.style, b.style), (a.hat + a.hat_name, b.hat + b.hat_name),
        (a.glasses, b.glasses), (a.beard, b.beard), (a.traits[1], b.traits[1]),
    )  # fmt: skip
    return sum(x == y for x, y in pairs)
