"""Words for numbers, people, actions and looks."""

import random

from datamodules.tiny_world.identities import HAT_WORDS, Identity
from datamodules.tiny_world.outfits import KIND_WORDS, ROLES, Outfit

NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven")
NOUNS = {
    "person": (("person", "person", "adult"), ("people", "people", "people", "friends", "persons", "adults")),
    "woman": (("woman", "woman", "lady"), ("women", "women", "ladies")),
    "man": (("man", "man", "gentleman"), ("men", "men", "gentlemen")),
}
ACTION_PHRASES: dict[str, tuple[str, ...]] = {
    "standing": ("standing", "standing still", "standing upright"),
    "waving": ("waving", "waving a hand", "waving hello"),
    "arms_raised": ("raising both arms", "cheering with both arms up", "holding both arms up"),
    "hands_on_hips": ("standing with hands on hips", "posing with hands on hips"),
    "walking": ("walking", "taking a walk", "strolling"),
    "running": ("running", "sprinting", "jogging"),
    "jumping": ("jumping", "jumping in the air", "leaping up"),
    "sitting": ("sitting", "sitting down", "seated"),
    "lying": ("lying down", "lying on the ground", "lying on one side"),
    "crouching": ("crouching", "squatting", "crouching down"),
    "kneeling": ("kneeling", "kneeling on one knee", "down on one knee"),
    "dancing": ("dancing", "dancing happily"),
    "crossing_arms": ("standing with crossed arms", "crossing their arms", "standing with arms crossed"),
    "pointing": ("pointing to the side", "pointing sideways", "pointing"),
    "leaning": ("leaning on a neighbor", "leaning on a friend", "leaning against someone"),
    "kicking": ("kicking", "kicking a leg high", "doing a high kick"),
    "bowing": ("bowing", "taking a bow", "bending forward"),
    "flexing": ("flexing their muscles", "flexing both arms", "showing off muscles"),
    "arms_spread": (
        "spreading both arms wide",
        "standing with arms spread wide",
        "stretching arms out sideways",
    ),
    "thinking": ("thinking, hand on chin", "thinking with a hand on the chin", "touching the chin"),
    "balancing": ("balancing on one leg", "standing on one leg", "doing a yoga tree pose"),
}
CAMERA_PHRASES = (
    "everyone is looking at the camera",
    "everyone is looking at the camera",
    "everyone looks at the camera",
    "all looking at the camera",
    "all facing the camera",
    "everyone is facing the camera",
)
CAMERA_PHRASES_SINGLE = ("looking at the camera", "looking straight at the camera", "facing the camera")


def number(rng: random.Random, count: int, digits: bool) -> str:
    """A count in words or digits."""
    return str(count) if digits else NUMBER_WORDS[count]


def noun(rng: random.Random, name: str, count: int) -> str:
    """A noun in the right number; roles have one form each."""
    if name in ROLES:
        return name if count == 1 else ROLES[name].plural
    singular, plural = NOUNS[name]
    return rng.choice(singular if count == 1 else plural)


def article(phrase: str) -> str:
    """The phrase behind "a" or "an"."""
    return f"{'an' if phrase[0] in 'aeio' else 'a'} {phrase}"


def looks(rng: random.Random, identity: Identity, outfit: Outfit, role: bool) -> tuple[list[str], list[str]]:
    """True words for one person: adjectives before the noun, and phrases after it."""
    before, after = [], []
    if identity.beard == "full":
        before.append("bearded")
    covered = identity.hat in ("scarf", "toque", "helmet")
    if identity.style == "bald" and identity.hat == "none":
        before.append("bald")
    elif not covered and identity.style not in ("bald", "buzz", "mohawk"):
        if rng.random() < 0.4:
            before.append(f"{identity.hair}-haired")
        else:
            long = "long " if identity.style in ("long", "wavy") and rng.random() < 0.5 else ""
            curly = "curly " if identity.style == "curly" else ""
            after.append(f"with {long}{curly}{identity.hair} hair")
    if identity.glasses == "dark":
        after.append(rng.choice(("in dark glasses", "wearing sunglasses")))
    elif identity.glasses != "none":
        after.append(rng.choice(("with glasses", "wearing glasses")))
    if not role:
        if identity.hat != "none":
            hat = f"{identity.hat_name} {HAT_WORDS[identity.hat]}"
            after.append(f"{rng.choice(('in', 'wearing'))} {article(hat)}")
        cloth = f"{outfit.color} {KIND_WORDS[outfit.kind]}"
        after.append(f"{rng.choice(('in', 'wearing'))} {article(cloth)}")
    rng.shuffle(before)
    rng.shuffle(after)
    return before, after
