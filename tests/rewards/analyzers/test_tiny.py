import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torchvision.ops import box_iou

from datamodules.geometry.canvas import BOX_PER_SPREAD
from datamodules.schema.interfaces import Analyzer
from datamodules.tiny_world.scenes import draw_scene
from rewards.analyzers.tiny import TinyAnalyzer, fit_to_square


@pytest.fixture(scope="module")
def analyzer():
    return TinyAnalyzer()


@pytest.fixture(scope="module")
def scenes():
    return [draw_scene(50_000 + i, split="test") for i in range(60)]


@pytest.fixture(scope="module")
def images(scenes):
    return torch.stack([scene.image for scene in scenes])


@pytest.fixture(scope="module")
def found(analyzer, images):
    return analyzer.analyze(images)


def _matches(scene, detections):
    boxes = torch.stack([p.box for p in scene.persons])
    iou = box_iou(boxes, detections.boxes).numpy()
    rows, columns = linear_sum_assignment(-iou)
    return [(r, c) for r, c in zip(rows, columns, strict=True) if iou[r, c] >= 0.5]


def test_it_is_an_analyzer_that_reads_nothing_at_construction(analyzer, tmp_path):
    assert isinstance(analyzer, Analyzer)
    TinyAnalyzer(weights=tmp_path)
    with pytest.raises(ValueError, match="no such file"):
        TinyAnalyzer(weights=tmp_path).analyze(torch.rand(1, 3, 128, 128))


def test_faces_are_found_and_counted(scenes, found):
    hits = sum(len(_matches(s, d)) for s, d in zip(scenes, found, strict=True))
    total = sum(len(s) + len(d) for s, d in zip(scenes, found, strict=True))
    assert 2 * hits / total >= 0.98
    assert np.mean([len(s) == len(d) for s, d in zip(scenes, found, strict=True)]) >= 0.92


def test_landmarks_and_bodies_are_close(scenes, found):
    errors, distances = [], []
    for scene, detections in zip(scenes, found, strict=True):
        for r, c in _matches(scene, detections):
            person = scene.persons[r]
            height = person.box[3] - person.box[1]
            errors.append((detections.landmarks[c] - person.landmarks).norm(dim=-1).mean() / height)
            seen = person.keypoints[:, 2] == 2
            distances.append((detections.keypoints[c] - person.keypoints)[seen, :2].norm(dim=-1) / height)
    assert torch.stack(errors).mean() < 0.08
    assert (torch.cat(distances) < 0.25).float().mean() > 0.85


def test_masks_cover_people(scenes, found):
    ious = []
    for scene, detections in zip(scenes, found, strict=True):
        gt = torch.stack([p.mask for p in scene.persons]).any(0)
        pred = detections.person_mask > 0.5
        ious.append(float((gt & pred).sum() / (gt | pred).sum()))
    assert np.mean(ious) >= 0.85


@pytest.mark.parametrize("with_landmarks", [True, False])
def test_references_are_nearest_to_their_own_scene_face(analyzer, scenes, found, with_landmarks):
    right, total = 0, 0
    for scene, detections in zip(scenes, found, strict=True):
        pairs = _matches(scene, detections)
        if len(pairs) < 2:
            continue
        views = torch.stack([scene.persons[r].reference for r, _ in pairs])
        marks = torch.stack([scene.persons[r].reference_landmarks for r, _ in pairs])
        references = analyzer.embed_faces(views, marks if with_landmarks else None)
        faces = detections.embeddings[[c for _, c in pairs]]
        torch.testing.assert_close(faces.norm(dim=1), torch.ones(len(faces)))
        right += int(((references @ faces.T).argmax(1) == torch.arange(len(pairs))).sum())
        total += len(pairs)
    assert right / total >= (0.97 if with_landmarks else 0.93)


@pytest.mark.parametrize("margin", [(0, 0, 0, 0), (0, 8, 0, 0), (0, 0, 0, 8)])
def test_faces_of_references_lie_where_they_were_drawn(analyzer, scenes, margin):
    """In square, wide and tall views; boxes are as large around the landmarks as the tiny world's."""
    people = [p for scene in scenes[:20] for p in scene.persons]
    views = torch.nn.functional.pad(torch.stack([p.reference for p in people]), margin, value=0.5)
    found = analyzer.reference_faces(views)
    size = torch.tensor([views.shape[-1], views.shape[-2]])
    drawn = torch.stack([p.reference_landmarks for p in people]) * 64
    seen = found.landmarks.isfinite().all(dim=(1, 2))
    assert seen.float().mean() > 0.95
    assert torch.equal(seen, found.boxes.isfinite().all(dim=1))
    assert (found.landmarks[seen] * size - drawn[seen]).norm(dim=-1).mean() < 2.5  # pixels of 64
    spread = (drawn - drawn.mean(1, keepdim=True)).square().sum(-1).mean(-1).sqrt()[seen]
    sides = ((found.boxes[seen, 2:] - found.boxes[seen, :2]) * size).amax(1)
    assert float((sides / spread).mean()) == pytest.approx(BOX_PER_SPREAD, rel=0.08)


