"""Figures of published benchmarks against numpy and brute force, with planted mistakes."""

import itertools
import math

import numpy as np
import pytest
import torch
from published_world import judge_server

from benchmarks.aggregate import rows_from_records
from benchmarks.metrics import Observation, scores
from benchmarks.published import metrics
from benchmarks.published.asked import Asked
from benchmarks.published.summary import UNIFIED, unified_rows, with_reasons, without_outliers
from datamodules.schema.detections import Detections
from rewards.scorers.vlm_judge import Answer, VLMJudge

NAMES = {"suite": "s", "method": "m", "setting": ""}


def unit(*shape, seed):
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(values, dim=-1)


def faces(embeddings):
    count = len(embeddings)
    return Detections(boxes=torch.zeros(count, 4), scores=torch.ones(count), embeddings=embeddings)


def seen(asked, detections=None, scorers=None, images=None):
    count = len(asked)
    return Observation(
        torch.rand(count, 3, 8, 8) if images is None else images,
        prompts=("a",) * count,
        people=(None,) * count,
        detections=detections,
        asked=tuple(asked),
        scorers=scorers or {},
    )


@pytest.mark.parametrize(("people", "found"), [(1, 1), (3, 3), (4, 2), (2, 5)])
def test_identity_is_the_best_of_all_matchings_over_the_people(people, found):
    references, embeddings = unit(people, 8, seed=people), unit(found, 8, seed=10 + found)
    cosine = (references @ embeddings.T).numpy()
    pairs = min(people, found)
    best = max(
        sum(cosine[r, c] for r, c in zip(rows, columns, strict=True))
        for rows in itertools.combinations(range(people), pairs)
        for columns in itertools.permutations(range(found), pairs)
    )
    value = metrics.identity_anywhere(seen([Asked(references)], [faces(embeddings)]))["identity_anywhere"]
    assert value.item() == pytest.approx(best / people, abs=1e-6)


def test_greedy_matching_would_be_worse():
    """Where the published script's matching goes wrong: the best single pair belongs to no best matching."""
    references = torch.eye(2)
    embeddings = torch.tensor([[0.8, 0.6], [0.75, 0.1]])
    value = metrics.identity_anywhere(seen([Asked(references)], [faces(embeddings)]))["identity_anywhere"]
    cosine = embeddings / embeddings.norm(dim=1, keepdim=True)
    assert value.item() == pytest.approx((cosine[1, 0] + cosine[0, 1]).item() / 2)


def test_no_face_is_zero_and_no_reference_is_unknown():
    observed = seen([Asked(unit(2, 8, seed=0)), Asked(None)], [Detections.empty(), faces(unit(1, 8, seed=1))])
    values = metrics.identity_anywhere(observed)["identity_anywhere"]
    assert values[0] == 0
    assert values[1].isnan()


def test_similarity_lets_a_face_serve_twice_and_is_undefined_without_a_true_face():
    references, truth, embeddings = unit(3, 8, seed=2), unit(2, 8, seed=3), unit(2, 8, seed=4)
    observed = seen(
        [Asked(references, truth_faces=truth), Asked(references, truth_faces=truth[:0])],
        [faces(embeddings), faces(embeddings)],
    )
    values = metrics.similarity(observed)
    expected = (references @ embeddings.T).numpy().max(axis=1).mean()
    assert values["similarity_reference"].tolist() == pytest.approx([expected, expected])
    to_truth = (truth @ embeddings.T).numpy().max(axis=1).mean()
    assert values["similarity_truth"][0].item() == pytest.approx(to_truth)
    assert values["similarity_truth"][1].isnan()
    nobody = metrics.similarity(seen([Asked(references, truth_faces=truth)], [Detections.empty()]))
    assert [v.item() for v in nobody.values()] == [0, 0]


def angle(a, b):
    return math.acos(np.clip(float(a @ b), -1, 1))


def test_copy_paste_is_1_for_the_reference_and_minus_1_for_the_true_face():
    references = unit(3, 16, seed=5)
    truth = torch.nn.functional.normalize(references + 0.4 * unit(3, 16, seed=6), dim=-1)
    between = torch.nn.functional.normalize(0.7 * references + 0.3 * truth, dim=-1)
    order = torch.tensor([2, 0, 1])

    def measured(embeddings):
        asked = Asked(references, truth_faces=truth[order])
        return metrics.copy_paste(seen([asked], [faces(embeddings[order.flip(0)])]))["copy_paste"].item()

    assert measured(references) == pytest.approx(1.0, abs=1e-4)
    assert measured(truth) == pytest.approx(-1.0, abs=1e-4)
    expected = [
        (angle(g, t) - angle(g, r)) / angle(t, r) for g, t, r in zip(between, truth, references, strict=True)
    ]
    assert measured(between) == pytest.approx(np.mean(expected), abs=1e-4)
    assert 0 < measured(between) < 1


def test_image_truth_is_a_cosine_in_the_scorers_space():
    class Towers:
        def embed_images(self, images):
            return images.mean(dim=(2, 3))

    images, truth = torch.rand(1, 3, 6, 6), torch.rand(3, 9, 4)
    observed = seen([Asked(None, truth=truth)], scorers={"image_text": Towers()}, images=images)
    a, b = images[0].mean(dim=(1, 2)).numpy(), truth.mean(dim=(1, 2)).numpy()
    expected = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert metrics.image_truth(observed)["image_truth"].item() == pytest.approx(expected, abs=1e-6)
    assert metrics.image_truth(seen([Asked(None)], scorers={"image_text": object()})) == {}


