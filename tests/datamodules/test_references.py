"""References come from the three sources in their shares, show the same person, and say where they come from."""

import random
from collections import Counter
from dataclasses import replace

import pytest
import torch
from scipy.stats import chisquare

from datamodules.references import (
    ReferenceSources,
    Source,
    View,
    choose_references,
    choose_views,
)
from datamodules.scene_sources import TinyWorldSource
from datamodules.tiny_world.scenes import draw_scene
from rewards.analyzers.tiny import TinyAnalyzer

TINY = TinyWorldSource()


def only(source):
    return ReferenceSources(**{s.value: float(s is source) for s in Source})


@pytest.fixture(scope="module")
def scenes():
    return [TINY.draw(seed, "train", 2 + seed % 6) for seed in range(12)]


def test_sources_follow_their_shares(scenes):
    seen = Counter(
        person.reference_source
        for scene in scenes
        for draw in range(20)
        for person in choose_references(
            scene, ReferenceSources(), random.Random(f"{scene.scene_id} {draw}"), TINY.synthesize
        ).persons
    )
    total = sum(seen.values())
    assert total > 900
    assert set(seen) == {"multi_view", "single_view", "synthetic"}
    expected = [0.5 * total, 0.4 * total, 0.1 * total]
    assert chisquare([seen[s.value] for s in Source], expected).pvalue > 0.01
    # The test would see shares that are off by a few hundredths.
    assert chisquare([seen[s.value] for s in Source], [0.56 * total, 0.34 * total, 0.1 * total]).pvalue < 0.01


def test_the_choice_depends_on_scene_and_seed_alone(scenes):
    def chosen(seed):
        torch.manual_seed(random.randrange(1000))
        found = choose_references(scenes[5], ReferenceSources(), random.Random(seed), TINY.synthesize)
        return [(p.reference_source, p.reference, p.reference_landmarks) for p in found.persons]

    for (s1, r1, l1), (s2, r2, l2) in zip(chosen(1), chosen(1), strict=True):
        assert s1 == s2
        assert torch.equal(r1, r2)
        assert torch.equal(l1, l2)
    assert len({tuple(s for s, _, _ in chosen(seed)) for seed in range(10)}) > 1


def test_one_persons_source_does_not_move_the_others(scenes):
    """Whether generated views exist decides over those who ask for one, and nobody else."""
    for seed in range(10):
        with_them = choose_references(scenes[5], ReferenceSources(), random.Random(seed), TINY.synthesize)
        without = choose_references(scenes[5], ReferenceSources(), random.Random(seed))
        for a, b in zip(with_them.persons, without.persons, strict=True):
            if a.reference_source == "synthetic":
                assert b.reference_source == "single_view instead of synthetic"
            else:
                assert a.reference_source == b.reference_source
                assert torch.equal(a.reference, b.reference)


def test_second_views_are_the_scenes_own(scenes):
    for scene in scenes[:3]:
        chosen = choose_references(scene, only(Source.MULTI_VIEW), random.Random(0))
        for before, after in zip(scene.persons, chosen.persons, strict=True):
            assert torch.equal(before.reference, after.reference)
            assert after.reference_box is None


def test_without_a_second_view_a_single_view_takes_its_place(scenes):
    alone = replace(scenes[0], persons=tuple(replace(p, reference=None) for p in scenes[0].persons))
    views = choose_views(alone, only(Source.MULTI_VIEW), random.Random(0), size=48)
    assert {v.source for v in views} == {"single_view instead of multi_view"}
    assert {tuple(v.image.shape) for v in views} == {(3, 48, 48)}
    with pytest.raises(ValueError, match="size"):
        choose_views(alone, only(Source.SINGLE_VIEW), random.Random(0))


@pytest.mark.parametrize("source", Source)
def test_every_source_shows_the_same_person(scenes, source):
    """By an embedder that saw neither; other people's references are far away."""
    analyzer, own, others = TinyAnalyzer(), [], []
    for number, scene in enumerate(scenes):
        chosen = choose_references(scene, only(source), random.Random(number), TINY.synthesize)
        views = torch.stack([p.reference for p in chosen.persons])
        landmarks = torch.stack([p.reference_landmarks for p in chosen.persons])
        faces = analyzer.embed_faces(
            scene.image.expand(len(scene), -1, -1, -1), torch.stack([p.landmarks for p in scene.persons])
        )
        cosine = analyzer.embed_faces(views, landmarks) @ faces.T
        own.append(cosine.diagonal())
        others.append(cosine[~torch.eye(len(scene), dtype=torch.bool)])
    assert torch.cat(own).mean() > 0.8
    assert torch.cat(others).mean() < 0.3


def turn(landmarks):
    """The nose's offset from the eyes' middle, in distances of the eyes."""
    return float((landmarks[2] - landmarks[:2].mean(0))[0] / (landmarks[1] - landmarks[0]).norm())


def test_generated_views_are_new_and_turned_away(scenes):
    apart = []
    for scene in scenes:
        chosen = choose_references(scene, only(Source.SYNTHETIC), random.Random(0), TINY.synthesize)
        for before, after in zip(scene.persons, chosen.persons, strict=True):
            assert after.reference_source == "synthetic"
            assert not torch.equal(before.reference, after.reference)
            apart.append(abs(turn(before.reference_landmarks) - turn(after.reference_landmarks)))
    assert sum(apart) / len(apart) > 0.15  # about 15 degrees of yaw
    unforced = draw_scene(7, "val")  # its number of people was drawn, not asked for
    assert TINY.synthesize(unforced, 0, random.Random(0)).image.shape == (3, 64, 64)
    with pytest.raises(ValueError, match="cast"):
        TINY.synthesize(replace(unforced, scene_id="val/8"), 0, random.Random(0))


def test_a_choice_is_made_once(scenes):
    chosen = choose_references(scenes[0], ReferenceSources(), random.Random(0))
    with pytest.raises(ValueError, match=r"train/0.*chosen already"):
        choose_references(chosen, ReferenceSources(), random.Random(1))


def test_any_maker_may_generate(scenes):
    grey = View(torch.full((3, 64, 64), 0.5), torch.rand(5, 2), origin="nowhere")
    views = choose_views(scenes[0], only(Source.SYNTHETIC), random.Random(0), lambda *_: grey)
    assert [(v.source, v.origin) for v in views] == [("synthetic", "nowhere")] * len(scenes[0])


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"multi_view": 0.6}, "sum to 1"), ({"multi_view": -0.1, "single_view": 1.0}, "at least 0"),
     ({"flip": 2.0}, "flip"), ({"rotation_deg": -1.0}, "rotation_deg"), ({"brightness": 1.0}, "brightness")],
)  # fmt: skip
def test_impossible_sources_are_refused(wrong, name):
    with pytest.raises(ValueError, match=name):
        ReferenceSources(**wrong)
