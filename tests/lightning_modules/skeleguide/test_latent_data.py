"""Training from latents on disk: the same samples as drawn ones, as functions of the step."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning import Trainer
from lightning.pytorch.trainer.states import TrainerFn

from datamodules.collate import collate
from datamodules.human_in_place import human_in_place
from datamodules.text.minilm import MiniLMPromptEncoder
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.configured import CONFIGS, configured_module
from lightning_modules.pretraining.latent_shards import LatentShard
from lightning_modules.skeleguide import latent_data
from lightning_modules.skeleguide.latent_data import (
    EncodedInPlaceData,
    EncodedInPlaceScenes,
    LatentFiles,
    join_encoded,
)
from lightning_modules.skeleguide.module import ReasonRenderModule
from lightning_modules.skeleguide.phases import RENDER
from lightning_modules.skeleguide.samples import EditedPeople

SIZE = 8


@pytest.fixture(scope="module", autouse=True)
def _small_files():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latent_data, "SHARD_SIZE", 4)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("latents")
    made = EncodedInPlaceData(latents=LatentFiles(str(folder), SIZE), batch_size=2, counts=(1, 2, 3, 4))
    made.prepare_data()
    return made


@pytest.fixture(scope="module")
def module():
    return configured_module(CONFIGS / "skeleguide" / "tiny.yaml", ReasonRenderModule)


def files(data, name="train"):
    return sorted(Path(data.latents.folder).glob(f"{name}-*.safetensors"))


def encoded(data, counts, edited=()):
    return EncodedInPlaceScenes([LatentShard.load(path) for path in files(data)], counts, edited)


def test_latents_are_what_the_module_makes_of_the_drawn_samples(data, module):
    scenes = [draw_scene(seed, "train") for seed in range(SIZE)]
    wanted = [scene for scene in scenes if len(scene.persons) in (1, 2, 3)]
    assert 1 < len(wanted) < SIZE
    own = encoded(data, (1, 2, 3))
    assert len(own) == len(wanted)
    ours, theirs = (
        join_encoded([own[i] for i in range(len(own))]),
        module.encode(human_in_place(collate(wanted))),
    )
    for name in ("source", "layout", "target", "people"):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), atol=2e-2, rtol=1e-2)
    assert torch.equal(ours.prompts.valid, theirs.prompts.valid)
    torch.testing.assert_close(ours.prompts.tokens, theirs.prompts.tokens, atol=4e-3, rtol=2e-3)
    torch.testing.assert_close(ours.prompts.pooled, theirs.prompts.pooled, atol=4e-3, rtol=2e-3)
    assert ours.grid == theirs.grid == (8, 8)


def test_files_are_written_once_and_read_by_every_seed(data):
    before = {path: path.stat().st_mtime_ns for path in files(data)}
    again = EncodedInPlaceData(latents=data.latents, batch_size=2, counts=(1, 2, 3, 4), first_seed=1)
    again.prepare_data()
    assert {path: path.stat().st_mtime_ns for path in files(data)} == before
    first, other = (next(iter(made.train_dataloader())) for made in (data, again))
    assert not torch.equal(first.target, other.target)


def test_a_run_that_goes_on_meets_the_batches_it_would_have_met(data):
    batches = iter(data.train_dataloader())
    third = [next(batches) for _ in range(3)][2]
    data.trainer = Trainer(logger=False, accelerator="cpu", devices=1)
    data.trainer.fit_loop.epoch_loop.automatic_optimization.optim_progress.optimizer.step.total.completed = 2
    resumed = next(iter(data.train_dataloader()))
    data.trainer = None
    assert torch.equal(resumed.target, third.target)
    assert torch.equal(resumed.prompts.tokens, third.prompts.tokens)


def test_training_takes_latents(data, module):
    batch = next(iter(data.train_dataloader()))
    module.log_dict = module.log = lambda *_, **__: None
    loss = module.training_step(batch, 0)
    loss.backward()
    grown = [
        p.grad.abs().sum() for p in module.backbone.adapters["skeletal"].parameters() if p.grad is not None
    ]
    assert sum(grown) > 0


def test_only_who_trains_needs_the_files(data, tmp_path):
    """``predict`` and ``validate`` draw their scenes."""
    other = EncodedInPlaceData(latents=LatentFiles(str(tmp_path / "none"), SIZE))
    other.trainer = Trainer(logger=False, accelerator="cpu", devices=1)
    other.trainer.state.fn = TrainerFn.PREDICTING
    other.prepare_data()
    assert not (tmp_path / "none").exists()
    other.trainer.state.fn = TrainerFn.FITTING
    other.latents = replace(data.latents, folder=str(tmp_path / "some"), size=4)
    other.prepare_data()
    assert len(files(other)) == 1


def test_a_part_of_the_scenes_has_edited_people_too(data, module):
    """For a renderer that is shown true layouts; scenes that have none stand as they are."""
    some = EncodedInPlaceData(latents=replace(data.latents, free_arms=4), batch_size=2, counts=(1, 2, 3, 4))
    some.prepare_data()
    assert len(files(some, "free-arms")) == 1
    edited = [LatentShard.load(path) for path in files(some, "free-arms")]
    own = encoded(some, range(1, 8), edited)
    drawn = [draw_scene(seed, "train", free_arms=True) for seed in range(4)]
    drawn += [draw_scene(seed, "train") for seed in range(4, SIZE)]
    ours = join_encoded([own[i] for i in range(SIZE)])
    theirs = module.encode(human_in_place(collate(drawn)))
    changed = ours.with_edited_people()
    for name in ("layout", "target", "people"):
        torch.testing.assert_close(getattr(changed, name), getattr(theirs, name), atol=2e-2, rtol=1e-2)
        differs = (getattr(changed, name) - getattr(ours, name)).flatten(1).abs().amax(dim=1) > 0.1
        assert differs.tolist() == [True] * 4 + [False] * 4
    assert changed.edited is None
    assert changed.prompts is ours.prompts
    assert next(iter(some.train_dataloader())).edited is not None
    assert next(iter(data.train_dataloader())).edited is None


def test_the_renderer_learns_from_edited_people_where_it_is_given_layouts(data, module):
    plain = next(iter(data.train_dataloader()))
    other = EditedPeople(plain.layout.flip(0), plain.target.flip(0), plain.people.flip(0))
    both = replace(plain, edited=other)
    losses = {
        (phase.name, name): [
            loss
            for scenes in (plain, both, both.with_edited_people())
            for loss in [module.losses(scenes, phase, torch.Generator().manual_seed(0))[name].detach()]
        ]
        for phase in module.phases
        for name in phase.weights
    }
    for (phase, _), (own, given, swapped) in losses.items():
        assert torch.equal(given, swapped if phase == RENDER else own)
        assert not torch.equal(own, swapped)


def test_scenes_without_a_wanted_number_are_refused(data):
    with pytest.raises(ValueError, match=r"counts: \[8\]; no encoded scene"):
        encoded(data, (8,))
    with pytest.raises(ValueError, match="size: 7 scenes do not fill"):
        EncodedInPlaceData(latents=replace(data.latents, size=7)).prepare_data()
    with pytest.raises(ValueError, match="free_arms: 9; give 0 to size"):
        replace(data.latents, free_arms=9)


def test_latents_of_something_else_are_refused(data, tmp_path, monkeypatch):
    (first, *_) = files(data)
    for name, origin in (("train-0001", None), ("train-0000", {"scenes": "0 to 3"})):
        LatentShard.load(first).save(tmp_path / f"{name}.safetensors", origin)
        with pytest.raises(ValueError, match=f"{name}.safetensors holds other latents .*codec"):
            EncodedInPlaceData(latents=LatentFiles(str(tmp_path), SIZE)).prepare_data()
        (tmp_path / f"{name}.safetensors").unlink()

    class Other(MiniLMPromptEncoder):
        """Another encoder."""

    with pytest.raises(ValueError, match=r"\(encoder differ\)"):
        EncodedInPlaceData(Other(), latents=data.latents).prepare_data()
