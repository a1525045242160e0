"""Images are judged while the next are drawn, and the scores are those of judging them afterwards."""

import threading

import pytest
import torch
from small_policy import Blind, Redness, small_artist

from datamodules.groups import CountCurriculum, WholeGroups
from datamodules.multi_human import GroupBatches
from datamodules.schema.interfaces import Scorer
from rewards.base import RewardUnavailable
from rewards.preference import PreferenceReward
from rewards.stack import RewardStack, RewardTerm

CHUNKS = 4
PATIENCE_S = 20


class Slow(Scorer):
    """A server that answers for a chunk of images when the next one is on its way."""

    def __init__(self):
        self.drawn = [threading.Event() for _ in range(CHUNKS)]
        self.asked = 0

    def score(self, images, prompts):
        self.asked += 1
        if self.asked < CHUNKS and not self.drawn[self.asked].wait(PATIENCE_S):
            raise RewardUnavailable("nothing was drawn while the server was asked")
        return Redness().score(images, prompts)


def policy(codec, scorer):
    return small_artist(codec, rewards=RewardStack(Blind(), {"red": RewardTerm(PreferenceReward(scorer))}))


def batch():
    return GroupBatches(WholeGroups(2, 8), CountCurriculum(), "train", 0, lambda: 0).batch(0)


def drawn_and_judged(model, before=lambda chunk: None):
    """With a look at every chunk before it is drawn."""
    rollout, chunks = model.policy.rollout, iter(range(CHUNKS))

    def watched(*arguments, **options):
        before(next(chunks))
        return rollout(*arguments, **options)

    model.policy.rollout = watched
    model.configure_model()
    return model.draw_and_judge(batch(), (0,))


def test_drawing_goes_on_while_a_server_is_asked(codec):
    scorer = Slow()
    _, table = drawn_and_judged(policy(codec, scorer), lambda chunk: scorer.drawn[chunk].set())
    assert scorer.asked == CHUNKS
    assert not table.failed.any()


def test_scores_are_those_of_judging_afterwards_in_the_order_of_images(codec):
    model = policy(codec, Redness())
    rollouts, table = drawn_and_judged(model)
    with torch.no_grad():
        images = torch.cat([model.codec.decode(r.trajectory.final, (128, 128)) for r in rollouts])
    assert torch.equal(table.raw[0], Redness().score(images, []))
    assert table.raw[0].unique().numel() == len(images) == 16


class Broken(Scorer):
    def score(self, images, prompts):
        raise ValueError("a mistake in a scorer")


def test_a_mistake_in_a_scorer_is_raised(codec):
    with pytest.raises(ValueError, match="a mistake in a scorer"):
        drawn_and_judged(policy(codec, Broken()))
