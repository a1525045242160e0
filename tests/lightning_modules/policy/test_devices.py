"""A policy trains, validates and draws on a device that refuses to mix with the CPU, as it does on the CPU."""

import lightning as L
import pytest
import torch
from pretend_device import DEVICE, pretended_device, pretended_strategy
from quiet_trainer import quiet_trainer
from small_policy import Redness, small_artist

from callbacks.sample_grid import SampleGrid
from datamodules.groups import CountCurriculum, WholeGroups
from datamodules.multi_human import MultiHumanDataModule
from lightning_modules.ar2can.architect_flow import ArchitectFlowModule
from lightning_modules.ar2can.artist import GRPOArtistModule
from lightning_modules.backbone.canvas_tokens import CanvasRecipe
from lightning_modules.policy.steps import StepWindow
from rewards.analyzers.tiny import TinyAnalyzer
from rewards.body_pose import BodyPoseReward
from rewards.copy_paste import CopyPasteReward
from rewards.count import CountReward
from rewards.face_match import FaceMatchReward, SimpleFaceMatchReward
from rewards.preference import PreferenceReward
from rewards.stack import RewardStack, RewardTerm


def judges():
    """Everything that compares what is seen with what was asked for."""
    eyes = TinyAnalyzer(score_threshold=0.05)  # the small backbone's pictures show no clear faces
    terms = [
        FaceMatchReward(),
        SimpleFaceMatchReward(eyes),
        CopyPasteReward(),
        CountReward(),
        BodyPoseReward(),
    ]
    terms = {type(reward).__name__: RewardTerm(reward, 0.01) for reward in terms}
    return RewardStack(eyes, {"red": RewardTerm(PreferenceReward(Redness())), **terms})


class Places(L.Callback):
    """Where the parameters and the codec were while they were trained."""

    def on_train_batch_end(self, trainer, module, *_):
        parameters = (*module.parameters(), *module.codec.vae.parameters())
        self.seen = {p.device for p in parameters} | {
            p.grad.device for p in module.backbone.adapters.parameters()
        }


def trained(codec, tmp_path, kind, strategy="auto"):
    model = small_artist(
        codec, rewards=judges(), choice=StepWindow(size=2), kind=kind, updates=2, ratio_norm=True
    )
    data = MultiHumanDataModule(WholeGroups(2, 4), CountCurriculum(), val_size=2, batch_size=2)
    places = Places()
    trainer = quiet_trainer(
        max_epochs=1,
        num_sanity_val_steps=0,
        strategy=strategy,
        accelerator="cpu" if strategy == "auto" else "auto",
        callbacks=[SampleGrid(str(tmp_path), scenes=2), places],
    )
    trainer.fit(model, data)
    figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
    (device,) = places.seen
    scenes = next(iter(data.val_dataloader()))
    return figures, device, model.to(device).draw(scenes, 0)


def artist_with_bodies(*args, **engine):
    return GRPOArtistModule(*args, canvas=CanvasRecipe(pose=True, share_ids="union_affine"), **engine)


@pytest.mark.parametrize("kind", [artist_with_bodies, ArchitectFlowModule])
def test_training_elsewhere_is_training_on_the_cpu(codec, tmp_path, kind):
    expected, here, image = trained(codec, tmp_path / "cpu", kind)
    with pretended_device():
        found, there, drawn = trained(codec, tmp_path / "there", kind, pretended_strategy())
        assert (here, there) == (torch.device("cpu"), DEVICE)
        assert drawn.device == here
    assert found.keys() == expected.keys()
    assert found["policy/gradient_norm"] > 0
    assert found == pytest.approx(expected, abs=1e-3, nan_ok=True)
    torch.testing.assert_close(drawn, image, atol=1e-3, rtol=0)


def test_the_device_refuses_to_meet_the_cpu():
    with pretended_device() as there:
        a, b = torch.ones(3), torch.ones(3)
        with pytest.raises(RuntimeError, match="same device, but aten::add"):
            a + b.to(there)
        with pytest.raises(RuntimeError, match="same device, but aten::cat"):
            torch.cat([a.to(there), b])
        moved = (2 * b).to(there)[a > 0] + torch.tensor(1.0)
        assert moved.device == there
        assert moved.cpu().tolist() == [3.0, 3.0, 3.0]
