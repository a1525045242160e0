"""Human-in-place samples from files: COCO-style people, their photographs, and the same places without them.

Nothing is guessed silently: an image that cannot be a sample is left out, and ``HumanInPlaceFiles.left_out`` says why.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.utils.data import Dataset

from datamodules.coco_people import CocoImage, read_people, read_prompts, read_splits
from datamodules.coco_samples import CocoFolder, SampleChoice
from datamodules.geometry.draw import draw_layouts
from datamodules.geometry.heads import head_boxes
from datamodules.human_in_place import HumanInPlaceLoaders
from datamodules.human_removal import HumanRemoval
from datamodules.photographs.files import UnfitError, decode, encode
from datamodules.photographs.framing import Frame
from datamodules.schema.human_in_place import HumanInPlace
from datamodules.schema.layout import Layout
from datamodules.tiny_world.identities import SPLITS, Split
from datamodules.whole_files import write_whole


@dataclass(frozen=True)
class _Sample:
    image: CocoImage
    photograph: Path
    prompt: str
    frame: Frame
    keypoints: Tensor


class HumanInPlaceFiles(Dataset[HumanInPlace]):
    """Samples of one photograph each, in the order of the ids.

    Args:
        files: where the files are.
        choice: which images, of which size.
        ids: the images wanted; all that are annotated if None.
        removal: makes the backgrounds that are missing; images without one are left out if None.

    Attributes:
        left_out: why, by image id.
    """

    def __init__(
        self,
        files: CocoFolder,
        choice: SampleChoice | None = None,
        ids: Collection[int] | None = None,
        removal: HumanRemoval | None = None,
    ) -> None:
        self.files, self.choice, self.removal = files, choice or SampleChoice(), removal
        images, prompts = read_people(files.annotations), read_prompts(files.prompts)
        self.left_out: dict[int, str] = {}
        self.samples: list[_Sample] = []
        for key in images if ids is None else ids:
            try:
                self.samples.append(self._sample(images.get(key), prompts.get(key)))
            except UnfitError as error:
                self.left_out[key] = str(error)

    def __len__(self) -> int:
        return len(self.samples)

    def reasons(self) -> dict[str, int]:
        """How many images were left out for which reason."""
        return dict(Counter(self.left_out.values()).most_common())

    def image_id(self, index: int) -> int:
        """COCO's number of a sample."""
        return self.samples[index].image.image_id

    def __getitem__(self, index: int) -> HumanInPlace:
        """A sample.

        Raises:
            ValueError: naming a file that is not the picture it should be.
        """
        sample = self.samples[index]
        photo = _picture(sample.photograph, sample.image.size)
        people = sample.image.mask()
        source = sample.frame.cut(self._background(sample.image, photo, people))[None]
        layout = _layout(sample.keypoints, self.choice.size)
        return HumanInPlace(
            source=source,
            target=sample.frame.cut(photo)[None],
            layout_image=draw_layouts(layout, (self.choice.size,) * 2, source),
            prompts=(sample.prompt,),
            layout=layout,
            people_mask=sample.frame.cut(people[None].float(), beyond=0.0) > 0,
            names=(sample.photograph.stem,),
        )

    def _sample(self, image: CocoImage | None, prompt: str | None) -> _Sample:
        if image is None:
            raise UnfitError("is in no annotation file")
        photograph = self.files.photograph(image)
        if photograph is None:
            raise UnfitError("its photograph is in none of the folders")
        if not prompt:
            raise UnfitError("has no prompt")
        if self.removal is None and self.files.background(image) is None:
            raise UnfitError("has no background, and no removal model is given")
        keypoints = self.choice.skeletons(image)
        frame = self.choice.frame(keypoints, image.size)
        return _Sample(image, photograph, prompt, frame, self.choice.within(frame, keypoints))

    def _background(
        self, image: CocoImage, photo: Float[Tensor, "3 h w"], people: Bool[Tensor, "h w"]
    ) -> Float[Tensor, "3 h w"]:
        path = self.files.background(image)
        if path is None:
            assert self.removal is not None  # or the image would have been left out
            path = (Path(self.files.backgrounds) / Path(image.file_name).stem).with_suffix(".png")
            write_whole(path, encode(self.removal.remove(photo[None], people[None])[0]))
        return _picture(path, image.size)


class HumanInPlaceFilesDataModule(HumanInPlaceLoaders):
    """Training, validation and test samples from files.

    Args:
        files: where the files are.
        choice: which images, of which size.
        splits: folder of the official ``vcoco_*.ids``; without, a twentieth of the images, by number, is for validation
            and another for the test.
        removal: makes the backgrounds that are missing.
        batch_size: samples per batch.
        num_workers: loader processes.
        seed: of the order of training samples; batches are endless and a function of the step (``step_batches``).
    """

    def __init__(
        self,
        files: CocoFolder,
        choice: SampleChoice | None = None,
        splits: str | None = None,
        removal: HumanRemoval | None = None,
        batch_size: int = 1,
        num_workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, num_workers, seed)
        self.files, self.choice, self.splits, self.removal = files, choice, splits, removal

    def described(self) -> str:
        """What a model is trained on, for its card."""
        names = ", ".join(Path(file).name for file in self.files.annotations)
        return f"the training photographs of {names}"

    def dataset(self, split: Split) -> HumanInPlaceFiles:
        """The samples of a split."""
        if split not in SPLITS:
            raise ValueError(f"split: {split!r}; choose one of {', '.join(SPLITS)}")
        if self.splits is not None:
            ids: Collection[int] = read_splits(self.splits)[split]
        else:
            ids = [key for key in read_people(self.files.annotations) if _split(key) == split]
        return HumanInPlaceFiles(self.files, self.choice, ids, self.removal)


def _split(image_id: int) -> Split:
    """Neighbouring numbers are unrelated photographs in COCO."""
    return {0: "val", 1: "test"}.get(image_id % 20, "train")  # type: ignore[return-value]


def _picture(path: Path, size: tuple[int, int]) -> Float[Tensor, "3 h w"]:
    try:
        picture = decode(path.read_bytes())
    except (OSError, UnfitError) as error:
        raise ValueError(f"{path}: cannot be read as an image: {error}") from error
    if tuple(picture.shape[-2:]) != size:
        height, width = picture.shape[-2:]
        raise ValueError(
            f"{path}: {width} x {height} pixels, but the annotations say {size[1]} x {size[0]}; "
            "give pictures as annotated"
        )
    return picture


def _layout(keypoints: Float[Tensor, "n k 3"], size: int) -> Layout:
    boxes = head_boxes(keypoints, torch.tensor([float(size), float(size)]))
    return Layout(boxes[None], keypoints[None], torch.ones(1, len(keypoints), dtype=torch.bool))
