"""From scenes to pictures: prompt and context in, images out, with any FLUX backbone."""

from pathlib import Path

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
from lightning_modules.backbone.guidance import GuidedVelocity, text_group, unprompted
from lightning_modules.backbone.hub import pipeline_folder
from lightning_modules.backbone.latents import LatentCodec, load_codec, token_grid
from lightning_modules.backbone.positions import grid_ids
from lightning_modules.backbone.prompts import FluxPromptEncoder
from lightning_modules.backbone.shipped_lora import lora_file
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence
from lightning_modules.flow.sampling import sample
from lightning_modules.flow.timesteps import SigmaShift, sigma_schedule

ADAPTER = "trained"


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


class FluxGenerator:
    """Draws the scenes of a batch; everything heavy is loaded at the first call.

    Args:
        source: name of a shipped model, the folder of a transformer trained as it was, the folder of a whole FLUX
            pipeline, or a hub id of one, which is downloaded where it is not cached.
        name: how reports call this model.
        dtype: precision of backbone and codec.
        encoder: prompt encoder; by default CLIP with T5 of the pipeline, MiniLM for a transformer alone.
        codec: folder of the codec; by default ``vae`` of the pipeline, the shipped one for a transformer alone.
        shift: how the schedule is bent towards noise; FLUX's resolution shift by default.
        lora: a trained LoRA file that is used on all tokens: the name of a shipped one, or a path.
        canvas: how canvases become tokens, where the context is canvases.

    Attributes:
        device: where backbone and codec run, to be set before the first call; scenes come from the CPU, to which images
            return.
    """

    device: str | torch.device = "cpu"

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
        bare = any((root / source / "config.json").is_file() for root in (SHIPPED, Path()))
        if encoder is None:
            encoder = MiniLMPromptEncoder()
            if not bare:
                encoder = FluxPromptEncoder(source, dtype=dtype, allow_download=True)
        self.name, self.shift, self.encoder = name, shift, encoder
        self.backbone = FluxBackbone(source, dtype=dtype)
        self.lora, self.canvas = None if lora is None else lora_file(lora), canvas
        self._codec_source, self._pipeline = codec, None if codec or bare else source
        self._codec: LatentCodec | None = None

    @property
    def codec(self) -> LatentCodec:
        """The codec, loaded once."""
        if self._codec is None:
            folder = self._codec_source
            if self._pipeline is not None:
                folder = str(pipeline_folder(self._pipeline, ["vae"], allow_download=True) / "vae")
            self._codec = load_codec(folder, dtype=self.backbone.dtype)
            self._codec.vae.to(self.device)
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
        noise = torch.randn(len(batch), rows * columns, channels, generator=rng).to(self.device)
        conditions = () if condition is None else (condition,)
        sequence = prompted_sequence(self.encoder.encode(batch.prompts), noise, (rows, columns), conditions)
        sequence = sequence.to(self.device).with_adapters(*self.backbone.adapters)
        sigmas = sigma_schedule(steps, rows * columns, self.shift)
        velocity = GuidedVelocity(
            self.backbone, sequence, sigmas, guidance, lambda: unprompted(sequence, self.encoder.encode([""]))
        )
        tokens = sample(velocity, noise, sigmas)
        return self.codec.decode(tokens, batch.size).cpu()

    def _load(self) -> None:
        """Build the backbone at the first call, with its LoRA set."""
        if self.backbone.transformer is None:
            self.backbone.configure()
            if self.lora is not None:
                self.backbone.load_adapter(ADAPTER, self.lora)
            self.backbone.to(self.device)
