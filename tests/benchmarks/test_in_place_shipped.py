"""The LoRA sets that ship, on held-out scenes: people where skeletons are, a limb that follows, a place that stays.

Bounds are wide: nine scenes, judged by the tiny analyzer. ``docs/skeleguide.md`` has the figures.
"""

from dataclasses import replace

import pytest
import torch

from benchmarks.in_place import InPlace
from benchmarks.in_place_metrics import background, edited_pose, layout_quality
from benchmarks.metrics import Observation, body_pose, count
from datamodules.collate import collate
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.skeleguide.insert import WEIGHTS
from rewards.analyzers.tiny import TinyAnalyzer

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def drawn():
    """What the shipped sets draw by ``pose``: images judged, and layouts."""
    batch = collate([draw_scene(7000 + place, "test", count=1 + place % 3) for place in range(9)])
    generator, analyzer = InPlace(), TinyAnalyzer()
    people = tuple(batch.layout.counts().tolist())
    seen = {}
    for pose in ("reasoned", "given", "edited"):
        images = generator.generate(batch, seed=0, pose=pose).float().clamp(0, 1)
        seen[pose] = Observation(images, batch.prompts, people, analyzer.analyze(images), batch, None, None)
        if pose == "reasoned":
            seen["layout"] = Observation(generator.beside[1], batch.prompts, people, None, batch, None, None)
    return seen


def mean(values, name):
    return float(values[name].nanmean())


def test_both_sets_are_small():
    assert sum((WEIGHTS / f"{name}.safetensors").stat().st_size for name in ("skeletal", "appearance")) <= (
        12 * MEGABYTE
    )


def test_somebody_is_put_into_every_scene(drawn):
    """Most layouts and most images show as many people as are asked for."""
    counted = count(drawn["reasoned"])
    assert float(counted["faces"].min()) > 0
    assert mean(counted, "count_error") <= 0.5
    assert mean(counted, "count_exact") >= 0.5
    assert mean(layout_quality(drawn["layout"]), "layout_count") >= 0.5


def test_given_skeletons_become_as_many_people_in_these_poses(drawn):
    assert mean(count(drawn["given"]), "count_exact") >= 0.85
    assert mean(body_pose(drawn["given"]), "oks") >= 0.65


def test_a_moved_arm_moves_in_the_image(drawn):
    given, edited = edited_pose(drawn["given"]), edited_pose(drawn["edited"])
    assert mean(edited, "edited_oks") >= 0.65
    assert mean(edited, "edited_limb") >= mean(given, "edited_limb") + 0.2


@pytest.mark.parametrize("pose", ["reasoned", "given", "edited"])
def test_the_place_stays(drawn, pose):
    """Beside a place of another scene, which has some 10 dB."""
    own = mean(background(drawn[pose]), "background_psnr")
    swapped = replace(drawn[pose], images=drawn[pose].images.roll(1, 0))
    assert own >= 22
    assert mean(background(swapped), "background_psnr") < own - 5


def test_an_edit_leaves_the_place_as_the_unedited_rendering_has_it(drawn):
    """Outside everybody in either image, and a margin, the two renderings hardly differ."""
    given, edited = drawn["given"], drawn["edited"]
    shown = torch.stack(
        [
            (a.person_mask > 0.5) | (b.person_mask > 0.5)
            for a, b in zip(given.detections, edited.detections, strict=True)
        ]
    )
    near = torch.nn.functional.max_pool2d(shown[:, None].float(), 17, 1, 8)[:, 0] > 0
    apart = (given.images - edited.images).abs().mean(dim=1)
    assert float(apart[~near].mean()) < 0.5 * float(apart[near].mean())
    assert float(apart[~near].mean()) < 0.03
