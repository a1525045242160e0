"""Faces counted by blob analysis: on renders as the truth says, and as one term of Architect-B's reward."""

from pathlib import Path

import pytest
import torch
from observed import observe

from datamodules.collate import collate
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.ar2can.architect_flow import ArchitectFlowModule
from lightning_modules.configured import CONFIGS, configured
from rewards.analyzers.face_maps import FaceMap, SkinMap, TinyFaceMap
from rewards.count import BlobCountReward, CountReward
from rewards.functional.blobs import BlobShape

CONFIG = CONFIGS / "ar2can" / "architect_b_tiny.yaml"


class Discs(FaceMap):
    """As many blobs as the first pixel says."""

    def likelihood(self, images):
        maps = torch.zeros(len(images), 8, 32)
        for values, image in zip(maps, images, strict=True):
            values[2:5, : 4 * int(image[0, 0, 0] * 10 + 0.5)] = 0.9
            values[:, 3::4] = 0.0
        return maps


def test_the_number_of_blobs_is_compared(scenes):
    images = torch.zeros(4, 3, 16, 16)
    images[:, 0] = torch.tensor([0.1, 0.3, 0.3, 0.0])[:, None, None]
    seen = observe(scenes, people=(1, 2, 3, None))
    seen = seen.__class__(images, seen.prompts, seen.people)
    scores = BlobCountReward(Discs()).score(seen)
    assert scores[:3].tolist() == [1, 0, 1]
    assert scores[3].isnan()
    nothing = BlobCountReward(Discs(), BlobShape(min_area=0.5)).score(seen)
    assert nothing[:3].tolist() == [0, 0, 0]


def test_renders_are_counted_exactly():
    batch = collate([draw_scene(seed, "val", count=1 + seed % 7) for seed in range(14)])
    seen = observe(batch)
    assert BlobCountReward(TinyFaceMap()).score(seen).mean() >= 13 / 14
    wrong = seen.__class__(batch.images, batch.prompts, tuple(n % 7 + 1 for n in seen.people))
    assert BlobCountReward(TinyFaceMap()).score(wrong).mean() <= 1 / 14


def test_images_that_are_not_square_and_none():
    assert TinyFaceMap().likelihood(torch.rand(2, 3, 64, 128)).shape == (2, 32, 32)
    assert SkinMap().likelihood(torch.rand(2, 3, 20, 30)).shape == (2, 20, 30)


def test_architect_bs_reward_is_half_count_and_twice_a_quarter_preference():
    """0.5 count + 0.25 + 0.25 preference (Appendix B.3); detector and judge look on."""
    stack = configured(CONFIG, ArchitectFlowModule, "an Architect-B's").rewards
    weights = {name: term.weight for name, term in stack.terms.items()}
    assert weights == {"count": 0.5, "image_text": 0.25, "quality": 0.25, "detected": 0.0, "judge": 0.0}
    batch = collate([draw_scene(seed, "val", count=2) for seed in (1, 2)])
    images = torch.stack([batch.images[0], torch.full_like(batch.images[1], 0.5)])
    table = stack.judge(images, batch)
    raw = dict(zip(table.names, table.raw, strict=True))
    assert raw["count"].tolist() == raw["detected"].tolist() == [1.0, 0.0]
    expected = 0.5 * raw["count"] + 0.25 * raw["image_text"] + 0.25 * raw["quality"]
    torch.testing.assert_close(table.total(), expected)


def test_the_detector_takes_its_place_by_class_path(tmp_path):
    """One line of the configuration chooses who counts."""
    text = CONFIG.read_text()
    start, end = (
        text.index("              class_path: rewards.count.BlobCountReward"),
        text.index("            weight: 0.5"),
    )
    changed = Path(tmp_path / "detector.yaml")
    changed.write_text(text[:start] + "              class_path: rewards.count.CountReward\n" + text[end:])
    stack = configured(changed, ArchitectFlowModule, "an Architect-B's").rewards
    assert type(stack.terms["count"].reward) is CountReward
    assert stack.terms["count"].weight == pytest.approx(0.5)
