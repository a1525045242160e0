"""A SkeleGuide small enough to be trained in a test: random backbone, plain encoder, scenes of noise."""

import torch
from torch.utils.data import Dataset

from datamodules.schema.human_in_place import HumanInPlace
from datamodules.schema.interfaces import PromptEmbedding, PromptEncoder
from datamodules.schema.layout import Layout
from lightning_modules.backbone.adapters import LoRASpec
from lightning_modules.backbone.flux import FluxBackbone, FluxConfig
from lightning_modules.skeleguide.direct import DirectModule
from lightning_modules.skeleguide.module import ReasonRenderModule
from lightning_modules.skeleguide.phases import APPEARANCE, SKELETAL
from lightning_modules.skeleguide.recipe import InPlaceRecipe, InPlaceSampling, StageGuidance

SMALL = FluxConfig(
    in_channels=64,
    num_layers=1,
    num_single_layers=2,
    attention_head_dim=16,
    num_attention_heads=2,
    joint_attention_dim=12,
    pooled_projection_dim=12,
    axes_dims_rope=(4, 6, 6),
)
SIZE = (32, 48)


class WordEncoder(PromptEncoder):
    """One random but fixed vector per word."""

    def encode(self, prompts):
        rows = [self._row(prompt) for prompt in prompts]
        longest = max(len(row) for row in rows)
        tokens, valid = torch.zeros(len(rows), longest, 12), torch.zeros(len(rows), longest, dtype=torch.bool)
        for i, row in enumerate(rows):
            tokens[i, : len(row)], valid[i, : len(row)] = row, True
        pooled = torch.stack([row.mean(dim=0) for row in rows])
        return PromptEmbedding(tokens, pooled, valid, torch.zeros(len(rows), longest, 2, dtype=torch.long))

    def _row(self, prompt):
        words = ["<s>", *prompt.split()]
        seeds = [sum(ord(c) * 31**i for i, c in enumerate(word)) % 2**31 for word in words]
        return torch.stack([torch.randn(12, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def scenes(number=0, count=2):
    """Batch ``number``: noise over smooth places, so that pictures differ."""
    rng = torch.Generator().manual_seed(number)
    source, target, layout = (torch.rand(count, 3, *SIZE, generator=rng) for _ in range(3))
    keypoints = torch.rand(count, 2, 17, 3, generator=rng)
    plan = Layout(torch.rand(count, 2, 4, generator=rng), keypoints, torch.ones(count, 2, dtype=torch.bool))
    mask = torch.rand(count, *SIZE, generator=rng) < 0.3
    return HumanInPlace(source, target, layout, ("two people", "one person")[:count], plan, mask)


class Scenes(Dataset):
    """``length`` batches, ready made; ``ranks`` says whose, for processes that share them out."""

    def __init__(self, length, first=0, every=1):
        self.length, self.first, self.every = length, first, every

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if index >= self.length:
            raise IndexError(index)
        return scenes(self.first + self.every * index)


def backbone(names, checkpointing=False, dtype="float32", zero=False, **config):
    """Random and without zero layers; LoRA sets too unless ``zero``, so that every gradient is there from the start."""
    torch.manual_seed(0)
    adapters = {name: LoRASpec(rank=2, branch="condition") for name in names}
    made = FluxBackbone(
        config=FluxConfig(**{**SMALL.__dict__, **config}),
        dtype=dtype,
        gradient_checkpointing=checkpointing,
        adapters=adapters,
    ).configure()
    for name, parameter in made.named_parameters():
        if not (zero and name.startswith("adapters")):
            torch.nn.init.normal_(parameter, std=0.2)
    made.transformer.requires_grad_(False)
    return made


def sampling(steps, scale=1.0, kv_cache="auto", sets=(APPEARANCE,), away_from="nothing"):
    """All stages guided alike."""
    guidance = {name: StageGuidance(scale, away_from) for name in sets}
    return InPlaceSampling(steps, guidance, kv_cache=kv_cache)


def reason_render(
    checkpointing=False, steps=3, config=None, zero=False, kv_cache="auto", guidance=1.0, **more
):
    """SkeleGuide itself."""
    return ReasonRenderModule(
        backbone((SKELETAL, APPEARANCE), checkpointing, zero=zero, **(config or {})),
        recipe=InPlaceRecipe(learning_rate=1e-2, **more.pop("recipe", {})),
        sampling=sampling(steps, guidance, kv_cache, (SKELETAL, APPEARANCE)),
        encoder=WordEncoder(),
        **more,
    )


def direct(pose_map=False, **more):
    """A baseline."""
    return DirectModule(
        backbone((APPEARANCE,)),
        pose_map=pose_map,
        sampling=sampling(2),
        encoder=WordEncoder(),
        **more,
    )


def gradients(module, name):
    """The gradients of a LoRA set by parameter."""
    return {key: p.grad for key, p in module.backbone.adapters[name].named_parameters()}
