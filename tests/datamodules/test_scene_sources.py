"""Groups from any source of scenes: the tiny world as before, references by Algorithm 1, processes that agree."""

from types import SimpleNamespace

import pytest
import torch

from datamodules.groups import CountCurriculum, SplitGroups, WholeGroups
from datamodules.multi_human import GroupBatches, MultiHumanDataModule
from datamodules.references import ReferenceSources
from datamodules.scene_sources import ChosenReferences, SceneSeries, TinyWorldSource
from datamodules.tiny_world.scenes import draw_scene

SAMPLER = WholeGroups(groups_per_rank=3, group_size=2)


def batch(epoch, rank=0, world=1, scenes=None, sampler=SAMPLER):
    return GroupBatches(sampler, CountCurriculum(), "train", 5, lambda: epoch, rank, world, scenes)[0]


def test_the_default_is_the_tiny_world_with_its_second_views():
    """Seeds and counts as they were drawn before there were other sources."""
    rng = torch.Generator().manual_seed(5 * 1_000_003 + 4)
    counts = [CountCurriculum().draw(4, rng) for _ in range(3)]
    seeds = torch.randint(2**31 - 1, (3,), generator=rng).tolist()
    seen = batch(4).scenes
    for i, (seed, count) in enumerate(zip(seeds, counts, strict=True)):
        scene = draw_scene(seed, "train", count=count)
        assert seen.scene_ids[i] == scene.scene_id
        assert torch.equal(seen.images[i], scene.image)
        for n, person in enumerate(scene.persons):
            assert torch.equal(seen.references[i, n], person.reference)


def test_chosen_references_are_a_function_of_seed_epoch_and_rank():
    chosen = ChosenReferences(TinyWorldSource(), ReferenceSources())
    first, again, later = batch(0, scenes=chosen), batch(0, scenes=chosen), batch(1, scenes=chosen)
    assert torch.equal(first.scenes.references, again.scenes.references)
    assert first.scenes.scene_ids != later.scenes.scene_ids
    plain = batch(0)
    assert torch.equal(plain.scenes.images, first.scenes.images)
    assert plain.scenes.identities == first.scenes.identities
    assert not torch.equal(plain.scenes.references, first.scenes.references)


def test_processes_that_share_a_group_show_the_same_references():
    chosen = ChosenReferences(TinyWorldSource(), ReferenceSources())
    seen = {}
    for rank in (0, 1):
        own = batch(2, rank, 2, chosen, SplitGroups(2, 4))
        for i, name in enumerate(own.scenes.scene_ids):
            count = int(own.scenes.layout.counts()[i])
            seen.setdefault(name, []).append(own.scenes.references[i, :count])
    shared = [views for views in seen.values() if len(views) > 1]
    assert shared
    assert all(torch.equal(a, b) for a, b in shared)


def module(**settings):
    made = MultiHumanDataModule(SAMPLER, **settings)
    made.trainer = SimpleNamespace(current_epoch=0, global_rank=0, world_size=1)
    return made


def test_the_data_module_chooses_for_training_only():
    made = module(
        sources=ReferenceSources(multi_view=0, single_view=0, synthetic=1), val_size=6, batch_size=6
    )
    (train,) = made.train_dataloader()
    (plain,) = module().train_dataloader()
    valid = train.scenes.layout.valid
    assert (train.scenes.references[valid] != plain.scenes.references[valid]).flatten(1).any(dim=1).all()
    (val,) = made.val_dataloader()
    expected = [draw_scene(i, "val", count=2 + i) for i in range(6)]
    assert val.scene_ids == tuple(scene.scene_id for scene in expected)
    assert torch.equal(val.references[5, 3], expected[5].persons[3].reference)


def test_numbers_of_people_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match=r"curriculum: .*train scene with \[8\] people"):
        module(curriculum=CountCurriculum(then=(2, 8))).train_dataloader()
    with pytest.raises(ValueError, match=r"val_counts: .*val scene with \[9\] people"):
        module(val_counts=(2, 9)).val_dataloader()
    assert len(module(val_size=0, val_counts=(9,)).val_dataloader()) == 0


def test_a_series_is_the_same_every_time():
    series = SceneSeries(TinyWorldSource(), "val", 4, (3, 1))
    assert [len(series[i]) for i in range(4)] == [3, 1, 3, 1]
    assert torch.equal(series[2].image, series[2].image)
    with pytest.raises(IndexError):
        series[4]
