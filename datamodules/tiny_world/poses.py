"""Twenty-one named actions, each a family of poses with jitter.

Every function takes a ``Situation`` and returns a ``Pose``; angles are degrees from straight down, positive towards
image right, ``s`` = -1 for the image-left limb and +1 for the image-right one.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from datamodules.tiny_world.figures import Bend, Pose, Reach


@dataclass(frozen=True)
class Situation:
    """What a pose may depend on besides chance.

    Attributes:
        rng: source of randomness.
        room: distance to the nearest neighbour's head, in head radii.
        neighbour: (dx, dy) to the head of the person leant on, in head radii.
    """

    rng: random.Random
    room: float = 6.0
    neighbour: tuple[float, float] | None = None

    def j(self, mean: float, spread: float) -> float:
        """Jittered value, cut at two standard deviations."""
        return mean + max(-2.0, min(2.0, self.rng.gauss(0, 1))) * spread

    def side(self) -> int:
        """-1 or +1."""
        return self.rng.choice((-1, 1))


def _rest(s: int, q: Situation) -> Bend:
    return Bend(s * q.j(11, 4), s * q.j(5, 5))


def _straight(s: int, q: Situation) -> Bend:
    return Bend(s * q.j(5, 2), s * q.j(2, 2))


def _pick(side: int, chosen: object, other: object) -> tuple:
    """Order (image left, image right) with ``chosen`` on ``side``."""
    return (chosen, other) if side < 0 else (other, chosen)


def _both(make: Callable[[int, Situation], object], q: Situation) -> tuple:
    return make(-1, q), make(1, q)


def standing(q: Situation) -> Pose:
    """Upright, arms hanging, sometimes a hand in a pocket."""
    arms = _both(_rest, q)
    if q.rng.random() < 0.3:
        s = q.side()
        arms = _pick(s, Bend(s * q.j(26, 4), s * q.j(-16, 4)), _rest(-s, q))
    return Pose(arms=arms, legs=_both(_straight, q), tilt_deg=q.j(0, 1.5))


def waving(q: Situation) -> Pose:
    """One hand beside the head, upper arm out, forearm up."""
    s, tight = q.side(), q.room < 3.2
    arm = Bend(s * q.j(148 if tight else 118, 6), s * q.j(184 if tight else 164, 9))
    return Pose(arms=_pick(s, arm, _rest(-s, q)), legs=_both(_straight, q), tilt_deg=s * q.j(-2, 2))


def arms_raised(q: Situation) -> Pose:
    """Both arms up."""
    upper, lower = (158, 176) if q.room < 3.2 else (146, 166)
    arms = _both(lambda s, p: Bend(s * p.j(upper, 4), s * p.j(lower, 5)), q)
    return Pose(arms=arms, legs=_both(lambda s, p: Bend(s * p.j(8, 3), s * p.j(4, 3)), q))


def hands_on_hips(q: Situation) -> Pose:
    """Elbows out, hands at the waist."""
    arms = _both(lambda s, p: Bend(s * p.j(48, 4), s * p.j(-56, 5)), q)
    return Pose(arms=arms, legs=_both(lambda s, p: Bend(s * p.j(12, 3), s * p.j(5, 2)), q))


def walking(q: Situation) -> Pose:
    """Legs in a stride, arms swinging against them."""
    d = q.side()
    lead = Bend(d * q.j(27, 4), d * q.j(10, 3))
    trail = Bend(-d * q.j(18, 3), -d * q.j(40, 5))
    fore = Bend(d * q.j(30, 5), d * q.j(52, 7))
    back = Bend(-d * q.j(32, 5), -d * q.j(14, 6))
    return Pose(
        arms=_pick(-1, back if d > 0 else fore, fore if d > 0 else back),
        legs=(trail, lead) if d > 0 else (lead, trail),
        turn=0.72,
        tilt_deg=d * 3,
        layers=("front", "behind") if d > 0 else ("behind", "front"),
    )


def running(q: Situation) -> Pose:
    """A knee lifted high, the other foot kicked back, elbows bent at right angles."""
    d = q.side()
    lead = Bend(d * q.j(58, 6), d * q.j(-22, 6))
    trail = Bend(-d * q.j(14, 4), -d * q.j(66, 7))
    fore = Bend(d * q.j(38, 6), d * q.j(128, 8))
    back = Bend(-d * q.j(62, 6), d * q.j(24, 8))
    return Pose(
        arms=(back, fore) if d > 0 else (fore, back),
        legs=(trail, lead) if d > 0 else (lead, trail),
        turn=0.72,
        tilt_deg=d * q.j(9, 2),
        lift=0.35,
        layers=("front", "front"),
    )


def jumping(q: Situation) -> Pose:
    """Off the ground: knees tucked, or a star."""
    upper = 152 if q.room < 3.2 else 138
    arms = _both(lambda s, p: Bend(s * p.j(upper, 5), s * p.j(upper + 18, 7)), q)
    if q.rng.random() < 0.6:
        legs = _both(lambda s, p: Bend(s * p.j(46, 6), s * p.j(-28, 7), 0.92, 0.86), q)
    else:
        legs = _both(lambda s, p: Bend(s * p.j(36, 4), s * p.j(30, 4)), q)
    return Pose(arms=arms, legs=legs, lift=q.j(0.95, 0.12))


def sitting(q: Situation) -> Pose:
    """On a seat, knees to one side, hands in the lap."""
    d = q.side()
    legs = tuple(Bend(d * q.j(74 - 10 * k, 4), d * q.j(3 - 6 * k, 4), 0.82, 0.94) for k in (0, 1))
    arms = (
        Reach(d * q.j(0.75, 0.1) - 0.15, q.j(2.0, 0.1), -1.0),
        Reach(d * q.j(0.75, 0.1) + 0.15, q.j(2.0, 0.1), 1.0),
    )
    return Pose(arms=arms, legs=(legs[0], legs[1]), turn=0.86, tilt_deg=-d * q.j(3, 2))


def lying(q: Situation) -> Pose:
    """On the side, head propped on a hand, one knee up."""
    d = q.side()
    near = Bend(d * q.j(20, 8), d * q.j(172, 6))
    far = Bend(-d * q.j(72, 6), -d * q.j(78, 8))
    # The image side towards the head carries the propping arm: the trunk is nearly horizontal.
    straight = Bend(-d * q.j(84, 3), -d * q.j(88, 3))
    bent = Bend(-d * q.j(118, 6), -d * q.j(24, 8), 0.9, 0.95)
    return Pose(
        arms=_pick(d, near, far),
        legs=_pick(-d, bent, straight),
        tilt_deg=d * q.j(72, 4), head_tilt_deg=-d * q.j(16, 4), head_roll_deg=d * q.j(24, 8), turn=0.7,
        thick_ground=True,
    )  # fmt: skip


def crouching(q: Situation) -> Pose:
    """A squat, knees out, hands on the knees."""
    legs = _both(lambda s, p: Bend(s * p.j(72, 4), s * p.j(-24, 4), 0.80, 0.92), q)
    arms = _both(lambda s, p: Reach(s * p.j(1.35, 0.1), p.j(1.75, 0.1), s * 1.0), q)
    return Pose(arms=arms, legs=legs, trunk_scale=0.92)


def kneeling(q: Situation) -> Pose:
    """On one knee, the other foot set in front."""
    d = q.side()
    raised = Bend(d * q.j(78, 4), d * q.j(-2, 4), 0.86, 1.0)
    down = Bend(-d * q.j(10, 3), -d * q.j(78, 6), 0.98, 0.5)
    hand = Reach(d * q.j(1.35, 0.1), q.j(1.75, 0.1), d * 1.0)
    return Pose(arms=_pick(d, hand, _rest(-d, q)), legs=_pick(d, raised, down), turn=0.9)


def dancing(q: Situation) -> Pose:
    """One arm up, one out, hips swung, a leg lifted."""
    d, tight = q.side(), q.room < 3.2
    up = Bend(d * q.j(150 if tight else 136, 6), d * q.j(200 if tight else 176, 12))
    out = Bend(-d * q.j(58 if tight else 78, 8), -d * q.j(128, 14))
    lifted = Bend(d * q.j(48, 7), d * q.j(-34, 9))
    base = Bend(-d * q.j(4, 3), -d * q.j(-2, 4))
    return Pose(
        arms=_pick(d, up, out), legs=_pick(d, lifted, base), tilt_deg=-d * q.j(9, 3), head_tilt_deg=d * q.j(6, 3),
        head_roll_deg=d * q.j(6, 4),
    )  # fmt: skip


def crossing_arms(q: Situation) -> Pose:
    """Forearms crossed over the chest."""
    height = q.j(1.12, 0.06)
    arms = (Reach(0.62, height - 0.08, -1.0), Reach(-0.62, height + 0.10, 1.0))
    return Pose(arms=arms, legs=_both(lambda s, p: Bend(s * p.j(8, 3), s * p.j(4, 2)), q))


def pointing(q: Situation) -> Pose:
    """One straight arm to the side."""
    s = q.side()
    angle = q.j(92, 7)
    scale = 0.82 if q.room < 3.2 else 1.0
    return Pose(
        arms=_pick(s, Bend(s * angle, s * angle, scale, scale), _rest(-s, q)),
        legs=_both(_straight, q),
        tilt_deg=-s * q.j(2, 1.5),
    )


def leaning(q: Situation) -> Pose:
    """Weight on a neighbour: trunk tilted, an arm on their shoulder, legs crossed."""
    dx, dy = q.neighbour if q.neighbour is not None else (2.8, 0.0)
    d = 1 if dx > 0 else -1
    arm = Reach(d * min(abs(dx) - 0.25, 2.9), dy + 0.05, d * 1.0)
    legs = _pick(d, Bend(-d * q.j(6, 2), -d * q.j(4, 2)), Bend(d * q.j(16, 3), d * q.j(2, 3)))
    return Pose(
        arms=_pick(d, arm, Bend(-d * q.j(46, 4), d * q.j(54, 5))),
        legs=legs,
        tilt_deg=d * q.j(9, 1.5),
        head_roll_deg=d * q.j(9, 3),
        crossed=d < 0,
    )


def kicking(q: Situation) -> Pose:
    """One leg swung high to the side, arms out for balance."""
    d = q.side()
    angle = q.j(70, 7)
    spread = 0.7 if q.room < 3.2 else 1.0
    arms = _pick(
        d,
        Bend(d * q.j(62, 6), d * q.j(84, 8), spread, spread),
        Bend(-d * q.j(78, 6), -d * q.j(96, 8), spread, spread),
    )
    return Pose(
        arms=arms, legs=_pick(d, Bend(d * angle, d * (angle - 4)), Bend(-d * q.j(6, 2), d * q.j(2, 2))),
        tilt_deg=-d * q.j(11, 2),
    )  # fmt: skip


def bowing(q: Situation) -> Pose:
    """Trunk bent far to one side, one hand on the belly, the other behind."""
    d = q.side()
    return Pose(
        arms=_pick(d, Reach(0.1 * d, 1.5, d * 1.0), Bend(-d * q.j(52, 6), -d * q.j(80, 8))),
        legs=_both(lambda s, p: Bend(-d * p.j(5, 2) + s * 3, -d * p.j(2, 2) + s * 3), q),
        tilt_deg=d * q.j(44, 4), head_tilt_deg=d * q.j(10, 3), head_roll_deg=d * q.j(26, 5), turn=0.8,
        layers=_pick(d, "front", "behind"),
    )  # fmt: skip


def flexing(q: Situation) -> Pose:
    """Upper arms level, fists up."""
    scale = 0.68 if q.room < 3.2 else 0.9
    arms = _both(lambda s, p: Bend(s * p.j(84, 5), s * p.j(190, 6), scale, 0.9), q)
    return Pose(arms=arms, legs=_both(lambda s, p: Bend(s * p.j(12, 3), s * p.j(6, 3)), q))


def arms_spread(q: Situation) -> Pose:
    """Both arms straight out."""
    scale = 0.72 if q.room < 3.2 else 1.0
    arms = _both(lambda s, p: Bend(s * p.j(86, 5), s * p.j(90, 6), scale, scale), q)
    return Pose(arms=arms, legs=_both(lambda s, p: Bend(s * p.j(10, 3), s * p.j(5, 3)), q))


def thinking(q: Situation) -> Pose:
    """A hand at the chin, the other arm across the belly."""
    s = q.side()
    chin, across = Reach(s * 0.34, q.j(-0.30, 0.05), s * 1.0), Reach(s * 0.75, q.j(1.35, 0.06), -s * 1.0)
    return Pose(
        arms=_pick(s, chin, across), legs=_both(_straight, q), head_tilt_deg=s * q.j(4, 2),
        layers=_pick(s, "over", "front"), head_roll_deg=s * q.j(6, 3),
    )  # fmt: skip


def balancing(q: Situation) -> Pose:
    """On one leg like a tree: the other foot at the knee, hands joined overhead."""
    s = q.side()
    arms = _both(lambda k, p: Bend(k * p.j(158, 3), k * p.j(200, 4)), q)
    bent = Bend(s * q.j(70, 4), -s * q.j(52, 4), 0.86, 0.9)
    return Pose(arms=arms, legs=_pick(s, bent, Bend(-s * q.j(2, 1), s * q.j(2, 1))), crossed=s > 0)


POSES: dict[str, Callable[[Situation], Pose]] = {
    f.__name__: f
    for f in (
        standing, waving, arms_raised, hands_on_hips, walking, running, jumping, sitting, lying, crouching, kneeling,
        dancing, crossing_arms, pointing, leaning, kicking, bowing, flexing, arms_spread, thinking, balancing,
    )
}  # fmt: skip
ACTIONS: tuple[str, ...] = tuple(POSES)
"""Every action's name."""

LOW_ACTIONS = frozenset({"sitting", "lying", "crouching", "kneeling"})
"""Heads well below a standing person's: these go to the front row."""

RAISING_ACTIONS = frozenset({"waving", "arms_raised", "jumping", "flexing", "dancing", "balancing"})
"""Hands at the height of the head or above."""

TILTED_ACTIONS = frozenset({"lying", "bowing"})
"""Nobody does these while looking straight at the camera."""


def sample_pose(action: str, situation: Situation, upright_head: bool) -> Pose:
    """A pose of the action's family; ``upright_head`` takes the pose's own roll from the head."""
    pose = POSES[action](situation)
    return replace(pose, head_roll_deg=0.0) if upright_head else pose
