"""Where a person's reference view comes from (Ar2Can Algorithm 1, lines 3-8).

Multi-view: a second real view of the same person. Single-view: the face of the image itself, turned, mirrored, lit
anew. Synthetic: a generated view. Where a second or a generated view is asked for and there is none, a single view
takes its place, and ``Person.reference_source`` says so.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from jaxtyping import Float
from torch import Tensor

from datamodules.geometry.views import FaceView, ViewChange, face_view
from datamodules.schema.scene import Person, Scene

INSTEAD = " instead of "


class Source(StrEnum):
    """Kinds of reference views."""

    MULTI_VIEW = "multi_view"
    SINGLE_VIEW = "single_view"
    SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class View:
    """A reference view.

    Attributes:
        image: RGB in [0, 1].
        landmarks: five landmarks in [0, 1] of the view, image order.
        box: face box in [0, 1] of the view, or None where unknown.
        source: as ``Person.reference_source``.
        origin: what it was made from, where that is known.
    """

    image: Float[Tensor, "3 r r"]
    landmarks: Float[Tensor, "5 2"]
    box: Float[Tensor, " 4"] | None = None
    source: str = ""
    origin: str = ""


ViewMaker: TypeAlias = Callable[[Scene, int, random.Random], View | None]
"""Makes a view of a scene's k-th person, or says None; all chance comes from the generator it is given."""


@dataclass(frozen=True)
class ReferenceSources:
    """Shares of the three sources, and how far a single view is changed; the defaults are Ar2Can Algorithm 1's.

    Attributes:
        multi_view: share of second views.
        single_view: share of changed views from the image itself.
        synthetic: share of generated views.
        rotation_deg: greatest rotation of a single view, either way.
        flip: share of single views that are mirrored.
        brightness: greatest relative change of a single view's brightness, either way.

    Raises:
        ValueError: if the shares are negative or do not sum to 1, or a change is out of range.
    """

    multi_view: float = 0.5
    single_view: float = 0.4
    synthetic: float = 0.1
    rotation_deg: float = 15.0
    flip: float = 0.5
    brightness: float = 0.2

    def __post_init__(self) -> None:
        shares = self.shares()
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
            raise ValueError(f"multi_view, single_view, synthetic: {shares} must be at least 0 and sum to 1")
        if not (0 <= self.rotation_deg <= 180 and 0 <= self.flip <= 1 and 0 <= self.brightness < 1):
            raise ValueError(
                f"rotation_deg, flip, brightness: {self.rotation_deg}, {self.flip}, {self.brightness} must lie in "
                "[0, 180], [0, 1] and [0, 1)"
            )

    def shares(self) -> tuple[float, float, float]:
        """In the order of ``Source``."""
        return self.multi_view, self.single_view, self.synthetic

    def draw(self, rng: random.Random) -> Source:
        """One source, by its share."""
        return rng.choices(tuple(Source), self.shares())[0]

    def draw_change(self, rng: random.Random) -> ViewChange:
        """How a single view differs from the image."""
        return ViewChange(
            rotation_deg=rng.uniform(-self.rotation_deg, self.rotation_deg),
            flip=rng.random() < self.flip,
            brightness=1 + rng.uniform(-self.brightness, self.brightness),
        )


def own_reference(scene: Scene, k: int, rng: random.Random) -> View | None:
    """The second view that the scene already holds, if it does."""
    person = scene.persons[k]
    if person.reference is None or person.reference_landmarks is None:
        return None
    return View(person.reference, person.reference_landmarks, person.reference_box)


def choose_views(
    scene: Scene,
    sources: ReferenceSources,
    rng: random.Random,
    synthesize: ViewMaker | None = None,
    second_view: ViewMaker = own_reference,
    size: int | None = None,
) -> list[View]:
    """A reference view of every person, each from a source of its own (Ar2Can Algorithm 1, lines 3-8).

    Args:
        scene: whose people.
        sources: shares of the sources.
        rng: all chance comes from it.
        synthesize: makes generated views.
        second_view: finds second views; by default the references that the scene holds.
        size: side of single views in pixels; by default that of the scene's references.

    Raises:
        ValueError: if references have been chosen before, or ``size`` is left out and no reference tells it.
    """
    if chosen := {person.reference_source for person in scene.persons} - {""}:
        raise ValueError(
            f"sources: the references of scene {scene.scene_id!r} have been chosen already "
            f"({', '.join(sorted(chosen))}); leave sources out, or choose where the scenes are built"
        )
    makers = {Source.MULTI_VIEW: second_view, Source.SYNTHETIC: synthesize}
    views = []
    for k, person in enumerate(scene.persons):
        own = random.Random(rng.getrandbits(64))  # what one person needs of it does not move the others
        wanted = sources.draw(own)
        maker = makers.get(wanted)
        view = None if maker is None else maker(scene, k, own)
        if view is not None:
            views.append(replace(view, source=wanted.value))
            continue
        source = Source.SINGLE_VIEW.value
        if wanted is not Source.SINGLE_VIEW:
            source += INSTEAD + wanted.value
        cut = _single_view(scene, person, sources.draw_change(own), size)
        views.append(View(*cut, source=source, origin=scene.scene_id))
    return views


def choose_references(
    scene: Scene, sources: ReferenceSources, rng: random.Random, synthesize: ViewMaker | None = None
) -> Scene:
    """The scene with every person's reference chosen anew; a function of the scene and the state of ``rng``.

    Args:
        scene: its references are the second views.
        sources: shares of the sources.
        rng: all chance comes from it.
        synthesize: makes generated views; without it single views take their place.

    Raises:
        ValueError: if references have been chosen before, or no reference tells the size of single views.
    """
    views = choose_views(scene, sources, rng, synthesize)
    return with_views(scene, views)


def with_views(scene: Scene, views: list[View]) -> Scene:
    """The scene with these references, one per person."""
    persons = tuple(
        replace(
            person,
            reference=view.image,
            reference_landmarks=view.landmarks,
            reference_box=view.box,
            reference_source=view.source,
        )
        for person, view in zip(scene.persons, views, strict=True)
    )
    return replace(scene, persons=persons)


def _single_view(scene: Scene, person: Person, change: ViewChange, size: int | None) -> FaceView:
    if size is None:
        sizes = [p.reference.shape[-1] for p in scene.persons if p.reference is not None]
        if not sizes:
            raise ValueError(
                f"size: scene {scene.scene_id!r} holds no reference that tells the size of views; give it"
            )
        size = sizes[0]
    return face_view(scene.image, person.box, person.landmarks, size, change)
