"""From scenes to pictures: prompt and context in, images out, with any FLUX backbone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.schema.interfaces import PromptEmbedding, PromptEncoder
from datamodules.schema.scene import SceneBatch
from datamodules.text.minilm import MiniLMPromptEncoder
from lightning_modules.backbone.canvas_tokens import CanvasRecipe
from lightning_modules.backbone.contexts import Context, context_group
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.flux_source import SHIPPED
from lightning_modules.backbone.latents import LatentCodec, load_codec, token_grid
from lightning_modules.backbone.positions import grid_ids, text_ids
from lightning_modules.backbone.prompts import FluxPromptEncoder
from lightning_modules.backbone.shipped_lora import lora_file
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence
from lightning_modules.flow.sampling import sample
from lightning_modules.flow.timesteps import SigmaShift, sigma_schedule

ADAPTER = "trained"


def text_group(prompt: PromptEmbedding) -> TokenGroup:
    """Prompt states as tokens at the origin."""
    valid = None if bool(prompt.valid.all()) else prompt.valid
    return TokenGroup(prompt.tokens, text_ids(prompt.tokens.shape[1]).to(prompt.tokens.device), valid)


def prompted_sequence(
    prompts: PromptEmbedding,
    noise: Float[Tensor, "b s c"],
    grid: tuple[int, int],
    conditions: tuple[TokenGroup, ...],
) -> TokenSequence:
    """Prompts, a canvas of ``grid`` (rows, columns) and conditions, everything visible to everything."""
    return TokenSequence(
        text=text_group(prompts),
        pooled=prompts.pooled,
        noise=TokenGroup(noise, grid_ids(*grid)),
        conditions=conditions,
    )


def unprompted(sequence: TokenSequence, empty: PromptEmbedding) -> TokenSequence:
    """The free side of classifier-free guidance: the same noise and LoRA sets, the empty prompt and no conditions.

    Args:
        sequence: what is guided.
        empty: the empty prompt, encoded; one row.
    """
    everyone = torch.zeros(len(sequence.pooled), dtype=torch.long)
    text = replace(text_group(empty).select(everyone), adapters=sequence.text.adapters)
    return replace(sequence, text=text, pooled=empty.pooled[everyone], conditions=())


class FluxGenerator:
    """Draws the scenes of a batch; everything heavy is loaded at the first call.

    Args:
        source: name of a shipped model, a diffusers FLUX folder, or a hub id.
        name: how reports call this model.
        dtype: precision of backbone and codec.
        encoder: prompt encoder; by default the one the model was trained with, which is MiniLM for shipped models and
            CLIP with T5 from the same folder otherwise.
        codec: folder of the codec; by default the shipped one, or ``vae`` in the same folder.
        shift: how the schedule is bent towards noise; FLUX's resolution shift by default.
        lora: a trained LoRA file that is used on all tokens: the name of a shipped one, or a path.
        canvas: how canvases become tokens, where the context is canvases.
    """

    def __init__(
        self,
        source: str = "flux_tiny",
        name: str = "flux",
        dtype: str = "bfloat16",
        encoder: PromptEncoder | None = None,
        codec: str | None = None,
        shift: SigmaShift | None = None,
        lora: str | None = None,
        canvas: CanvasRecipe | None = None,
    ) -> None:
        shipped = (SHIPPED / source).is_dir()
        if encoder is None:
            encoder = MiniLMPromptEncoder() if shipped else FluxPromptEncoder(source, dtype=dtype)
        self.name, self.shift, self.encoder = name, shift, encoder
        self.backbone = FluxBackbone(source, dtype=dtype)
        self.lora, self.canvas = None if lora is None else lora_file(lora), canvas
        self._codec_folder = codec if codec or shipped else str(Path(source) / "vae")
        self._codec: LatentCodec | None = None

    @property
    def codec(self) -> LatentCodec:
        """The codec, loaded once."""
        if self._codec is None:
            self._codec = load_codec(self._codec_folder, dtype=self.backbone.dtype)
        return self._codec

    @torch.inference_mode()
    def generate(
        self,
        batch: SceneBatch,
        *,
        seed: int,
        context: str = "text",
        steps: int = 10,
        guidance: float = 1.0,
    ) -> Float[Tensor, "b 3 h w"]:
        """Images in [0, 1] for the prompts of a batch, with the context taken from its scenes.

        Args:
            batch: prompts, and the references, keypoints or backgrounds the context needs.
            seed: of the starting noise.
            context: one of :class:`Context`.
            steps: Euler steps.
            guidance: scale of classifier-free guidance for models that do not embed it, away from the model that is
                shown neither prompt nor context (1 = off, one pass per step, else two); the embedded scale for models
                that do.
        """
        self._load()
        rows, columns = token_grid(batch.size)
        condition = context_group(Context(context), batch, self.codec, self.canvas)
        channels = self.backbone.transformer.config.in_channels
        rng = torch.Generator().manual_seed(seed)
        noise = torch.randn(len(batch), rows * columns, channels, generator=rng)
        conditions = () if condition is None else (condition,)
        sequence = prompted_sequence(self.encoder.encode(batch.prompts), noise, (rows, columns), conditions)
        sequence = sequence.with_adapters(*self.backbone.adapters)
        sigmas = sigma_schedule(steps, rows * columns, self.shift)
        tokens = sample(self._velocity(sequence, sigmas, guidance), noise, sigmas)
        return self.codec.decode(tokens, batch.size)

    def _load(self) -> None:
        """Build the backbone at the first call, with its LoRA set."""
        if self.backbone.transformer is None:
            self.backbone.configure()
            if self.lora is not None:
                self.backbone.load_adapter(ADAPTER, self.lora)

    def _velocity(
        self, sequence: TokenSequence, sigmas: Float[Tensor, " t"], guidance: float
    ) -> Callable[[Float[Tensor, "b s c"], int], Float[Tensor, "b s c"]]:
        """The velocity at a step, guided the way the model wants it."""
        b = len(sequence.pooled)
        embeds = self.backbone.transformer.config.guidance_embeds
        scale = torch.full((b,), guidance) if embeds else None
        prompted = self.backbone.prepare(sequence)
        null = None
        if not embeds and guidance != 1:
            null = self.backbone.prepare(unprompted(sequence, self.encoder.encode([""])))

        def velocity(x: Float[Tensor, "b s c"], index: int) -> Float[Tensor, "b s c"]:
            sigma = sigmas[index].expand(b)
            guided = self.backbone(prompted.with_noise(x), sigma, scale).float()
            if null is None:
                return cast(Tensor, guided)
            free = self.backbone(null.with_noise(x), sigma).float()
            return cast(Tensor, free + guidance * (guided - free))

        return velocity