def test_questions_are_scored_by_their_digits_and_failures_are_told():
    asked = [
        Asked(None, questions=("Is it red? 0(No)", "Is it blue? 9(Yes)"), is_complex=False),
        Asked(None, questions=("Is it green? 4(Partially)", "garble"), is_complex=True),
        Asked(None, questions=("garble",), is_complex=True),
    ]
    with judge_server() as server:
        server.answers = {"red": "4", "blue": "9", "green": " 0.", "garble": "Yes, 9"}
        judge = VLMJudge(server.scorer.split("'")[1], "m", attempts=1, parallel=1)
        observed = seen(asked, scorers={"actions": judge})
        values = metrics.actions(observed)
        assert all(question.endswith(metrics.DIGIT_ONLY) for question in server.asked)
        assert scores(observed) == {}, "the judge is asked the questions and nothing else"
    np.testing.assert_allclose(values["action"], [0.75, 0.1, np.nan], rtol=1e-6)
    np.testing.assert_allclose(values["action_s"], [0.75, np.nan, np.nan], rtol=1e-6)
    np.testing.assert_allclose(values["action_c"], [np.nan, 0.1, np.nan], rtol=1e-6)
    assert values["questions_failed"].tolist() == [0, 1, 1]
    assert [note.split(":")[1] for note in observed.notes] == [" 1 of 2 questions", " 1 of 1 questions"]
    assert "is not one digit" in observed.notes[0]


@pytest.mark.parametrize(
    ("question", "digit", "kept"),
    [
        ("Is it red? Choices: 0(No), 9(Yes), 4(Partially).", 4, True),
        ("Is it red? Choices: 0(No), 9(Yes), 4(Partially).", 7, False),
        ("Are 7 (seven) there? Choices: 0(No), 9(Yes).", 7, False),
        ("Are 7 (seven) there?", 7, True),
        ("Choices: as you like", 7, True),
    ],
)
def test_a_digit_that_is_not_offered_is_no_answer(question, digit, kept):
    answer = metrics.among_choices(question, Answer((digit + 1) / 10, ""))
    if kept:
        assert answer == ((digit + 1) / 10, "")
    else:
        assert np.isnan(answer.score)
        assert f"answer {digit} is none of the choices 0, 9" in answer.reason
    failed = Answer(float("nan"), "status 500")
    assert metrics.among_choices(question, failed) is failed


def test_without_a_judge_nothing_is_scored():
    values = metrics.actions(seen([Asked(None, questions=("Is it?",), is_complex=False)]))
    assert all(v.isnan().all() for v in values.values())
    assert metrics.actions(Observation(torch.rand(1, 3, 8, 8), ("a",), (1,))) == {}


def records(count=30):
    rng = np.random.default_rng(1)
    return [
        {
            "scene": str(i),
            "seed": seed,
            "slices": {"people": 1 + i % 3},
            "metrics": {
                "count_exact": float(rng.random() < 0.8),
                "identity_anywhere": float(rng.uniform(0.2, 0.8)),
                "preference": float(rng.uniform(0.1, 0.4)),
                "action": float(rng.uniform(0.1, 1.0)) if i % 4 else None,
            },
        }
        for seed in (0, 1)
        for i in range(count)
    ]


def test_unified_rows_unite_the_rows_of_the_table():
    made = records()
    rows = unified_rows(made, NAMES, resamples=200)
    plain = rows_from_records(made, NAMES, UNIFIED["unified"], 200)
    for row in rows:
        parts = [
            next(p.value for p in plain if (p.metric, p.slice, p.seed) == (name, row.slice, row.seed))
            for name in UNIFIED[row.metric]
        ]
        assert row.value == pytest.approx(np.prod(parts) ** (1 / len(parts)))
        if row.slice == "all":
            assert row.low < row.value < row.high
    assert {(r.metric, r.slice) for r in rows} == {
        (m, s) for m in UNIFIED for s in ("all", "people=1", "people=2", "people=3")
    }


def test_what_is_missing_says_why():
    made = [{**r, "metrics": {**r["metrics"], "action": None, "action_c": None}} for r in records()]
    rows = rows_from_records(made, NAMES, ["action", "action_c", "preference"], 0)
    rows += unified_rows(made, NAMES, 0)

    def reasons(scorers, of=made):
        return {r.metric: r.absent for r in with_reasons(rows, of, scorers) if r.slice == "all"}

    assert reasons({"preference"}) == {
        "action": "no judge",
        "action_c": "no judge",
        "preference": "",
        "unified": "no judge",
        "unified_no_actions": "",
    }
    assert reasons({"preference", "actions"})["action_c"] == "not asked"
    failed = [{**r, "metrics": {**r["metrics"], "questions_failed": 1.0}} for r in made]
    assert reasons({"preference", "actions"}, failed)["unified"] == "judge failed"
    assert reasons({"actions"})["unified"] == "no preference"


def test_outliers_are_dropped_figure_by_figure():
    made = [
        {"scene": str(i), "seed": None, "slices": {}, "metrics": {"a": v, "b": 1.0 + i}}
        for i, v in enumerate([1.0, 1.1, 0.9, 1.05, 40.0])
    ]
    kept, dropped = without_outliers(made)
    assert dropped == {"a": 1, "b": 0}
    assert [r["metrics"]["a"] for r in kept] == [1.0, 1.1, 0.9, 1.05, None]
    assert [r["metrics"]["b"] for r in kept] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert made[4]["metrics"]["a"] == 40.0
