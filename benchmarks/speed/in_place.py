"""One step of a stage that is shown a whole picture (SkeleGuide): attending to it jointly, or with its keys kept."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from benchmarks.speed.proxy import Proxy
from benchmarks.speed.rounds import Case
from lightning_modules.backbone.adapters import LoRASpec
from lightning_modules.backbone.contexts import full_group
from lightning_modules.backbone.guidance import GuidedVelocity
from lightning_modules.backbone.tokens import TokenSequence, Visibility
from lightning_modules.flow.timesteps import sigma_schedule

_ADAPTER = "skeletal"


class ConditionSteps:
    """Cases ``joint``, ``branch``, ``causal`` and ``cached``: one step each; ``cache``: what ``cached`` does once.

    ``joint`` is the stock transformer on as many tokens, as diffusers' Kontext runs it. In the others the picture's
    tokens pass through a LoRA set of their own; the last block then leaves out what nobody reads of them, which is much
    of the work in a network of few blocks, and next to none of it in FLUX.

    Args:
        proxy: the network and the canvas.
        rank: of the LoRA set.
    """

    def __init__(self, proxy: Mapping[str, Any], rank: int) -> None:
        self.proxy, self.spec = Proxy(**proxy), LoRASpec(rank=rank, branch="condition")

    def sequences(self) -> dict[str, TokenSequence]:
        """The picture seen by all and seeing all, without and with a LoRA set; and seeing itself alone, clean."""
        side = self.proxy.side
        plain = full_group(self.proxy.canvas(), side, side)
        picture = replace(plain, adapters=(_ADAPTER,))
        causal = replace(self.proxy.sequence(replace(picture, sigma=0.0)), visibility=Visibility.CAUSAL)
        return {
            "joint": self.proxy.sequence(plain),
            "branch": self.proxy.sequence(picture),
            "causal": causal,
        }

    @torch.no_grad()
    def cases(self) -> dict[str, Case]:
        """One step each, everything that no step changes prepared before."""
        backbone = self.proxy.backbone({_ADAPTER: self.spec})
        sigmas = sigma_schedule(1, self.proxy.side**2)
        shown = self.sequences()
        noise = self.proxy.noise()
        kept = GuidedVelocity(backbone, shown["causal"], sigmas, kv_cache="on")
        velocities = {
            name: GuidedVelocity(backbone, sequence, sigmas, kv_cache="off")
            for name, sequence in shown.items()
        }
        velocities["cached"] = kept

        @torch.no_grad()
        def step(velocity: GuidedVelocity) -> dict[str, float]:
            velocity(noise, 0)
            return {}

        @torch.no_grad()
        def cache() -> dict[str, float]:
            backbone.build_cache(kept.prompted)
            return {}

        return {"cache": cache, **{name: partial(step, velocity) for name, velocity in velocities.items()}}
