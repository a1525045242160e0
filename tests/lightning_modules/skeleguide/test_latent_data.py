"""Training from latents on disk: the same samples as drawn ones, as functions of the step."""

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
from lightning_modules.skeleguide.latent_data import EncodedInPlaceData, EncodedInPlaceScenes, join_encoded
from lightning_modules.skeleguide.module import ReasonRenderModule

SIZE = 8


@pytest.fixture(scope="module", autouse=True)
def _small_files():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latent_data, "SHARD_SIZE", 4)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("latents")
    made = EncodedInPlaceData(latents=str(folder), size=SIZE, batch_size=2, counts=(1, 2, 3, 4))
    made.prepare_data()
    return made


@pytest.fixture(scope="module")
def module():
    return configured_module(CONFIGS / "skeleguide" / "tiny.yaml", ReasonRenderModule)


def encoded(data, counts):
    files = sorted(data.latents.glob("train-*.safetensors"))
    return EncodedInPlaceScenes([LatentShard.load(path) for path in files], counts)


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
    before = {path: path.stat().st_mtime_ns for path in data.latents.iterdir()}
    again = EncodedInPlaceData(
        latents=str(data.latents), size=SIZE, batch_size=2, counts=(1, 2, 3, 4), first_seed=1
    )
    again.prepare_data()
    assert {path: path.stat().st_mtime_ns for path in data.latents.iterdir()} == before
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
    other = EncodedInPlaceData(latents=str(tmp_path / "none"), size=4)
    other.trainer = Trainer(logger=False, accelerator="cpu", devices=1)
    other.trainer.state.fn = TrainerFn.PREDICTING
    other.prepare_data()
    assert not other.latents.exists()
    other.trainer.state.fn = TrainerFn.FITTING
    other.prepare_data()
    assert len(list(other.latents.glob("train-*.safetensors"))) == 1


def test_scenes_without_a_wanted_number_are_refused(data):
    with pytest.raises(ValueError, match=r"counts: \[8\]; no encoded scene"):
        encoded(data, (8,))
    with pytest.raises(ValueError, match="size: 7 scenes do not fill"):
        EncodedInPlaceData(latents=str(data.latents), size=7).prepare_data()


def test_latents_of_something_else_are_refused(data, tmp_path, monkeypatch):
    (first, *_) = sorted(data.latents.glob("train-*.safetensors"))
    for name, origin in (("train-0001", None), ("train-0000", {"scenes": "0 to 3"})):
        LatentShard.load(first).save(tmp_path / f"{name}.safetensors", origin)
        with pytest.raises(ValueError, match=f"{name}.safetensors holds other latents .*codec"):
            EncodedInPlaceData(latents=str(tmp_path), size=SIZE).prepare_data()
        (tmp_path / f"{name}.safetensors").unlink()

    class Other(MiniLMPromptEncoder):
        """Another encoder."""

    with pytest.raises(ValueError, match=r"\(encoder differ\)"):
        EncodedInPlaceData(Other(), latents=str(data.latents), size=SIZE).prepare_data()
