"""Human-in-place samples: exact where nobody stands, skeletons where people do, splits apart, always the same."""

from dataclasses import replace

import lightning as L
import pytest
import torch
from quiet_trainer import quiet_trainer

from datamodules.collate import collate
from datamodules.geometry.draw import draw_skeleton
from datamodules.human_in_place import HumanInPlaceDataModule, HumanInPlaceScenes, human_in_place, join
from datamodules.tiny_world.scenes import draw_scene


def test_a_sample_is_the_scene_with_and_without_its_people():
    scene = draw_scene(11, "val", count=3)
    sample = HumanInPlaceScenes("val", 2, (2, 3), first_seed=10)[1]
    assert sample.prompts == (scene.prompt,)
    torch.testing.assert_close(sample.target[0], scene.image, atol=0, rtol=0)
    outside = ~sample.people_mask[0]
    assert torch.equal(sample.source[0][:, outside], sample.target[0][:, outside])
    changed = (sample.source[0] != sample.target[0]).any(0)
    assert changed[sample.people_mask[0]].float().mean() > 0.9
    assert torch.equal(sample.people_mask[0], torch.stack([p.mask for p in scene.persons]).any(0))


def test_the_layout_image_is_the_skeletons_over_the_source():
    sample = HumanInPlaceScenes("train", 1, (2,))[0]
    by_hand = draw_skeleton(sample.layout.keypoints[0], (128, 128), over=sample.source[0])
    assert torch.equal(sample.layout_image[0], by_hand)
    drawn = (sample.layout_image != sample.source).any(1)[0]
    assert 0.01 < drawn.float().mean() < 0.3
    joints = sample.layout.keypoints[0]
    for x, y, v in joints.flatten(0, 1).tolist():
        if v > 0:
            assert drawn[int(y * 128), int(x * 128)], "every known joint is drawn"


def test_batches_are_padded_and_turn_through_the_counts():
    data = HumanInPlaceDataModule(n_train=3, n_val=4, n_test=2, counts=(1, 4), batch_size=4)
    (batch,) = list(data.val_dataloader())
    assert batch.layout.counts().tolist() == [1, 4, 1, 4]
    assert batch.layout.keypoints.shape == (4, 4, 17, 3)
    assert batch.layout.keypoints[0, 1:].abs().sum() == 0
    assert batch.layout.depths[1].tolist() != [0, 0, 0, 0]
    again = next(iter(data.val_dataloader()))
    assert torch.equal(batch.layout_image, again.layout_image)
    assert batch.prompts == again.prompts


def test_samples_keep_their_names_where_all_have_one():
    first, second = (HumanInPlaceScenes("val", 2, (1,), first_seed=4)[i] for i in range(2))
    both = join([first, second])
    assert both.names == ("val-4", "val-5")
    assert both.select(torch.tensor([1, 1, 0])).names == ("val-5", "val-5", "val-4")
    assert join([first, replace(second, names=())]).names == ()


def test_no_prompt_and_place_is_in_two_splits():
    data = HumanInPlaceDataModule(n_train=40, n_val=40, n_test=40)
    seen = {
        split: {(s.prompts[0], s.source.sum().item()) for s in data.dataset(split)}
        for split in ("train", "val", "test")
    }
    assert not seen["train"] & seen["val"]
    assert not seen["train"] & seen["test"]
    assert not seen["val"] & seen["test"]


def test_worker_processes_draw_the_same_samples():
    plain, forked = (HumanInPlaceDataModule(n_val=2, batch_size=2, num_workers=n) for n in (0, 1))
    a, b = next(iter(plain.val_dataloader())), next(iter(forked.val_dataloader()))
    assert torch.equal(a.layout_image, b.layout_image)


def test_kept_samples_are_the_drawn_ones_to_the_bit():
    kept = HumanInPlaceScenes("train", 2, (2,), keep=True)
    first = [kept[i] for i in range(2)]
    for i, sample in enumerate(first):
        for name in ("source", "target", "layout_image", "people_mask"):
            assert torch.equal(getattr(kept[i], name), getattr(sample, name)), name
        assert torch.equal(sample.target, HumanInPlaceScenes("train", 2, (2,))[i].target)
    kept[0].source.zero_()
    assert torch.equal(kept[0].source, first[0].source), "changing a sample changes nothing that is kept"


def test_what_cannot_be_made_is_named():
    with pytest.raises(ValueError, match=r"counts: \[0, 2\]"):
        HumanInPlaceScenes("train", 1, (0, 2))
    with pytest.raises(ValueError, match="split: 'dev'"):
        HumanInPlaceScenes("dev", 1, (1,))
    with pytest.raises(IndexError, match="index: 1"):
        HumanInPlaceScenes("val", 1, (1,))[1]
    with pytest.raises(ValueError, match="names: 2 for 1 scenes"):
        replace(HumanInPlaceScenes("val", 1, (1,))[0], names=("a", "b"))
    scenes = collate([draw_scene(0, "val", count=1)])
    with pytest.raises(ValueError, match="backgrounds: scene 'val/0'"):
        human_in_place(replace(scenes, backgrounds=None))
    sample = human_in_place(scenes)
    with pytest.raises(ValueError, match="samples: empty"):
        join([])
    with pytest.raises(ValueError, match="some plans have depths"):
        join([sample, replace(sample, layout=replace(sample.layout, depths=None))])
    small = replace(
        sample,
        **{n: getattr(sample, n)[..., :64, :64] for n in ("source", "target", "layout_image", "people_mask")},
    )
    with pytest.raises(ValueError, match="samples: pictures of"):
        join([sample, small])


class Noting(L.LightningModule):
    """Notes the prompts of every batch."""

    def __init__(self):
        super().__init__()
        self.line, self.seen = torch.nn.Linear(1, 1), []

    def training_step(self, batch, batch_idx):
        self.seen.append(batch.prompts)
        return self.line(batch.source.mean().view(1)).sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.01)


def fit(steps, folder, resume=None):
    module = Noting()
    data = HumanInPlaceDataModule(n_train=7, n_val=0, counts=(1,), batch_size=2, keep=True)
    trainer = quiet_trainer(
        max_steps=steps, limit_val_batches=0, default_root_dir=folder, enable_checkpointing=True
    )
    trainer.fit(module, data, ckpt_path=resume)
    trainer.save_checkpoint(folder / f"{steps}.ckpt")
    return module.seen


def test_a_run_that_goes_on_in_the_middle_of_a_round_sees_what_it_would_have_seen(tmp_path):
    """Three batches of seven samples make a round: after two steps one is left of it."""
    straight = fit(4, tmp_path)
    assert len({prompt for batch in straight[:3] for prompt in batch}) == 6
    assert fit(2, tmp_path) == straight[:2]
    assert fit(4, tmp_path, resume=tmp_path / "2.ckpt") == straight[2:]