def test_results_do_not_depend_on_the_batch(images, found):
    single = TinyAnalyzer(batch_size=7).analyze(images[:10])
    for one, many in zip(single, found, strict=False):
        assert len(one) == len(many)
        torch.testing.assert_close(one.boxes, many.boxes, atol=1e-4, rtol=0)
        torch.testing.assert_close(one.keypoints, many.keypoints, atol=1e-3, rtol=0)
        torch.testing.assert_close(one.embeddings, many.embeddings, atol=1e-3, rtol=0)


def test_the_same_images_give_the_same_bits(analyzer, images):
    first, second = analyzer.analyze(images[:8]), analyzer.analyze(images[:8])
    assert all(
        torch.equal(a.boxes, b.boxes) and torch.equal(a.keypoints, b.keypoints)
        for a, b in zip(first, second, strict=True)
    )
    assert not first[0].boxes.requires_grad


def test_nobody_is_found_where_nobody_is(analyzer, scenes):
    backgrounds = torch.stack([scene.background for scene in scenes[:20]])
    empty = analyzer.analyze(torch.cat([backgrounds, torch.full((1, 3, 128, 128), 0.5)]))
    assert sum(len(d) for d in empty[:-1]) <= 1
    last = empty[-1]
    assert (len(last), last.keypoints.shape, last.embeddings.shape) == (0, (0, 17, 3), (0, 128))
    assert last.person_mask.shape == (128, 128)
    assert torch.equal(analyzer.embed_faces(torch.full((2, 3, 64, 64), 0.5)), torch.zeros(2, 128))


def test_no_images_and_no_faces_are_fine(analyzer):
    assert analyzer.analyze(torch.zeros(0, 3, 128, 128)) == []
    assert analyzer.embed_faces(torch.zeros(0, 3, 64, 64)).shape == (0, 128)
    width = analyzer.features(torch.rand(2, 3, 128, 128)).shape[1]
    assert analyzer.features(torch.zeros(0, 3, 128, 128)).shape == (0, width)


@pytest.mark.parametrize("size", [(256, 256), (112, 128), (144, 128), (100, 100)])
def test_any_size_gives_the_same_places(analyzer, images, found, size):
    """The image is put into a larger one of another shape; places are in [0, 1] of that."""
    h, w = size
    side = min(size)
    inner = torch.nn.functional.interpolate(images[:12], size=(side, side), mode="bilinear", antialias=True)
    larger = torch.full((12, 3, h, w), 0.5)
    larger[:, :, :side, :side] = inner
    same = 0
    for detections, original in zip(analyzer.analyze(larger), found, strict=False):
        assert detections.person_mask.shape == (h, w)
        if len(detections) != len(original) or not len(original):
            continue
        scaled = detections.boxes * torch.tensor([w, h, w, h]) / side
        best = box_iou(scaled, original.boxes).amax(1)
        same += bool((best > 0.6).all())
    assert same >= 9


def test_fit_to_square_keeps_the_aspect():
    squares, extent = fit_to_square(torch.zeros(1, 3, 64, 96), 128)
    assert squares.shape == (1, 3, 128, 128)
    assert extent.tolist() == pytest.approx([1.0, 85 / 128])
    assert squares[0, :, :85].eq(0).all()
    assert squares[0, :, 85:].eq(0.5).all()


@pytest.mark.parametrize("shape", [(3, 128, 128), (1, 4, 128, 128)])
def test_wrong_shapes_are_refused(analyzer, shape):
    with pytest.raises(ValueError, match="images: shape"):
        analyzer.analyze(torch.rand(shape))


def test_a_threshold_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="score_threshold"):
        TinyAnalyzer(score_threshold=1.5)


def test_features_tell_renders_from_noise(analyzer, images):
    features = analyzer.features(images)
    noisy = analyzer.features((images + 0.3 * torch.randn_like(images)).clamp(0, 1))
    half = len(images) // 2
    within = (features[:half].mean(0) - features[half:].mean(0)).norm()
    assert (features.mean(0) - noisy.mean(0)).norm() > 2 * within
