"""One analysis for all rewards, hold-outs, failures, statistics; and the trap of torchmetrics' compute groups."""

import numpy as np
import pytest
import torch
from observed import DIM, perfect
from torchmetrics import MetricCollection

from datamodules.schema.interfaces import Analyzer, Scorer
from rewards.base import Reward, RewardUnavailable
from rewards.copy_paste import CopyPasteReward
from rewards.count import CountReward
from rewards.face_match import FaceMatchReward
from rewards.frontality import FrontalityReward
from rewards.preference import PreferenceReward
from rewards.stack import RewardStack, RewardTable, RewardTerm


class Counting(Analyzer):
    """Sees everything, and counts how often it is asked to."""

    def __init__(self, scenes):
        self.scenes, self.analyses, self.embeddings = scenes, 0, 0

    def analyze(self, images):
        self.analyses += 1
        return perfect(self.scenes)

    def embed_faces(self, faces, landmarks=None):
        self.embeddings += 1
        return torch.cat([d.embeddings for d in perfect(self.scenes)])


class Given(Scorer):
    def __init__(self, values):
        self.values = torch.tensor(values)

    def score(self, images, prompts):
        return self.values


class Down(Reward):
    def score(self, seen):
        raise RewardUnavailable("no answer")


class Mistaken(Reward):
    def score(self, seen):
        raise KeyError("a mistake")


def stack(scenes, **terms):
    return RewardStack(Counting(scenes), {"count": RewardTerm(CountReward(), 0.2), **terms})


def test_one_look_serves_every_reward(scenes):
    judges = stack(scenes, face=RewardTerm(FaceMatchReward(), 0.3), again=RewardTerm(FaceMatchReward(), 0.1))
    table = judges.judge(scenes.images, scenes, judges.known(scenes))
    assert (judges.analyzer.analyses, judges.analyzer.embeddings) == (1, 1)
    assert table.names == ("count", "face", "again")
    torch.testing.assert_close(table.raw[1], torch.ones(4))
    torch.testing.assert_close(table.total(), torch.full((4,), 0.6))


def test_true_faces_are_looked_at_only_for_rewards_that_ask(scenes):
    assert stack(scenes).known(scenes).targets is None
    judges = stack(scenes, copied=RewardTerm(CopyPasteReward(), 0.0))
    table = judges.judge(scenes.images, scenes)
    assert judges.analyzer.analyses == 2  # the true images and the drawn ones
    torch.testing.assert_close(
        table.raw[1], torch.zeros(4)
    )  # here they and the references are the same faces
    order = torch.tensor([2, 2, 0])
    known = judges.known(scenes)
    for part in ("references", "targets"):
        torch.testing.assert_close(getattr(known.select(order), part), getattr(known, part)[order])


def test_scale_and_shift_come_before_the_weight(scenes):
    taste = PreferenceReward(Given([2.0, 4.0, 6.0, 8.0]), scale=0.5, shift=-1.0)
    table = stack(scenes, taste=RewardTerm(taste, 0.4)).judge(scenes.images, scenes)
    torch.testing.assert_close(table.total(), 0.2 + 0.4 * torch.tensor([0.0, 1.0, 2.0, 3.0]))
    assert table.raw[1].tolist() == [2, 4, 6, 8]


def test_hold_outs_and_what_was_not_asked_add_nothing(scenes):
    held = RewardTerm(PreferenceReward(Given([9.0, 9.0, 9.0, 9.0])), 0.0)
    table = stack(scenes, held=held, front=RewardTerm(FrontalityReward(), 1.0)).judge(scenes.images, scenes)
    assert table.trained().tolist() == [True, False, True]
    torch.testing.assert_close(table.total()[[0, 2]], torch.full((2,), 0.2))
    assert bool((table.total()[[1, 3]] > 0.9).all())
    with pytest.raises(ValueError, match="no weight"):
        RewardStack(Counting(scenes), {"held": held})


