"""Groups are whole for any number of processes, images and members; the curriculum switches when it should."""

import pytest
import torch
from scipy.stats import chisquare

from datamodules.groups import CountCurriculum, SplitGroups, WholeGroups
from datamodules.multi_human import GroupBatches


@pytest.mark.parametrize("world", range(1, 9))
@pytest.mark.parametrize("images", range(1, 7))
@pytest.mark.parametrize("size", [2, 3, 5, 8, 21, 24])
def test_split_groups_are_whole_and_shares_equal(world, images, size):
    sampler = SplitGroups(images, size)
    shares = [sampler.images(3, rank, world) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    assert len(shares[0]) % images == 0
    assert torch.bincount(torch.cat(shares)).tolist() == [size] * sampler.group_count(world)


def test_the_papers_numbers_make_one_group():
    assert SplitGroups(images_per_rank=3, group_size=21).group_count(world=7) == 1


def test_whole_groups_stay_on_their_process():
    sampler = WholeGroups(groups_per_rank=2, group_size=3)
    shares = [sampler.images(0, rank, 3).tolist() for rank in range(3)]
    assert shares == [[0, 0, 0, 1, 1, 1], [2, 2, 2, 3, 3, 3], [4, 4, 4, 5, 5, 5]]
    assert sampler.group_count(3) == 6


@pytest.mark.parametrize("wrong", [{"group_size": 1}, {"groups_per_rank": 0}])
def test_groups_without_company_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WholeGroups(**wrong)


def test_the_curriculum_draws_evenly_and_switches_after_tau():
    curriculum, rng = CountCurriculum(switch=100), torch.Generator().manual_seed(0)
    early = [curriculum.draw(epoch, rng) for epoch in range(101) for _ in range(20)]
    late = [curriculum.draw(101, rng) for _ in range(3000)]
    assert set(early) == {2, 3}
    assert chisquare(torch.bincount(torch.tensor(early))[2:].numpy()).pvalue > 0.01
    assert chisquare(torch.bincount(torch.tensor(late))[2:].numpy()).pvalue > 0.01
    assert set(late) == {2, 3, 4, 5, 6, 7}
    assert CountCurriculum(switch=-1).counts(0) == (2, 3, 4, 5, 6, 7)
    with pytest.raises(ValueError, match="first"):
        CountCurriculum(first=())


def test_processes_agree_on_scenes_and_epochs_on_nothing():
    def batches(epoch):
        stream = [
            GroupBatches(SplitGroups(2, 4), CountCurriculum(), "train", 5, lambda: epoch, rank, 2)
            for rank in (0, 1)
        ]
        return [s[0] for s in stream]

    first, again, later = batches(0), batches(0), batches(1)
    prompts = {}
    for batch in first:
        for member, group in zip(batch.members.tolist(), batch.groups.tolist(), strict=True):
            assert prompts.setdefault(group, batch.scenes.scene_ids[member]) == batch.scenes.scene_ids[member]
    assert [b.scenes.scene_ids for b in first] == [b.scenes.scene_ids for b in again]
    assert not set(first[0].scenes.scene_ids) & set(later[0].scenes.scene_ids)
    assert not set(torch.cat([b.groups for b in first]).tolist()) & set(later[0].groups.tolist())
    assert len(set(first[0].scenes.scene_ids)) == len(first[0].scenes)
