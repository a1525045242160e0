"""The engine on a small backbone, in a world where red is good."""

import torch
from small_flux import SMALL_ON_LATENTS

from datamodules.schema.detections import Detections
from datamodules.schema.interfaces import Analyzer, Scorer
from datamodules.text.minilm import MiniLMPromptEncoder
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.ar2can.artist import GRPOArtistModule
from lightning_modules.backbone.adapters import ATTENTION, ATTENTION_OUT, FEED_FORWARD, LoRASpec
from lightning_modules.backbone.autoencoder import PatchAutoencoder
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.flow.sde import CPS
from lightning_modules.policy.recipe import GRPORecipe
from lightning_modules.policy.rollout import Sampling
from lightning_modules.policy.steps import StepWindow
from rewards.preference import PreferenceReward
from rewards.stack import RewardStack, RewardTerm


class Blind(Analyzer):
    """Sees nobody; counts how many references it embeds."""

    def __init__(self):
        self.embedded = 0

    def analyze(self, images):
        return [Detections.empty(4) for _ in images]

    def embed_faces(self, faces, landmarks=None):
        self.embedded += 1
        return torch.zeros(len(faces), 4)


class Redness(Scorer):
    """How much redder than blue an image is."""

    def score(self, images, prompts):
        return (images[:, 0] - images[:, 2]).mean(dim=(1, 2))


class CountingEncoder(MiniLMPromptEncoder):
    """Counts prompts and calls."""

    def __init__(self):
        super().__init__()
        self.calls, self.prompts = 0, 0

    def encode(self, prompts):
        self.calls, self.prompts = self.calls + 1, self.prompts + len(prompts)
        return super().encode(prompts)


def save_codec(folder):
    """A codec that has seen eight scenes."""
    vae = PatchAutoencoder(width=8, fine_width=8, fine_blocks=1)
    images = torch.stack([draw_scene(seed, "train").image for seed in range(8)])
    vae.start_at_principal_components(images * 2 - 1)
    vae.save_pretrained(folder)
    return str(folder)


def small_backbone(dtype="float32"):
    """The same weights every time, with room to draw other pictures."""
    torch.manual_seed(0)
    spec = LoRASpec(rank=4, targets=(*ATTENTION, *ATTENTION_OUT, *FEED_FORWARD))
    backbone = FluxBackbone(config=SMALL_ON_LATENTS, dtype=dtype, adapters={"policy": spec}).configure()
    for parameter in backbone.transformer.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    torch.nn.init.normal_(backbone.transformer.proj_out.weight, std=0.3)
    backbone.transformer.requires_grad_(False)
    return backbone


def small_artist(
    codec, dtype="float32", rewards=None, stepper=None, choice=None, kind=GRPOArtistModule, **recipe
):
    """An Artist of four steps whose reward is redness."""
    rewards = rewards or RewardStack(Blind(), {"red": RewardTerm(PreferenceReward(Redness()))})
    sampling = Sampling(
        steps=4, eval_steps=4, stepper=stepper or CPS(), choice=choice or StepWindow(size=1, share=0.8)
    )
    chosen = {"learning_rate": 0.02, "micro_batch": 4, "updates": 1, "clip": 1e-2, **recipe}
    return kind(
        small_backbone(dtype),
        rewards,
        sampling,
        recipe=GRPORecipe(**chosen),
        codec=codec,
        encoder=CountingEncoder(),
    )
