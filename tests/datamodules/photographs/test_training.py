"""Policy optimisation on a built folder: groups, canvases and rewards as on the tiny world."""

import pytest
import torch
from quiet_trainer import quiet_trainer
from small_flux import SMALL_ON_LATENTS

from datamodules.collate import collate
from datamodules.geometry.canvas import draw_canvases
from datamodules.groups import CountCurriculum, WholeGroups
from datamodules.multi_human import GroupBatches, MultiHumanDataModule
from datamodules.photographs.scenes import FolderScenes, FolderSource
from datamodules.references import ReferenceSources
from lightning_modules.ar2can.artist import GRPOArtistModule
from lightning_modules.backbone.adapters import LoRASpec
from lightning_modules.backbone.canvas_tokens import canvas_tokens
from lightning_modules.backbone.contexts import Context, context_image
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.latents import load_codec
from lightning_modules.policy.recipe import GRPORecipe
from lightning_modules.policy.rollout import Sampling
from lightning_modules.policy.steps import StepWindow
from rewards.analyzers.tiny import TinyAnalyzer
from rewards.face_match import FaceMatchReward
from rewards.stack import RewardStack, RewardTerm

CURRICULUM = CountCurriculum(first=(2,), then=(2, 3, 4), switch=0)


@pytest.fixture
def source(built):
    return FolderSource(built, val_share=0.5)


class Recorded(GRPOArtistModule):
    """Remembers what it was shown."""

    def training_step(self, batch, batch_idx):
        super().training_step(batch, batch_idx)
        self.shown = [*getattr(self, "shown", []), batch]


def test_the_artist_trains_and_validates_on_photographs(source, tmp_path):
    backbone = FluxBackbone(
        config=SMALL_ON_LATENTS, dtype="float32", adapters={"policy": LoRASpec(rank=2)}
    ).configure()
    backbone.transformer.requires_grad_(False)
    rewards = RewardStack(TinyAnalyzer(), {"face": RewardTerm(FaceMatchReward())})
    model = Recorded(
        backbone,
        rewards,
        Sampling(steps=2, eval_steps=2, choice=StepWindow(size=1)),
        recipe=GRPORecipe(micro_batch=4),
    )
    data = MultiHumanDataModule(
        WholeGroups(groups_per_rank=2, group_size=2),
        CURRICULUM,
        val_size=4,
        val_counts=(2, 3, 4),
        batch_size=2,
        scenes=source,
    )
    trainer = quiet_trainer(max_epochs=2, default_root_dir=tmp_path)
    trainer.fit(model, data)
    assert torch.isfinite(trainer.callback_metrics["val/face"])
    first, second = model.shown
    assert first.scenes.layout.counts().tolist() == [2, 2]
    assert set(second.scenes.layout.counts().tolist()) <= {2, 3, 4}
    train = {source.draw(i, "train", c).scene_id for c, n in source.counts("train").items() for i in range(n)}
    assert {*first.scenes.scene_ids, *second.scenes.scene_ids} <= train
    again = GroupBatches(data.sampler, CURRICULUM, "train", 0, lambda: 1, scenes=source)[0]
    assert again.scenes.scene_ids == second.scenes.scene_ids
    assert torch.equal(again.scenes.references, second.scenes.references)


def test_canvases_show_the_faces_as_large_as_the_scene_does(built):
    """The analyzer, looking at a canvas on grey, finds the face in the planned box."""
    analyzer, scenes = TinyAnalyzer(), FolderScenes(built)
    found = []
    for i in range(0, len(scenes), 4):
        batch = collate([scenes[i]])
        arguments = (batch.references[0], batch.reference_landmarks[0], batch.layout.boxes[0], batch.size)
        canvases = draw_canvases(*arguments, fill=0.5, reference_boxes=batch.reference_boxes[0]).images
        for seen, planned in zip(analyzer.analyze(canvases), batch.layout.boxes[0], strict=True):
            if len(seen):
                box = seen.boxes[seen.scores.argmax()]
                found.append(float(((box[2:] - box[:2]) / (planned[2:] - planned[:2])).log().mean()))
    assert len(found) > 10
    assert abs(sum(found) / len(found)) < 0.1


def test_contexts_that_need_an_empty_scene_say_so(built):
    scenes = FolderScenes(built)
    batch = collate([scenes[0], scenes[1]])
    assert context_image(Context.POSE, batch).shape == (2, 3, 128, 128)
    assert len(canvas_tokens(batch, load_codec())) == 2
    for context in (Context.SCENE, Context.LAYOUT):
        with pytest.raises(ValueError, match=rf"context: {context.value} .*family0/party0.* no background"):
            context_image(context, batch)


def test_references_are_not_chosen_twice(source):
    data = MultiHumanDataModule(WholeGroups(1, 2), CURRICULUM, scenes=source, sources=ReferenceSources())
    data.trainer = type("Trainer", (), {"current_epoch": 0, "global_rank": 0, "world_size": 1})()
    with pytest.raises(ValueError, match=r"sources: .*chosen already"):
        next(iter(data.train_dataloader()))
