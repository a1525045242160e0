"""Frontality on rotated and turned faces in closed form; identity matching against brute force."""

import itertools
import math

import pytest
import torch

from rewards.functional.faces import (
    best_identity_similarity,
    frontality,
    nearest_similarity,
    pairwise_cosine,
    placed_identity_similarity,
    roll_deg,
    yaw_asymmetry,
)

FACE = torch.tensor([[-0.5, 0.0], [0.5, 0.0], [0.0, 0.5], [-0.4, 1.0], [0.4, 1.0]], dtype=torch.float64)


def rotated(degrees):
    """The frontal face turned clockwise as seen (y points down)."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return FACE @ torch.tensor([[c, s], [-s, c]], dtype=torch.float64)


def turned(shift):
    face = FACE.clone()
    face[2, 0] += shift
    return face


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("degrees", [-120.0, -30.0, 0.0, 7.5, 90.0, 179.0])
def test_roll_is_the_angle_the_face_was_turned_by(degrees):
    assert roll_deg(rotated(degrees)).item() == pytest.approx(degrees, abs=1e-9)
    assert roll_deg(rotated(degrees) * 13 + 100).item() == pytest.approx(degrees, abs=1e-9)


@pytest.mark.parametrize("shift", [-0.3, 0.0, 0.1, 0.5])
def test_asymmetry_of_a_shifted_nose_in_closed_form(shift):
    expected = abs(math.hypot(0.5 + shift, 0.5) - math.hypot(0.5 - shift, 0.5))
    for scale in (1.0, 20.0):
        assert yaw_asymmetry(turned(shift) * scale).item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("degrees", [0.0, 3.0, -6.0, 175.0])
@pytest.mark.parametrize("shift", [0.0, 0.03])
def test_frontality_follows_the_papers_formula(degrees, shift):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    face = turned(shift) @ torch.tensor([[c, s], [-s, c]], dtype=torch.float64)
    (lx, ly), (rx, ry) = face[0].tolist(), face[1].tolist()
    roll = math.degrees(abs(math.atan((ry - ly) / (rx - lx))))
    asymmetry = abs(math.hypot(0.5 + shift, 0.5) - math.hypot(0.5 - shift, 0.5))
    expected = math.exp(-(roll**2) / (2 * 15**2)) * math.exp(-(asymmetry**2) / (2 * 0.25**2))
    assert expected > 0.9
    assert frontality(face).item() == pytest.approx(expected, abs=1e-9)


def test_the_gate_cuts_at_09():
    edge = 15 * math.sqrt(-2 * math.log(0.9))
    assert frontality(rotated(edge - 1e-6)).item() == pytest.approx(0.9, abs=1e-6)
    assert frontality(rotated(edge + 1e-6)).item() == 0.0
    assert frontality(rotated(edge + 1e-6), gate=0.0).item() == pytest.approx(0.9, abs=1e-6)


def test_degenerate_faces_are_not_frontal():
    point = torch.full((5, 2), 0.3)
    eyes_together = FACE.clone()
    eyes_together[:2] = 0.0
    upright = FACE.clone()
    upright[0], upright[1] = torch.tensor([0.0, -0.5]), torch.tensor([0.0, 0.5])
    for face in (point, eyes_together, upright, FACE * torch.nan):
        assert frontality(face).item() == 0.0


def test_frontality_is_of_each_face_whatever_the_shape():
    faces = torch.stack([FACE, rotated(40.0)])
    assert frontality(faces).mean().item() == pytest.approx(0.5)
    assert frontality(faces.view(2, 1, 5, 2)).shape == (2, 1)


def test_cosine_is_torchs_and_zero_for_no_face():
    a, b = random(4, 16), random(3, 16, seed=1)
    expected = torch.nn.functional.cosine_similarity(a[:, None], b[None], dim=-1)
    torch.testing.assert_close(pairwise_cosine(a, b), expected)
    a[0], a[1, 3] = 0.0, torch.nan
    cosine = pairwise_cosine(a, b)
    assert cosine[:2].eq(0).all()
    torch.testing.assert_close(cosine[2:], expected[2:])


def boxes_at(*centres):
    return torch.tensor([[x - 0.05, y - 0.05, x + 0.05, y + 0.05] for x, y in centres], dtype=torch.float64)


def algorithm_4(references, planned, embeddings, detected):
    """Ar2Can Algorithm 4 by exhaustion."""
    n, o = len(references), len(embeddings)
    centre = [
        [((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in boxes.tolist()] for boxes in (planned, detected)
    ]
    size = min(n, o)
    best, pairs = math.inf, []
    for rows in itertools.combinations(range(n), size):
        for columns in itertools.permutations(range(o), size):
            chosen = list(zip(rows, columns, strict=True))
            cost = sum(math.dist(centre[0][i], centre[1][j]) for i, j in chosen)
            best, pairs = min((best, pairs), (cost, chosen))
    scores = [0.0] * n
    for i, j in pairs:
        scores[i] = torch.nn.functional.cosine_similarity(references[i], embeddings[j], dim=0).item()
    return torch.tensor(scores, dtype=torch.float64)


@pytest.mark.parametrize(("n", "o"), [(1, 1), (3, 3), (4, 2), (2, 5), (3, 0)])
def test_placed_similarity_is_algorithm_4(n, o):
    generator = torch.Generator().manual_seed(n + o)
    planned = boxes_at(*torch.rand(n, 2, generator=generator).tolist())
    detected = boxes_at(*torch.rand(o, 2, generator=generator).tolist()) if o else torch.zeros(0, 4)
    references, embeddings = random(n, 8), random(o, 8, seed=1)
    ours = placed_identity_similarity(references, planned, embeddings, detected)
    torch.testing.assert_close(ours, algorithm_4(references, planned, embeddings, detected))


def test_place_decides_where_the_right_faces_stand_wrong():
    references = torch.eye(3, dtype=torch.float64)[:2]
    planned = boxes_at((0.2, 0.5), (0.8, 0.5))
    swapped = planned.flip(0)
    assert placed_identity_similarity(references, planned, references, swapped).tolist() == [0.0, 0.0]
    assert best_identity_similarity(references, references.flip(0)).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("n", "o"), [(3, 3), (4, 2), (2, 4)])
def test_best_similarity_is_the_greatest_total(n, o):
    references, embeddings = random(n, 6), random(o, 6, seed=4)
    cosine = torch.nn.functional.cosine_similarity(references[:, None], embeddings[None], dim=-1)
    best = max(
        sum(cosine[i, j].item() for i, j in zip(rows, columns, strict=True))
        for rows in itertools.combinations(range(n), min(n, o))
        for columns in itertools.permutations(range(o), min(n, o))
    )
    assert best_identity_similarity(references, embeddings).sum().item() == pytest.approx(best)


def test_nearest_similarity_is_the_greatest_cosine_of_each():
    people, embeddings = random(4, 6), random(2, 6, seed=9)
    cosine = torch.nn.functional.cosine_similarity(people[:, None], embeddings[None], dim=-1)
    expected = [max(row.tolist()) for row in cosine]
    assert nearest_similarity(people, embeddings).tolist() == pytest.approx(expected)
    assert nearest_similarity(people, embeddings[:0]).tolist() == [0.0] * 4


def test_nobody_and_broken_boxes_have_defined_values():
    references, planned = random(2, 4), boxes_at((0.2, 0.5), (0.8, 0.5))
    assert best_identity_similarity(references, random(0, 4)).tolist() == [0.0, 0.0]
    assert best_identity_similarity(references[:0], references).shape == (0,)
    broken = planned.clone()
    broken[1] = torch.nan
    torch.testing.assert_close(
        placed_identity_similarity(references, planned, references, broken),
        torch.tensor([1.0, 0.0], dtype=torch.float64),
    )
