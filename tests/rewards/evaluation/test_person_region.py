"""Crops of people, and the masks they come from."""

import pytest
import torch
from torchvision.models.detection import maskrcnn_resnet50_fpn

from datamodules.human_in_place import HumanInPlaceScenes, join
from datamodules.schema.detections import Detections
from datamodules.schema.interfaces import Analyzer, Scorer
from rewards.analyzers.tiny import TinyAnalyzer
from rewards.evaluation.person_region import AnalyzerMasks, MaskRCNNMasks, person_crop, person_scores
from rewards.functional.masks import mask_iou


class Brightness(Scorer):
    def score(self, images, prompts):
        assert len(images) == len(prompts)
        return images.mean((1, 2, 3))


class Blind(Analyzer):
    def analyze(self, images):
        return [Detections.empty() for _ in images]

    def embed_faces(self, faces, landmarks=None):
        raise NotImplementedError


def test_the_crop_is_everybody_and_a_margin():
    image = torch.arange(3 * 40 * 60.0).view(3, 40, 60)
    people = torch.zeros(40, 60, dtype=torch.bool)
    people[10:20, 30:35] = True
    people[28, 50] = True
    assert torch.equal(person_crop(image, people, 0.0), image[:, 10:29, 30:51])
    assert torch.equal(person_crop(image, people, 0.5), image[:, 0:39, 19:60])
    assert person_crop(image, torch.zeros_like(people)) is None
    with pytest.raises(ValueError, match=r"margin: -0\.1"):
        person_crop(image, people, -0.1)


def test_scores_are_of_the_crop_and_undefined_without_people():
    images = torch.zeros(2, 3, 20, 20)
    images[:, :, 5:10, 5:10] = 0.8
    people = images[:, 0] > 0
    people[1] = False
    scores = person_scores(Brightness(), images, people, ["a", "b"], margin=0.0)
    assert scores[0] == pytest.approx(0.8)
    assert bool(scores[1].isnan())


def test_the_tiny_analyzers_masks_find_the_tiny_worlds_people():
    batch = join([HumanInPlaceScenes("val", 6, (1, 2, 3))[i] for i in range(6)])
    segmenter = AnalyzerMasks(TinyAnalyzer())
    assert float(mask_iou(segmenter.masks(batch.target), batch.people_mask).mean()) > 0.85
    assert float(segmenter.masks(batch.source).float().mean()) < 0.02
    with pytest.raises(ValueError, match="Blind sees no person masks"):
        AnalyzerMasks(Blind()).masks(batch.source)


def test_mask_rcnn_marks_what_torchvision_detects(tmp_path):
    torch.manual_seed(0)
    network = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    segmenter = MaskRCNNMasks(str(tmp_path / "weights.pth"), score=0.0)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        (seen,) = network(list(image))
    by_hand = torch.zeros(64, 64, dtype=torch.bool)
    for label, mask in zip(seen["labels"], seen["masks"], strict=True):
        if label == 1:
            by_hand |= mask[0] > 0.5
    assert torch.equal(segmenter.masks(image)[0], by_hand)
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="is not torchvision's"):
        MaskRCNNMasks(str(tmp_path / "other.pth"))
    with pytest.raises(ValueError, match="no file"):
        MaskRCNNMasks("nowhere")
