"""The counts of an epoch against a run that is counted: images, encodings, optimizer steps, passes of the network."""

from math import comb

import pytest
import torch
from lightning.pytorch.loggers import MLFlowLogger
from mlflow import MlflowClient
from quiet_trainer import quiet_trainer
from small_flux import SMALL_ON_LATENTS

from callbacks.policy_report import PolicyReport
from datamodules.groups import CountCurriculum, SplitGroups, WholeGroups
from datamodules.multi_human import MultiHumanDataModule
from datamodules.schema.detections import Detections
from datamodules.schema.interfaces import Analyzer, Scorer
from datamodules.text.minilm import MiniLMPromptEncoder
from lightning_modules.ar2can.artist import GRPOArtistModule
from lightning_modules.backbone.adapters import LoRASpec
from lightning_modules.backbone.autoencoder import PatchAutoencoder
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.policy.epoch_size import epoch_size
from lightning_modules.policy.recipe import GRPORecipe
from lightning_modules.policy.rollout import Sampling
from lightning_modules.policy.steps import AllSteps, StepWindow
from rewards.preference import PreferenceReward
from rewards.stack import RewardStack, RewardTerm


class Blind(Analyzer):
    def analyze(self, images):
        return [Detections.empty(4) for _ in images]

    def embed_faces(self, faces, landmarks=None):
        return torch.zeros(len(faces), 4)


class Moody(Scorer):
    """Likes every image of a run differently, so that every group has something to learn from."""

    def score(self, images, prompts):
        return torch.rand(len(images))


class Counted(GRPOArtistModule):
    """Counts what goes through."""

    def on_fit_start(self):
        self.passes, self.drawing, self.drawn, self.encoded, self.updates = 0, 0, 0, 0, 0
        self.backbone.register_forward_hook(lambda m, a, out: setattr(self, "passes", self.passes + len(out)))
        self.rollout, self.policy.rollout = self.policy.rollout, self.counted_rollout

    def encode(self, scenes):
        self.encoded += len(scenes)
        return super().encode(scenes)

    def on_before_optimizer_step(self, optimizer):
        self.updates += 1

    def counted_rollout(self, *args, **options):
        before = self.passes
        drawn = self.rollout(*args, **options)
        self.drawn, self.drawing = self.drawn + len(drawn), self.drawing + self.passes - before
        return drawn


@pytest.fixture(scope="module")
def codec(tmp_path_factory):
    folder = tmp_path_factory.mktemp("codec")
    PatchAutoencoder(width=8, fine_width=8, fine_blocks=1).save_pretrained(folder)
    return str(folder)


CASES = [
    (WholeGroups(2, 5), Sampling(steps=4, choice=StepWindow(size=2, share=0.8)), {}),
    (WholeGroups(1, 4), Sampling(steps=3, choice=AllSteps()), {"divergence_weight": 0.1, "updates": 3}),
    (SplitGroups(3, 4), Sampling(steps=3, free_guidance=2.0, choice=StepWindow(size=1)), {"updates": 1}),
    (WholeGroups(1, 2), Sampling(steps=3, choice=AllSteps()), {"updates": 9}),
]


def trained(codec, sampler, sampling, recipe, **options):
    torch.manual_seed(0)
    spec = LoRASpec(rank=2, targets=("attn.to_q",))
    backbone = FluxBackbone(config=SMALL_ON_LATENTS, dtype="float32", adapters={"policy": spec})
    rewards = RewardStack(Blind(), {"mood": RewardTerm(PreferenceReward(Moody()))})
    model = Counted(
        backbone,
        rewards,
        sampling,
        recipe=GRPORecipe(**{"micro_batch": 3, **recipe}),
        codec=codec,
        encoder=MiniLMPromptEncoder(),
    )
    data = MultiHumanDataModule(sampler, CountCurriculum(first=(2,), then=(2,)), val_size=0)
    trainer = quiet_trainer(max_epochs=1, limit_val_batches=0, callbacks=[PolicyReport()], **options)
    trainer.fit(model, data)
    return model


@pytest.mark.parametrize(("sampler", "sampling", "recipe"), CASES)
def test_counts_are_those_of_a_run(codec, sampler, sampling, recipe):
    model = trained(codec, sampler, sampling, recipe)
    size = epoch_size(sampler, sampling, model.recipe)
    assert model.drawn == size.images == size.groups * sampler.group_size
    assert model.encoded == size.encoded
    assert model.updates == size.updates
    assert model.drawing == size.drawing_passes * size.images
    assert model.passes == size.passes


def test_the_start_of_a_fit_says_and_logs_them(codec, tmp_path, capsys):
    place = f"sqlite:///{tmp_path / 'm.db'}"
    logger = MLFlowLogger("sizes", tracking_uri=place, artifact_location=str(tmp_path / "a"))
    trained(codec, *CASES[0], logger=logger)
    printed = capsys.readouterr().out
    assert "2 of 5 images" in printed
    assert "2 of 4 (50%)" in printed
    assert "2, each from 5 images" in printed
    logged = MlflowClient(place).get_run(logger.run_id).data.params
    assert logged["epoch/groups"] == "2"
    assert logged["epoch/images"] == "10"
    assert logged["epoch/passes"] == str(10 * (4 + 2) + 3)
    assert logged["epoch/trained_share"] == "0.5"


def test_whole_groups_encode_what_split_groups_encode_many_times():
    """24 processes, groups of 21: of 504 images a process draws 21, and in no order 14.5 different groups."""
    split, whole = SplitGroups(3, 21), WholeGroups(1, 21)
    sizes = [epoch_size(split, Sampling(), GRPORecipe(), 24, epoch) for epoch in range(20)]
    assert {s.images for s in sizes} == {epoch_size(whole, Sampling(), GRPORecipe(), 24).images} == {21}
    expected = 24 * (1 - comb(483, 21) / comb(504, 21))
    assert sum(s.encoded for s in sizes) / 20 == pytest.approx(expected, rel=0.01)
    assert epoch_size(whole, Sampling(), GRPORecipe(), 24).encoded == 1
    assert epoch_size(split, Sampling(), GRPORecipe(), 7).groups == 1, "the paper's 7 processes of 3 images"
