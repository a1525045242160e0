"""One sample of the world, and a stacked batch of them."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from datamodules.schema.layout import Layout


@dataclass(frozen=True)
class Person:
    """One person of a scene.

    Attributes:
        box: face box, xyxy in [0, 1].
        keypoints: COCO-17 (x, y, v).
        landmarks: five face landmarks, image order.
        identity: name of the identity; equal names are the same person.
        reference: another view of the same face, or None where the data has none.
        reference_landmarks: its five landmarks, in [0, 1] of the reference.
        reference_box: its face box as ``box`` is drawn, in [0, 1] of the reference, or None where unknown.
        reference_source: where the reference comes from, once that was chosen (Ar2Can Algorithm 1): ``multi_view``,
            ``single_view``, ``synthetic``, or ``single_view instead of ...`` where what was asked for was not there;
            empty for a second view as the data has it.
        mask: the person's visible pixels.
        description: the words of the prompt that mean this person ("a red-haired woman").
        span: character range of the description in the prompt, ``(0, 0)`` if the prompt does not single them out.
        action: name of the action.
        depth: 0 is nearest to the camera.
        roll_deg: in-plane head rotation, positive clockwise as seen.
        yaw_deg: head rotation about the vertical, positive towards image right.
    """

    box: Float[Tensor, " 4"]
    keypoints: Float[Tensor, "k 3"]
    landmarks: Float[Tensor, "5 2"]
    identity: str
    reference: Float[Tensor, "3 r r"] | None = None
    reference_landmarks: Float[Tensor, "5 2"] | None = None
    reference_box: Float[Tensor, " 4"] | None = None
    reference_source: str = ""
    mask: Bool[Tensor, "h w"] | None = None
    description: str = ""
    span: tuple[int, int] = (0, 0)
    action: str = ""
    depth: int = 0
    roll_deg: float = 0.0
    yaw_deg: float = 0.0


@dataclass(frozen=True)
class Scene:
    """One sample: an image with several people, and everything true about it.

    Attributes:
        prompt: the caption.
        persons: left to right, then top to bottom by face centre.
        image: RGB in [0, 1].
        background: the same place without people, pixel-aligned, or None where the data has none.
        scene_id: unique name, ``split/seed``.
        seed: the integer the scene was drawn from.
        environment: name of the place.
        frontal: the prompt asks everyone to look at the camera.
    """

    prompt: str
    persons: tuple[Person, ...]
    image: Float[Tensor, "3 h w"]
    background: Float[Tensor, "3 h w"] | None
    scene_id: str
    seed: int
    environment: str = ""
    frontal: bool = False

    def __len__(self) -> int:
        return len(self.persons)


@dataclass(frozen=True)
class SceneBatch:
    """A stacked batch; person slots are padded to the largest count of the batch.

    Attributes:
        images: RGB in [0, 1].
        backgrounds: the same places without people, or None where the data has none.
        layout: boxes, keypoints, valid.
        landmarks: face landmarks, zeros where not valid.
        references: one other view per person, zeros where not valid.
        reference_landmarks: their landmarks.
        reference_boxes: their face boxes, zeros where unknown.
        masks: visible pixels per person.
        frontal: the prompt asks everyone to look at the camera.
        prompts: captions.
        spans: per scene, per person, the character range that means them.
        identities: per scene, per person, the name of the identity.
        scene_ids: unique names.
    """

    images: Float[Tensor, "b 3 h w"]
    backgrounds: Float[Tensor, "b 3 h w"] | None
    layout: Layout
    landmarks: Float[Tensor, "b n 5 2"]
    references: Float[Tensor, "b n 3 r r"]
    reference_landmarks: Float[Tensor, "b n 5 2"]
    reference_boxes: Float[Tensor, "b n 4"]
    masks: Bool[Tensor, "b n h w"]
    frontal: Bool[Tensor, " b"]
    prompts: tuple[str, ...]
    spans: tuple[tuple[tuple[int, int], ...], ...]
    identities: tuple[tuple[str, ...], ...]
    scene_ids: tuple[str, ...]

    def __len__(self) -> int:
        return self.images.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images in pixels."""
        return self.images.shape[-2], self.images.shape[-1]

    def to(self, device: torch.device | str) -> Self:
        """The same batch on another device (Lightning moves frozen dataclasses through this)."""
        return self._with_tensors(lambda value: value.to(device))

    def pin_memory(self) -> Self:
        """The same batch in page-locked memory."""
        return self._with_tensors(lambda value: value.pin_memory())

    def select(self, index: Int[Tensor, " m"]) -> Self:
        """The scenes at ``index``, in that order."""
        picked: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, Layout):
                picked[f.name] = value.select(index)
            elif isinstance(value, Tensor):
                picked[f.name] = value[index]
            elif value is None:
                picked[f.name] = None
            else:
                picked[f.name] = tuple(value[i] for i in index.tolist())
        return replace(self, **picked)

    def repeat(self, g: int) -> Self:
        """Each scene g times in a row: b groups of g samples."""
        return self.select(torch.arange(len(self)).repeat_interleave(g))

    def _with_tensors(self, change: Callable[[Any], Any]) -> Self:
        """The same batch with ``change`` applied to every tensor and to the layout."""
        changed: dict[str, Any] = {
            f.name: change(value)
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), (Tensor, Layout))
        }
        return replace(self, **changed)
