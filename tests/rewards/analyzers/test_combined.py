"""CombinedAnalyzer: bodies find their faces; built from a config as a benchmark does."""

import itertools
import math

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.schema.detections import Detections
from datamodules.schema.interfaces import Analyzer
from datamodules.tiny_world.scenes import draw_scene
from rewards.analyzers.combined import CombinedAnalyzer, join, match_bodies, photo_analyzer
from rewards.analyzers.insightface import InsightFaceAnalyzer
from rewards.analyzers.rtmlib import RTMLibAnalyzer
from rewards.analyzers.tiny import TinyAnalyzer

SIZE = torch.tensor([400.0, 200.0])


def _faces(centers: Float[Tensor, "o 2"], width: float = 20) -> Float[Tensor, "o 4"]:
    return torch.cat([centers - width / 2, centers + width / 2], dim=1) / SIZE.repeat(2)


def _bodies(heads: Float[Tensor, "m 2"]) -> Float[Tensor, "m 17 3"]:
    keypoints = torch.full((len(heads), 17, 3), 2.0)
    keypoints[..., :2] = 0.9
    keypoints[:, :5, :2] = (heads / SIZE)[:, None]
    return keypoints


@pytest.mark.parametrize("seed", range(20))
def test_matching_equals_brute_force(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    faces = torch.rand(4, 2, generator=generator) * 60
    heads = torch.rand(3, 2, generator=generator) * 60
    reach, width = 1.0, 20.0

    def worth(choice: tuple[int, ...]) -> tuple[int, float]:
        chosen = [(f, b) for f, b in enumerate(choice) if b >= 0]
        distances = [math.dist(faces[f].tolist(), heads[b].tolist()) / width for f, b in chosen]
        return (-len(chosen), sum(distances)) if max(distances, default=0) <= reach else (1, 0.0)

    used_once = (
        c
        for c in itertools.product(range(-1, 3), repeat=4)
        if len({b for b in c if b >= 0}) == sum(b >= 0 for b in c)
    )
    best = min(used_once, key=worth)
    assert match_bodies(_faces(faces), _bodies(heads), SIZE, reach).tolist() == list(best)


def test_faces_without_a_body_get_absent_keypoints() -> None:
    centers = torch.tensor([[50.0, 50.0], [200.0, 50.0], [350.0, 50.0]])
    bodies = _bodies(torch.tensor([[352.0, 51.0], [49.0, 52.0], [100.0, 150.0]]))
    faces = Detections(boxes=_faces(centers), scores=torch.ones(3), embeddings=torch.eye(3))
    joined = join(faces, Detections(torch.zeros(3, 4), torch.ones(3), keypoints=bodies), SIZE, 0.75)
    assert joined.keypoints is not None
    torch.testing.assert_close(joined.keypoints, torch.stack([bodies[1], torch.zeros(17, 3), bodies[0]]))
    assert joined.embeddings is faces.embeddings


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 2), (2, 0)])
def test_nobody_on_either_side(n: int, m: int) -> None:
    faces = Detections(boxes=_faces(torch.rand(n, 2)), scores=torch.ones(n))
    joined = join(
        faces,
        Detections(torch.zeros(m, 4), torch.ones(m), keypoints=_bodies(torch.full((m, 2), 300.0))),
        SIZE,
        1,
    )
    assert joined.keypoints is not None
    assert joined.keypoints.shape == (n, 17, 3)
    assert not joined.keypoints.any()


def test_a_box_of_nan_matches_nobody() -> None:
    boxes = torch.cat([torch.full((1, 4), torch.nan), _faces(torch.tensor([[50.0, 50.0]]))])
    assert match_bodies(boxes, _bodies(torch.tensor([[50.0, 50.0]])), SIZE, 1.0).tolist() == [-1, 0]


def test_bodies_must_carry_keypoints_and_reach_be_positive() -> None:
    blind = Detections(torch.zeros(1, 4), torch.ones(1))
    with pytest.raises(ValueError, match="no keypoints"):
        join(blind, blind, SIZE, 1.0)
    with pytest.raises(ValueError, match="reach"):
        CombinedAnalyzer(InsightFaceAnalyzer(), RTMLibAnalyzer(), reach=0)


def test_one_line_of_a_suite_builds_the_combination_without_loading_anything() -> None:
    built = photo_analyzer(
        faces={"pack": "antelopev2", "det_size": [320, 320], "same_threshold": 0.4}, reach=1.0
    )
    assert isinstance(built, Analyzer)
    assert isinstance(built.faces, InsightFaceAnalyzer)
    assert isinstance(built.bodies, RTMLibAnalyzer)
    assert (built.faces.pack, built.faces.det_size, built.reach) == ("antelopev2", (320, 320), 1.0)
    assert "app" not in vars(built.faces)
    assert "estimator" not in vars(built.bodies)
    with pytest.raises(TypeError, match="det_sise"):
        photo_analyzer(faces={"det_sise": [320, 320]})


def test_reference_views_are_for_the_face_analyzer() -> None:
    """The tiny one looks at them in its own way, which a body analyzer has no part in."""
    person = draw_scene(3, "val").persons[0]
    assert person.reference is not None
    views = person.reference[None]
    found = CombinedAnalyzer(TinyAnalyzer(), RTMLibAnalyzer()).reference_faces(views)
    alone = TinyAnalyzer().reference_faces(views)
    assert torch.equal(found.landmarks, alone.landmarks)
    assert torch.equal(found.boxes, alone.boxes)


@pytest.fixture(scope="module")
def combined() -> CombinedAnalyzer:
    return photo_analyzer()


@pytest.mark.realparts
@pytest.mark.parametrize(("name", "people"), [("sample1.jpg", 3), ("sample3.jpg", 3), ("sample6.jpg", 4)])
def test_every_face_of_a_photograph_finds_its_body(combined, photograph, name: str, people: int) -> None:
    image = photograph(name)
    (found,) = combined.analyze(image)
    assert len(found) == people
    assert found.keypoints is not None
    nose = found.keypoints[:, 0]
    assert (nose[:, 2] > 0).all()
    assert (nose[:, :2] > found.boxes[:, :2]).all()
    assert (nose[:, :2] < found.boxes[:, 2:]).all()
