"""Which of COCO's images become human-in-place samples, and how they are cut to a square."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.coco_people import CocoImage
from datamodules.geometry.canvas import TOKEN_PIXELS
from datamodules.photographs.files import SUFFIXES, UnfitError
from datamodules.photographs.framing import Frame


@dataclass(frozen=True)
class CocoFolder:
    """Where the files are.

    Attributes:
        images: folders of photographs; each is searched for an image's ``file_name``.
        annotations: ``person_keypoints_*.json``.
        prompts: ``captions_*.json``, or JSONL with ``image_id`` and ``prompt``.
        backgrounds: folder of the same places without people, under the photograph's name (any image suffix). Where
            one is missing, a removal model writes it there as PNG.
    """

    images: tuple[str, ...]
    annotations: tuple[str, ...]
    prompts: tuple[str, ...]
    backgrounds: str

    def photograph(self, image: CocoImage) -> Path | None:
        """The photograph's file, if there is one."""
        paths = (Path(folder) / image.file_name for folder in self.images)
        return next((path for path in paths if path.is_file()), None)

    def background(self, image: CocoImage) -> Path | None:
        """The background's file, if there is one."""
        stem = Path(self.backgrounds) / Path(image.file_name).stem
        paths = (stem.with_name(stem.name + suffix) for suffix in sorted(SUFFIXES))
        return next((path for path in paths if path.is_file()), None)


@dataclass(frozen=True)
class SampleChoice:
    """Which images become samples, and of which size.

    Attributes:
        size: side of the square samples in pixels, a multiple of 16.
        fit: ``crop`` fills the square and moves it to the people, ``pad`` shows the whole photograph on grey.
        people: least and most people with enough labelled joints.
        min_keypoints: labelled joints (hidden ones included) that make a skeleton worth drawing.
        crowds: keep images with crowd regions or people without enough joints. They are in the people's mask and not in
            the source, but have no skeleton: a model would learn to add people that nobody planned.
        enlarge: greatest enlargement of a photograph.

    Raises:
        ValueError: naming what is out of range.
    """

    size: int = 512
    fit: Literal["crop", "pad"] = "crop"
    people: tuple[int, int] = (1, 7)
    min_keypoints: int = 5
    crowds: bool = False
    enlarge: float = 2.0

    def __post_init__(self) -> None:
        if self.size < TOKEN_PIXELS or self.size % TOKEN_PIXELS:
            raise ValueError(f"size: {self.size} must be a multiple of {TOKEN_PIXELS}")
        if self.fit not in ("crop", "pad"):
            raise ValueError(f"fit: {self.fit!r}; choose crop or pad")
        if not 1 <= self.people[0] <= self.people[1]:
            raise ValueError(f"people: {self.people}; give the least and the most, for example [1, 7]")
        if self.min_keypoints < 1 or self.enlarge <= 0:
            raise ValueError(
                f"min_keypoints, enlarge: {self.min_keypoints} and {self.enlarge}; give at least 1 joint and a "
                "positive scale"
            )

    def skeletons(self, image: CocoImage) -> Float[Tensor, "n k 3"]:
        """The people worth drawing, in [0, 1] of the photograph.

        Raises:
            UnfitError: saying why the image is no sample.
        """
        if not image.people:
            raise UnfitError("no person is annotated")
        clear = [p for p in image.people if not p.crowd and p.labelled >= self.min_keypoints]
        if len(clear) < len(image.people) and not self.crowds:
            crowd = any(person.crowd for person in image.people)
            raise UnfitError(
                "has a crowd region"
                if crowd
                else f"somebody has fewer than {self.min_keypoints} labelled joints"
            )
        if not self.people[0] <= len(clear) <= self.people[1]:
            raise UnfitError(f"{len(clear)} people with {self.min_keypoints} labelled joints or more")
        return torch.stack([person.keypoints for person in clear])

    def frame(self, keypoints: Float[Tensor, "n k 3"], photo: tuple[int, int]) -> Frame:
        """The square: all of the photograph, or what shows most of its people.

        Raises:
            UnfitError: if the photograph would have to be enlarged too much.
        """
        scale = self.size / (max(photo) if self.fit == "pad" else min(photo))
        if scale > self.enlarge + 1e-6:
            raise UnfitError(f"{photo[1]} x {photo[0]} pixels would have to be enlarged by {scale:.2f}")
        scaled = round(photo[0] * scale), round(photo[1] * scale)
        if self.fit == "pad":
            return Frame(
                scaled, (-((self.size - scaled[0]) // 2), -((self.size - scaled[1]) // 2)), (self.size,) * 2
            )
        joints = keypoints[keypoints[..., 2] > 0][:, :2] * torch.tensor([scaled[1], scaled[0]])
        middle = (joints.amin(0) + joints.amax(0)) / 2
        left, top = (
            min(max(0, round(float(m) - self.size / 2)), side - self.size)
            for m, side in zip(middle, scaled[::-1], strict=True)
        )
        return Frame(scaled, (top, left), (self.size,) * 2)

    def within(self, frame: Frame, keypoints: Float[Tensor, "n k 3"]) -> Float[Tensor, "m k 3"]:
        """The skeletons in the square; those outside are gone.

        Raises:
            UnfitError: if the edge cuts through somebody so that too few joints are left, or too few people are.
        """
        cut = frame.keypoints(keypoints)
        joints = (cut[..., 2] > 0).sum(dim=1)
        clear = cut[joints >= self.min_keypoints]
        if bool((joints[joints > 0] < self.min_keypoints).any()) and not self.crowds:
            raise UnfitError(f"the square leaves somebody fewer than {self.min_keypoints} labelled joints")
        if not self.people[0] <= len(clear) <= self.people[1]:
            raise UnfitError(f"the square shows {len(clear)} people")
        return clear
