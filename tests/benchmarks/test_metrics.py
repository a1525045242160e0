"""Per-image figures on worlds whose answers are known by construction or by brute force."""

import itertools

import numpy as np
import pytest
import torch
from blob_world import BlobAnalyzer, ColourWordScorer, scenes
from pycocotools.cocoeval import COCOeval

from benchmarks.metrics import (
    CANDIDATES,
    Observation,
    body_pose,
    copy_paste,
    count,
    identity,
    image_text,
    scores,
)
from datamodules.collate import collate
from datamodules.schema.detections import Detections

ANALYZER = BlobAnalyzer()


def observe(batch, detections=None, **changes):
    references = torch.stack([ANALYZER.embed_faces(r) for r in batch.references])
    given = {
        "images": batch.images,
        "prompts": batch.prompts,
        "people": tuple(batch.layout.counts().tolist()),
        "detections": ANALYZER.analyze(batch.images) if detections is None else detections,
        "scenes": batch,
        "references": references,
    }
    return Observation(**{**given, **changes})


@pytest.fixture
def batch():
    return collate(scenes("test", 8, (1, 2, 3, 4), 0))


def shaken(batch):
    """What an analyzer could have seen: one more face or one fewer, all moved and recoloured."""
    rng = torch.Generator().manual_seed(1)
    out = []
    for index, seen in enumerate(ANALYZER.analyze(batch.images)):
        kept = seen[torch.randperm(len(seen), generator=rng)[: max(0, len(seen) - index % 2)]]
        extra = Detections(
            boxes=torch.rand(1, 4, generator=rng),
            scores=torch.ones(1),
            landmarks=torch.rand(1, 5, 2, generator=rng),
            keypoints=torch.rand(1, 17, 3, generator=rng),
            embeddings=torch.nn.functional.normalize(torch.randn(1, 3, generator=rng), dim=-1),
        )
        parts = [kept, extra] if index % 3 else [kept]
        out.append(
            Detections(
                **{
                    name: torch.cat([getattr(p, name) for p in parts])
                    for name in ("boxes", "scores", "landmarks", "keypoints", "embeddings")
                }
            )
        )
    return out


def test_true_images_score_perfectly(batch):
    seen = observe(batch)
    assert count(seen)["count_exact"].tolist() == [1.0] * 8
    assert count(seen)["count_error"].tolist() == [0.0] * 8
    torch.testing.assert_close(identity(seen)["identity"], torch.ones(8), atol=0.01, rtol=0)
    assert (body_pose(seen)["oks"] > 0.75).all()


def test_count_where_the_number_is_partly_unknown(batch):
    values = count(observe(batch, people=(1, None, 9, 4, 1, 2, 3, None)))
    assert values["count_exact"].isnan().tolist() == [False, True, False, False, False, False, False, True]
    assert values["count_error"][2] == 6
    assert values["faces"].tolist() == [1, 2, 3, 4, 1, 2, 3, 4]
    assert set(count(observe(batch, people=(None,) * 8))) == {"faces"}


def test_identity_equals_algorithm_4_by_brute_force(batch):
    detections = shaken(batch)
    seen = observe(batch, detections)
    values = identity(seen)["identity"]
    for index, found in enumerate(detections):
        people = int(batch.layout.counts()[index])
        planned = batch.layout.centroids()[index, :people].numpy()
        centres = ((found.boxes[:, :2] + found.boxes[:, 2:]) / 2).numpy()
        cosine = (seen.references[index, :people] @ found.embeddings.T).numpy()
        assert values[index].item() == pytest.approx(_brute_force(planned, centres, cosine), abs=1e-5)


def _brute_force(planned, centres, cosine):
    """Every matching of min(N, O) pairs; the nearest one's cosines, summed over N people."""
    if not len(centres):
        return 0.0
    pairs = min(len(planned), len(centres))
    best = min(
        (
            (
                sum(np.linalg.norm(planned[i] - centres[j]) for i, j in zip(rows, columns, strict=True)),
                rows,
                columns,
            )
            for rows in itertools.combinations(range(len(planned)), pairs)
            for columns in itertools.permutations(range(len(centres)), pairs)
        ),
        key=lambda option: option[0],
    )
    return sum(cosine[i, j] for i, j in zip(best[1], best[2], strict=True)) / len(planned)


def test_copy_paste_is_1_for_the_reference_and_minus_1_for_the_true_face(batch):
    """Targets a right angle away from the references: whose embedding a face has decides everything."""
    seen = observe(batch)
    away = torch.stack([torch.linalg.cross(r, torch.ones_like(r).cumsum(-1)) for r in seen.references])
    assert copy_paste(seen) == {}
    found = [d if i % 2 else Detections.empty(3) for i, d in enumerate(seen.detections)]
    values = copy_paste(observe(batch, found, targets=away))["copy_paste"]
    assert values.isnan().tolist() == [True, False] * 4
    torch.testing.assert_close(values[1::2], torch.ones(4), atol=0.05, rtol=0)
    swapped = observe(batch, targets=seen.references, references=away)
    torch.testing.assert_close(copy_paste(swapped)["copy_paste"], -torch.ones(8), atol=0.05, rtol=0)


