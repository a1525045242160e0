"""Our sampling loop and diffusers' Kontext pipeline on equal work: same weights, prompt, canvas, noise and steps."""

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxKontextPipeline, FluxTransformer2DModel
from jaxtyping import Float
from torch import Tensor, nn

from benchmarks.speed.proxy import Proxy
from benchmarks.speed.rounds import Case
from lightning_modules.backbone.contexts import full_group
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.latents import TOKEN_PIXELS, pack, unpack
from lightning_modules.flow.timesteps import BASE_MU, BASE_TOKENS, MAX_MU, MAX_TOKENS
from lightning_modules.policy.rollout import Policy, Sampling
from lightning_modules.sharding import zero_init

ABSENT = dict.fromkeys(("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"))


class KontextSampling:
    """Cases ``pipeline`` and ``ours``: from noise and a canvas's latents to clean latents, setting up included.

    The pipeline runs the transformer as diffusers ships it, with its own norms.

    Args:
        proxy: the network and the canvas.
        steps: Euler steps.
    """

    def __init__(self, proxy: Mapping[str, Any], steps: int) -> None:
        self.proxy, self.steps = Proxy(**proxy), steps
        self.backbone = self.proxy.backbone()
        self.pipeline = self._pipeline(self.backbone)
        side = self.proxy.side
        self.image = unpack(self.proxy.canvas(), side, side)
        self.sequence = self.proxy.sequence()
        self.noise = self.proxy.noise().to(self.backbone.dtype)

    def cases(self) -> dict[str, Case]:
        """One run each."""
        return {"pipeline": self._case(self.draw_theirs), "ours": self._case(self.draw_ours)}

    @torch.no_grad()
    def draw_ours(self) -> Float[Tensor, "b s 64"]:
        """Clean latents by the policy's sampling loop."""
        context = full_group(pack(self.image), self.proxy.side, self.proxy.side)
        sequence = self.proxy.sequence(context)
        return Policy(self.backbone, Sampling(eval_steps=self.steps)).draw(
            self.backbone.prepare(sequence), self.noise
        )

    def draw_theirs(self) -> Float[Tensor, "b s 64"]:
        """Clean latents by the pipeline's own call."""
        pixels = TOKEN_PIXELS * self.proxy.side
        drawn: Float[Tensor, "b s 64"] = self.pipeline(
            image=self.image.to(self.backbone.dtype),
            prompt_embeds=self.sequence.text.tokens.to(self.backbone.dtype),
            pooled_prompt_embeds=self.sequence.pooled.to(self.backbone.dtype),
            latents=self.noise,
            num_inference_steps=self.steps,
            height=pixels,
            width=pixels,
            max_area=pixels**2,
            _auto_resize=False,
            output_type="latent",
        ).images
        return drawn

    @staticmethod
    def _case(draw: Any) -> Case:
        def run() -> dict[str, float]:
            draw()
            return {}

        return run

    def _pipeline(self, backbone: FluxBackbone) -> FluxKontextPipeline:
        ours: nn.Module = backbone.transformer
        theirs = FluxTransformer2DModel.from_config(dict(backbone.transformer.config))
        theirs.load_state_dict(ours.state_dict())
        zero_init.cast(theirs, backbone.dtype)
        theirs.requires_grad_(False).eval()
        scheduler = FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True,
            base_shift=BASE_MU,
            max_shift=MAX_MU,
            base_image_seq_len=BASE_TOKENS,
            max_image_seq_len=MAX_TOKENS,
        )
        pipeline = FluxKontextPipeline(transformer=theirs, scheduler=scheduler, **ABSENT)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline
