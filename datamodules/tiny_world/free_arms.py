"""Arms where no action puts them, as after somebody's edit of a pose."""

import random
from dataclasses import replace

from datamodules.tiny_world.figures import Bend, Pose


def with_free_arm(pose: Pose, rng: random.Random) -> Pose:
    """The pose with one arm at any angle: the upper arm outwards, from hanging to straight up, the forearm as it likes.

    The arm is drawn in front of the trunk.
    """
    side = rng.choice((0, 1))
    outwards = 2 * side - 1
    upper = rng.uniform(0, 180)
    arm = Bend(
        outwards * upper,
        outwards * (upper + rng.uniform(-120, 120)),
        rng.uniform(0.7, 1),
        rng.uniform(0.7, 1),
    )
    (left, right), (behind, front) = pose.arms, pose.layers
    if side:
        return replace(pose, arms=(left, arm), layers=(behind, "front"))
    return replace(pose, arms=(arm, right), layers=("front", front))
