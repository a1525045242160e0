"""The converted face pack on real photographs: heads are counted, labelled identities told apart."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from insightface.app import FaceAnalysis
from torch import Tensor

from rewards.analyzers.insightface import InsightFaceAnalyzer, to_bgr
from rewards.real_parts.fetch import find_part

Photograph = Callable[[str], Tensor]


@pytest.fixture(scope="module")
def real() -> InsightFaceAnalyzer:
    return InsightFaceAnalyzer()


@pytest.mark.realparts
@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("astronaut.png", 1),
        ("sample1.jpg", 3),
        ("sample3.jpg", 3),
        ("sample4.jpg", 4),
        ("sample5.jpg", 5),
        ("sample6.jpg", 4),
        ("obama.jpg", 1),
        ("obama2.jpg", 1),
        ("obama3.jpg", 1),
        ("biden.jpg", 1),
    ],
)
def test_heads_are_counted(real: InsightFaceAnalyzer, photograph: Photograph, name: str, people: int) -> None:
    (found,) = real.analyze(photograph(name))
    assert len(found) == people
    assert found.landmarks is not None
    center = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    assert (found.landmarks > found.boxes[:, None, :2] - 0.02).all()
    assert (found.landmarks < found.boxes[:, None, 2:] + 0.02).all()
    left_eye, right_eye, nose, left_mouth, right_mouth = found.landmarks.unbind(1)
    assert (left_eye[:, 0] < right_eye[:, 0]).all(), "landmarks are in image order"
    assert (left_mouth[:, 0] < right_mouth[:, 0]).all()
    assert (left_eye[:, 1] < left_mouth[:, 1]).all()
    assert ((nose - center).abs() < (found.boxes[:, 2:] - found.boxes[:, :2]) / 2).all()


@pytest.mark.realparts
def test_at_least_five_of_six_heads_round_the_table(
    real: InsightFaceAnalyzer, photograph: Photograph
) -> None:
    (found,) = real.analyze(photograph("t1.jpg"))
    assert 5 <= len(found) <= 6


@pytest.mark.realparts
@pytest.mark.parametrize(
    "name", ["t1.jpg", "sample1.jpg", "sample3.jpg", "sample4.jpg", "sample5.jpg", "sample6.jpg"]
)
def test_people_in_one_photograph_are_different(
    real: InsightFaceAnalyzer, photograph: Photograph, name: str
) -> None:
    (found,) = real.analyze(photograph(name))
    assert found.embeddings is not None
    same = real.same_person(found.embeddings, found.embeddings)
    assert torch.equal(same, torch.eye(len(found), dtype=torch.bool))


@pytest.mark.realparts
def test_labelled_identities_are_told_apart(real: InsightFaceAnalyzer, photograph: Photograph) -> None:
    named = [
        real.analyze(photograph(name))[0].embeddings for name in ("obama.jpg", "obama2.jpg", "obama3.jpg")
    ]
    (other,) = (real.analyze(photograph("biden.jpg"))[0].embeddings,)
    one = torch.cat([e for e in named if e is not None])
    assert other is not None
    assert real.same_person(one, one).all()
    assert not real.same_person(one, other).any()
    assert (one @ one.T).min() > 0.75
    assert (one @ other.T).max() < 0.45


@pytest.mark.realparts
def test_distances_are_dlibs(photograph: Photograph) -> None:
    """Euclidean, not centred: the same person below dlib's customary 0.6, the other far above."""
    app = FaceAnalysis(name=str(find_part("faces")), providers=["CPUExecutionProvider"])
    app.prepare(ctx_id=-1, det_size=(256, 256))
    names = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg")
    vectors = np.stack([app.get(to_bgr(photograph(name))[0])[0].embedding for name in names])
    distance = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
    assert distance[:3, :3].max() < 0.5
    assert distance[3, :3].min() > 0.65


@pytest.mark.realparts
def test_reference_crops_embed_like_the_whole_photograph(
    real: InsightFaceAnalyzer, photograph: Photograph
) -> None:
    image = photograph("obama.jpg")
    (found,) = real.analyze(image)
    assert found.landmarks is not None
    assert found.embeddings is not None
    size = torch.tensor([image.shape[3], image.shape[2]])
    x0, y0, x1, y1 = (found.boxes[0] * size.repeat(2)).long().tolist()
    crop = image[:, :, y0:y1, x0:x1]
    crop = torch.nn.functional.interpolate(crop, (128, 128), mode="bilinear", antialias=True)
    points = (found.landmarks * size - torch.tensor([x0, y0])) / torch.tensor([x1 - x0, y1 - y0])
    assert (real.embed_faces(crop, points) @ found.embeddings.T).item() > 0.9
    assert (real.embed_faces(crop) @ found.embeddings.T).item() > 0.8
    noise = torch.rand(1, 3, 64, 64)
    assert real.embed_faces(noise).norm() == 0
