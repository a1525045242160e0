"""Where people are in an image, and the part of it that shows them (SkeleGuide, Table 1: HPS on the human region)."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torchvision.models.detection import maskrcnn_resnet50_fpn

from datamodules.schema.interfaces import Analyzer, Scorer

_PERSON = 1  # COCO's first class, in torchvision's detectors


class PersonSegmenter(ABC):
    """Marks people's pixels."""

    @abstractmethod
    def masks(self, images: Float[Tensor, "b 3 h w"]) -> Bool[Tensor, "b h w"]:
        """Pixels that show any person; images are RGB in [0, 1]."""


class AnalyzerMasks(PersonSegmenter):
    """The person mask that an analyzer sees anyway.

    Args:
        analyzer: one whose detections have a ``person_mask``, such as ``TinyAnalyzer``.
        threshold: least probability of a person's pixel.
    """

    def __init__(self, analyzer: Analyzer, threshold: float = 0.5) -> None:
        self.analyzer, self.threshold = analyzer, threshold

    def masks(self, images: Float[Tensor, "b 3 h w"]) -> Bool[Tensor, "b h w"]:
        """The masks above the threshold.

        Raises:
            ValueError: if the analyzer sees no masks.
        """
        found = [seen.person_mask for seen in self.analyzer.analyze(images)]
        if any(mask is None for mask in found):
            raise ValueError(
                f"analyzer: {type(self.analyzer).__name__} sees no person masks; use one that does, or MaskRCNNMasks"
            )
        maps = [mask > self.threshold for mask in found if mask is not None]
        return torch.stack(maps) if maps else torch.zeros(0, *images.shape[-2:], dtype=torch.bool)


class MaskRCNNMasks(PersonSegmenter):
    """torchvision's Mask R-CNN, from a local file.

    Not checked, for want of the file: its masks on photographs; loading and output are checked with random weights.

    Args:
        weights: state dict of ``maskrcnn_resnet50_fpn`` trained on COCO; nothing is downloaded.
        score: least score of a detected person.
        device: where it runs.

    Raises:
        ValueError: if the file is missing or holds another network.
    """

    def __init__(self, weights: str, score: float = 0.5, device: str = "cpu") -> None:
        if not Path(weights).is_file():
            raise ValueError(
                f"weights: {weights} is no file; give torchvision's maskrcnn_resnet50_fpn_coco (.pth)"
            )
        network = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None)
        try:
            network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        except Exception as error:  # a damaged file raises whatever its reader stumbles over
            raise ValueError(f"weights: {weights} is not torchvision's maskrcnn_resnet50_fpn") from error
        self._network, self.score, self.device = (
            network.eval().requires_grad_(False).to(device),
            score,
            device,
        )

    @torch.no_grad()
    def masks(self, images: Float[Tensor, "b 3 h w"]) -> Bool[Tensor, "b h w"]:
        """Union of the masks of everybody detected."""
        out = torch.zeros(len(images), *images.shape[-2:], dtype=torch.bool)
        for i, seen in enumerate(self._network(list(images.to(self.device)))):
            people = (seen["labels"] == _PERSON) & (seen["scores"] >= self.score)
            if bool(people.any()):
                out[i] = (seen["masks"][people, 0] > 0.5).any(dim=0).cpu()
        return out


def person_crop(
    image: Float[Tensor, "3 h w"], people: Bool[Tensor, "h w"], margin: float = 0.1
) -> Float[Tensor, "3 hh ww"] | None:
    """The smallest part of the image with everybody in it, grown by ``margin`` of its sides; None if nobody is there.

    Raises:
        ValueError: if ``margin`` is negative.
    """
    if margin < 0:
        raise ValueError(f"margin: {margin} must be at least 0; 0.1 grows the crop by a tenth on each side")
    rows, columns = people.any(dim=1).nonzero()[:, 0], people.any(dim=0).nonzero()[:, 0]
    if not len(rows):
        return None
    edges = []
    for places, length in ((rows, image.shape[1]), (columns, image.shape[2])):
        first, last = int(places[0]), int(places[-1]) + 1
        grow = margin * (last - first)
        edges.append((max(0, math.floor(first - grow)), min(length, math.ceil(last + grow))))
    (top, bottom), (left, right) = edges
    return image[:, top:bottom, left:right]


def person_scores(
    scorer: Scorer,
    images: Float[Tensor, "b 3 h w"],
    people: Bool[Tensor, "b h w"],
    prompts: Sequence[str],
    margin: float = 0.1,
) -> Float[Tensor, " b"]:
    """What a scorer (HPS, a quality network) says of the part that shows people; NaN where nobody is there.

    Not verified, for want of the weights: that HPSv2 on this crop gives the paper's figures. The paper does not say how
    it cuts the human region; crop and margin are chosen here.
    """
    scores = torch.full((len(images),), torch.nan)
    for i, prompt in enumerate(prompts):
        crop = person_crop(images[i], people[i], margin)
        if crop is not None:
            scores[i] = scorer.score(crop[None], [prompt])[0].cpu()
    return scores
