"""One scene of the tiny human world, complete with everything true about it.

``draw_scene`` is a pure function of (split, seed) and the forced parts: the same call gives the same bytes on every
machine with the same OpenCV. Identities and compositions are disjoint between the splits by construction
(``identities.py``, ``compositions.py``).
"""

import random

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.geometry.ordering import reading_order
from datamodules.schema.scene import Person, Scene
from datamodules.tiny_world.captions import Caption, write_caption
from datamodules.tiny_world.compositions import Composition, compose
from datamodules.tiny_world.environments import ENVIRONMENTS
from datamodules.tiny_world.identities import SPLITS, Split
from datamodules.tiny_world.placement import SIZE
from datamodules.tiny_world.portraits import draw_portrait
from datamodules.tiny_world.rendering import Rendering, keypoints, paint_place, render
from datamodules.tiny_world.staging import CastMember, Staged, cast, stage

MAX_FACE_COVERED = 0.30
"""A scene is drawn again while one of its faces is hidden by more than this."""
_ATTEMPTS = 12


def draw_scene(
    seed: int,
    split: Split,
    *,
    count: int | None = None,
    environment: str | None = None,
    action: str | None = None,
    frontal: bool | None = None,
    raised_arms: bool = False,
) -> Scene:
    """Draw a scene, 128 x 128.

    Args:
        seed: which scene of the split.
        split: train, val or test.
        count: force the number of people, 1 to 7.
        environment: force the place (``environments.ENVIRONMENT_NAMES``).
        action: force what everybody does (``poses.ACTIONS``).
        frontal: force that everyone looks, or does not look, at the camera.
        raised_arms: the same scene, but that everybody's left arm is where ``geometry.edits.raise_left_arm`` would put
            it: what a picture of an edited plan ought to look like.

    Returns:
        The scene: persons in reading order, each with a 64 x 64 reference from another angle.

    Raises:
        ValueError: for an unknown split, or a forced part that is unknown or impossible.
    """
    if split not in SPLITS:
        raise ValueError(f"split: {split!r}; choose one of {', '.join(SPLITS)}")
    rng = random.Random(f"{split}/{seed}")
    composition = compose(rng, split, count=count, environment=environment, action=action, frontal=frontal)
    members = cast(rng, composition, split)
    caption = write_caption(rng, composition, members)
    rendering, staged = _render_visibly(rng, composition, members, raised_arms)
    depths = {k: depth for depth, k in enumerate(reversed(rendering.order))}
    persons = [
        _person(rng, k, members[k], staged[k], rendering, caption, depths[k]) for k in range(len(members))
    ]
    order = reading_order(torch.stack([person.box for person in persons])).tolist()
    return Scene(
        prompt=caption.prompt,
        persons=tuple(persons[k] for k in order),
        image=_to_tensor(rendering.image),
        background=_to_tensor(rendering.background),
        scene_id=f"{split}/{seed}",
        seed=seed,
        environment=composition.environment,
        frontal=composition.frontal,
    )


def _render_visibly(
    rng: random.Random, composition: Composition, members: list[CastMember], raised_arms: bool
) -> tuple[Rendering, list[Staged]]:
    """Stage and draw until every face can be counted; keep the clearest drawing if none is clear.

    Arms are raised after that, and all else is drawn with the same strokes again.
    """
    place = ENVIRONMENTS[composition.environment]
    empty = paint_place(place, rng)
    best: tuple[Rendering, list[Staged]] | None = None
    strokes = random.Random()
    for _ in range(_ATTEMPTS):
        staged = stage(rng, members, composition.frontal)
        state = rng.getstate()
        drawn = render(rng, empty, place, members, staged)
        if best is None or max(drawn.covered) < max(best[0].covered):
            best = drawn, staged
            strokes.setstate(state)
        if max(drawn.covered) <= MAX_FACE_COVERED:
            break
    assert best is not None
    if not raised_arms:
        return best
    raised = [person.with_raised_arm() for person in best[1]]
    return render(strokes, empty, place, members, raised), raised


def _person(
    rng: random.Random,
    k: int,
    member: CastMember,
    staged: Staged,
    rendering: Rendering,
    caption: Caption,
    depth: int,
) -> Person:
    mask = rendering.owner == k + 1
    head = rendering.heads[k]
    box = np.clip(np.array(head.box, np.float32) / SIZE, 0.0, 1.0)
    portrait, landmarks = draw_portrait(rng, member.identity, staged.yaw_deg, member.outfit.top)
    return Person(
        box=torch.from_numpy(box),
        keypoints=_visible_keypoints(rendering, k, staged, mask),
        landmarks=torch.from_numpy(np.array(head.landmarks, np.float32) / SIZE),
        identity=member.identity.name,
        reference=_to_tensor(portrait),
        reference_landmarks=torch.from_numpy(landmarks),
        mask=torch.from_numpy(mask),
        description=caption.description(member.group),
        span=caption.spans[member.group],
        action=member.action,
        depth=depth,
        roll_deg=staged.roll_deg,
        yaw_deg=staged.yaw_deg,
    )


def _visible_keypoints(
    rendering: Rendering, k: int, staged: Staged, mask: np.ndarray
) -> Float[Tensor, "17 3"]:
    """v = 2 where the person's own pixel shows, 1 where it is hidden, (0, 0, 0) outside the image."""
    rows = []
    for (x, y), shown in keypoints(rendering, k, staged):
        inside = 0 <= x < SIZE and 0 <= y < SIZE
        if not inside:
            rows.append((0.0, 0.0, 0.0))
        else:
            rows.append((x / SIZE, y / SIZE, 2.0 if shown and mask[int(y), int(x)] else 1.0))
    return torch.tensor(rows, dtype=torch.float32)


def _to_tensor(pixels: np.ndarray) -> Float[Tensor, "3 h w"]:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float().div_(255)