def test_an_unavailable_reward_is_masked_and_a_mistake_is_not(scenes, caplog):
    table = stack(scenes, down=RewardTerm(Down(), 5.0)).judge(scenes.images, scenes)
    assert table.failed.tolist() == [[False] * 4, [True] * 4]
    figures = table.statistics(torch.tensor([0, 0, 1, 1]))
    assert (figures["count/failed"], figures["down/failed"]) == (0, 4)
    assert "down/mean" not in figures
    assert table.raw[1].isnan().all()
    torch.testing.assert_close(table.total(), torch.full((4,), 0.2))
    assert "no answer" in caplog.text
    with pytest.raises(KeyError):
        stack(scenes, wrong=RewardTerm(Mistaken(), 1.0)).judge(scenes.images, scenes)


def test_statistics_are_numpys(scenes):
    rng = torch.Generator().manual_seed(0)
    raw = torch.rand(2, 12, generator=rng)
    raw[1, :4] = 0.3
    raw[0, 5] = torch.nan
    weights = torch.tensor([0.5, 2.0])
    table = RewardTable(("a", "b"), weights, raw, raw * 3, torch.zeros(2, 12, dtype=torch.bool))
    groups = torch.arange(3).repeat_interleave(4)
    found, a, b = table.statistics(groups), raw[0].double().numpy(), raw[1].double().numpy()
    known = ~np.isnan(a)
    total = 1.5 * np.nan_to_num(a) + 6 * b
    assert found["a/mean"] == pytest.approx(np.nanmean(a))
    assert found["a/std"] == pytest.approx(np.nanstd(a))
    assert found["a/group_std"] == pytest.approx(np.mean([np.nanstd(a[i : i + 4]) for i in (0, 4, 8)]))
    assert found["b/equal_groups"] == pytest.approx(1 / 3)
    assert found["b/weighted_mean"] == pytest.approx(6 * b.mean(), rel=1e-5)
    assert found["a/correlation"] == pytest.approx(np.corrcoef(a[known], total[known])[0, 1], abs=1e-5)
    assert found["total/std"] == pytest.approx(total.std(), rel=1e-5)


def test_means_are_kept_apart_although_they_begin_alike(scenes):
    """torchmetrics merges metrics whose states are equal after the first batch; the collection must not."""
    first, second = torch.zeros(4), torch.tensor([0.0, 0.0, 0.0, 1.0])
    judges = stack(scenes, face=RewardTerm(FaceMatchReward(), 0.3))
    weights = torch.tensor([0.2, 0.3])
    for scores in ((first, first), (torch.ones(4), second)):
        raw = torch.stack(scores)
        judges.accumulate(RewardTable(("count", "face"), weights, raw, raw, raw.isnan()))
    assert judges.means(judges.sums()) == {"count": 0.5, "face": 0.125}
    assert judges.means(2 * judges.sums()) == {"count": 0.5, "face": 0.125}  # two processes that saw the same
    assert {k: float(v) for k, v in judges.metrics.compute().items()} == {"count": 0.5, "face": 0.125}
    judges.metrics.reset()
    assert judges.metrics["count"].compute().isnan()
    assert isinstance(judges.metrics, MetricCollection)
    assert not judges.metrics._enable_compute_groups


def test_a_mean_leaves_out_what_was_not_scored():
    reward = CountReward()
    reward.accumulate(torch.tensor([1.0, torch.nan, 0.0, 1.0]))
    assert float(reward.compute()) == pytest.approx(2 / 3)


def test_tables_join():
    weights = torch.ones(1)
    parts = [
        RewardTable(
            ("a",), weights, torch.full((1, n), float(n)), torch.ones(1, n), torch.full((1, n), n == 3)
        )
        for n in (2, 3)
    ]
    joined = RewardTable.joined(parts)
    assert joined.raw.tolist() == [[2, 2, 3, 3, 3]]
    assert joined.failed.tolist() == [[False, False, True, True, True]]


def test_embeddings_of_references_fill_their_slots(scenes):
    found = stack(scenes).known(scenes).references
    assert found.shape == (*scenes.layout.valid.shape, DIM)
    torch.testing.assert_close(found.norm(dim=-1), scenes.layout.valid.float())