def test_oks_of_one_person_equals_coco(batch):
    """pycocotools on the same keypoints in pixels, with the same area."""
    detections = [d[:1] for d in shaken(batch)]
    one = [i for i in range(8) if int(batch.layout.counts()[i]) == 1 and len(detections[i])]
    values = body_pose(observe(batch, detections))["oks"]
    assert one
    for index in one:
        gt, pred = batch.layout.keypoints[index, 0].clone(), detections[index].keypoints[0].clone()
        gt[:, :2], pred[:, :2] = gt[:, :2] * 48, pred[:, :2] * 48
        low, high = gt[:, :2].amin(0), gt[:, :2].amax(0)
        area = 0.53 * float((high - low).prod())
        assert values[index].item() == pytest.approx(_coco_oks(gt, pred, area), abs=1e-5)


def _coco_oks(gt, pred, area):
    evaluation = COCOeval(iouType="keypoints")
    evaluation.params.imgIds, evaluation.params.catIds, evaluation.params.maxDets = [0], [0], [20]
    person = {
        "keypoints": gt.flatten().tolist(),
        "area": area,
        "bbox": [0, 0, 1, 1],
        "num_keypoints": 17,
        "ignore": 0,
    }
    evaluation._gts[0, 0] = [person]
    evaluation._dts[0, 0] = [{"keypoints": pred.flatten().tolist(), "score": 1.0}]
    return float(evaluation.computeOks(0, 0)[0, 0])


def test_nobody_found_is_identity_zero_and_pose_undefined(batch):
    seen = observe(batch, [Detections.empty(3)] * 8)
    assert identity(seen)["identity"].tolist() == [0.0] * 8
    assert body_pose(seen)["oks"].isnan().all()


def test_distances_are_measured_in_pixels_on_images_that_are_not_square(batch):
    """Twice as wide: a face one planned place off in x must cost twice what it costs in y."""
    wide = torch.nn.functional.interpolate(batch.images, scale_factor=(1, 2))
    seen = observe(batch, images=wide)
    boxes, bodies = seen.planned(1)
    torch.testing.assert_close(boxes, batch.layout.boxes[1, :2] * torch.tensor([96, 48, 96, 48]))
    torch.testing.assert_close(bodies, batch.layout.keypoints[1, :2] * torch.tensor([96, 48, 1]))


def test_figures_that_cannot_be_had_are_left_out(batch):
    bare = Observation(batch.images, (None,) * 8, (None,) * 8)
    assert count(bare) == identity(bare) == body_pose(bare) == image_text(bare) == scores(bare) == {}


class Towers:
    """Colour words through two towers; the same answer as ``score`` on pairs."""

    def embed_images(self, images):
        return images.mean(dim=(2, 3))

    def embed_prompts(self, prompts):
        return torch.stack(
            [torch.tensor([p.count("red"), p.count("green"), p.count("blue")]).float() for p in prompts]
        )

    def score(self, images, prompts):
        return (self.embed_images(images) * self.embed_prompts(prompts)).sum(-1)


class Pairs:
    def __init__(self):
        self.score = Towers().score


def test_retrieval_takes_32_candidates_and_agrees_on_both_roads(batch):
    pool = tuple(s.prompt for s in scenes("train", 60, (1, 2, 3), 900))
    prompts = (None, *batch.prompts[1:])
    by_towers, by_pairs = (
        image_text(observe(batch, prompts=prompts, scorers={"image_text": scorer}, distractors=pool))
        for scorer in (Towers(), Pairs())
    )
    for name in ("image_text", "image_text_top1"):
        torch.testing.assert_close(by_towers[name], by_pairs[name], equal_nan=True)
        assert by_towers[name].isnan().tolist() == [True] + [False] * 7
    own = torch.tensor([Towers().score(batch.images[[i]], [p]).item() for i, p in enumerate(batch.prompts)])
    others = Towers().embed_images(batch.images) @ Towers().embed_prompts(pool[: CANDIDATES - 1]).T
    ahead, tied = (others > own[:, None]).sum(1), (others == own[:, None]).sum(1)
    expected = torch.where(ahead > 0, torch.zeros(8), 1 / (1 + tied))
    torch.testing.assert_close(by_towers["image_text_top1"][1:], expected[1:])


def test_too_few_prompts_give_no_retrieval(batch):
    values = image_text(observe(batch, scorers={"image_text": ColourWordScorer()}, distractors=batch.prompts))
    assert set(values) == {"image_text"}
    assert values["image_text"].tolist() == [1.0] * 8


def test_other_scorers_under_their_own_names(batch):
    values = scores(observe(batch, scorers={"image_text": Towers(), "redness": Towers()}))
    assert set(values) == {"redness"}
