"""Algorithm 4 against brute force, its naive variant against torchvision's crops and on true renders."""

import itertools
from dataclasses import replace

import pytest
import torch
from observed import DIM, observe, perfect
from torchvision.transforms import functional as tv

from datamodules.schema.detections import Detections
from rewards.analyzers.tiny import TinyAnalyzer
from rewards.face_match import FaceMatchReward, SimpleFaceMatchReward
from rewards.observation import reference_embeddings


def brute_force(seen, index):
    """Among all injections of planned into detected faces (or back) the one of least total distance."""
    planned, found = seen.planned(index)[0], seen.found(index)[0]
    references, embeddings = seen.identities(index)
    centre = [(boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (planned, found)]
    distance = [[float((a - b).norm()) for b in centre[1]] for a in centre[0]]
    n, o = len(planned), len(found)
    if n <= o:
        options = [list(zip(range(n), p, strict=True)) for p in itertools.permutations(range(o), n)]
    else:
        options = [list(zip(p, range(o), strict=True)) for p in itertools.permutations(range(n), o)]
    best = min(options, key=lambda pairs: sum(distance[i][j] for i, j in pairs))
    return sum(float(torch.cosine_similarity(references[i], embeddings[j], dim=0)) for i, j in best) / n


@pytest.mark.parametrize("faces", [1, 2, 3, 5])
def test_each_image_is_matched_as_brute_force_matches(scenes, faces):
    rng = torch.Generator().manual_seed(faces)
    boxes = torch.rand(4, faces, 2, generator=rng)
    detections = [
        Detections(
            boxes=torch.cat([b, b + 0.1], dim=1),
            scores=torch.ones(faces),
            embeddings=torch.nn.functional.normalize(torch.randn(faces, DIM, generator=rng), dim=-1),
        )
        for b in boxes
    ]
    seen = observe(scenes, detections)
    expected = torch.tensor([brute_force(seen, i) for i in range(4)])
    torch.testing.assert_close(FaceMatchReward().score(seen), expected, atol=1e-6, rtol=0)


def test_the_right_faces_score_one_and_swapped_faces_do_not(scenes):
    truth = perfect(scenes)
    assert FaceMatchReward().score(observe(scenes, truth)).tolist() == pytest.approx([1.0] * 4, abs=1e-6)
    swapped = [replace(d, embeddings=d.embeddings.roll(1, 0)) for d in truth]
    scores = FaceMatchReward().score(observe(scenes, swapped))
    assert scores[0] == pytest.approx(1.0, abs=1e-6)
    assert bool((scores[1:] < 0.7).all())


def test_nobody_broken_boxes_and_single_pixels_have_defined_scores(scenes):
    truth = perfect(scenes)
    nobody = FaceMatchReward().score(observe(scenes, [Detections.empty(DIM)] * 4))
    assert nobody.tolist() == [0.0] * 4
    broken = [replace(d, boxes=torch.full_like(d.boxes, torch.nan)) for d in truth]
    assert FaceMatchReward().score(observe(scenes, broken)).tolist() == [0.0] * 4
    centre = [(d.boxes[:, :2] + d.boxes[:, 2:]) / 2 for d in truth]
    pixels = [
        replace(d, boxes=torch.cat([c, c + 1 / 128], dim=1)) for d, c in zip(truth, centre, strict=True)
    ]
    assert bool((FaceMatchReward().score(observe(scenes, pixels)) > 0.99).all())


def test_cuttings_are_torchvisions(scenes):
    reward = SimpleFaceMatchReward(TinyAnalyzer(), margin=2.0)
    boxes = torch.tensor([[40.0, 40.0, 60.0, 52.0]])
    cut = reward._cut(scenes.images[0], boxes)[0]
    expected = tv.resized_crop(scenes.images[0], 26, 30, 40, 40, [96, 96], antialias=False)
    inside = slice(2, -2)  # torchvision repeats the edge of the cutting, we look beyond it
    torch.testing.assert_close(cut[:, inside, inside], expected[:, inside, inside], atol=1e-5, rtol=0)


def test_simple_matching_knows_the_true_faces_in_their_boxes_and_misses_shifted_ones(scenes):
    analyzer = TinyAnalyzer()
    reward = SimpleFaceMatchReward(analyzer)
    references = reference_embeddings(analyzer, scenes)
    right = reward.score(observe(scenes, analyzer.analyze(scenes.images), references=references))
    assert float(right.mean()) > 0.6
    moved = replace(scenes, layout=replace(scenes.layout, boxes=(scenes.layout.boxes + 0.3) % 1))
    wrong = reward.score(observe(moved, analyzer.analyze(scenes.images), references=references))
    assert float(wrong.mean()) < float(right.mean()) - 0.4
    nan = replace(scenes, layout=replace(scenes.layout, boxes=scenes.layout.boxes * torch.nan))
    assert reward.score(observe(nan, references=references)).isfinite().all()
