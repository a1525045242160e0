"""A FLUX backbone with a LoRA set that draws and is judged: what every way to train such a set starts from.

Subclasses say what the backbone is shown beside the prompt, and how it learns.

Devices: scenes, prompts, pictures, rewards and advantages are on the CPU, so batches stay where they are loaded and
decoded pictures come back. Token sequences, noise, latents, network and codec are on the module's device. Encoders and
scorers with a ``device`` of their own run there, whatever the module's. All randomness is drawn on the CPU.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, cast

import lightning as L
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from datamodules.schema.interfaces import PromptEmbedding, PromptEncoder
from datamodules.schema.scene import SceneBatch
from datamodules.text.minilm import MiniLMPromptEncoder
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.generator import prompted_sequence
from lightning_modules.backbone.guidance import unprompted
from lightning_modules.backbone.latents import LatentCodec, LazyCodec, token_grid
from lightning_modules.backbone.prepared import PreparedSequence
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence
from lightning_modules.policy.ranks import of_all_ranks
from lightning_modules.policy.rollout import Policy, Sampling
from rewards.stack import RewardStack

ADAPTER = "policy"


class PolicyModule(L.LightningModule, ABC):
    """Drawing, validation and randomness; optimisation is by hand, since one batch is many passes.

    Args:
        backbone: with a LoRA set called ``policy``.
        rewards: judges of what is drawn.
        sampling: how it is drawn.
        codec: codec folder; the shipped one by default.
        encoder: prompt encoder; MiniLM by default.

    Attributes:
        seed: of noise and random steps; subclasses take it from their recipes.

    Raises:
        ValueError: if the backbone has no LoRA set called ``policy``.
    """

    def __init__(
        self,
        backbone: FluxBackbone,
        rewards: RewardStack,
        sampling: Sampling | None = None,
        codec: str | None = None,
        encoder: PromptEncoder | None = None,
    ) -> None:
        super().__init__()
        if ADAPTER not in backbone.adapter_specs:
            raise ValueError(
                f"backbone.adapters: name a LoRA set {ADAPTER!r}; there are {sorted(backbone.adapter_specs)}"
            )
        self.automatic_optimization = False
        self.backbone, self.rewards = backbone, rewards
        self.seed = 0
        self.policy = Policy(backbone, sampling or Sampling())
        self.encoder = encoder or MiniLMPromptEncoder()
        self._codec = LazyCodec(codec, backbone.dtype)

    @abstractmethod
    def conditions(self, scenes: SceneBatch) -> tuple[TokenGroup, ...]:
        """What the backbone is shown beside the prompt."""

    @property
    def codec(self) -> LatentCodec:
        """The codec, loaded once; frozen, on the module's device and no part of the module."""
        return self._codec.on(self.device)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Scenes stay on the CPU, where references are pasted and pictures judged."""
        return batch

    def configure_model(self) -> None:
        """Build the backbone: frozen but for the policy's LoRA set."""
        if self.backbone.transformer is None:
            cast(Any, self.backbone.configure().transformer).requires_grad_(False)

    @torch.no_grad()
    def encode(self, scenes: SceneBatch) -> TokenSequence:
        """Prompt and conditions of each scene, once, however many images are drawn of it."""
        return self.prompted(scenes.prompts, scenes.size, self.conditions(scenes))

    @torch.no_grad()
    def prompted(
        self, prompts: Sequence[str], size: tuple[int, int], conditions: tuple[TokenGroup, ...] = ()
    ) -> TokenSequence:
        """The policy's sequence for prompts and conditions, images being of ``size`` (height, width) in pixels."""
        rows, columns = token_grid(size)
        channels = self.backbone.transformer.config.in_channels
        blank = torch.zeros(len(prompts), rows * columns, channels)
        sequence = prompted_sequence(self.encoder.encode(prompts), blank, (rows, columns), conditions)
        return sequence.to(self.device).with_adapters(ADAPTER)

    def validation_step(self, scenes: SceneBatch, batch_idx: int) -> Float[Tensor, "b 3 h w"]:
        """Draw without random steps and judge; the images are for whoever shows them."""
        images = self.draw(scenes, batch_idx)
        self.rewards.accumulate(self.rewards.judge(images, scenes))
        return images

    def on_validation_epoch_end(self) -> None:
        """Log the mean of every reward over all processes and, as ``val/total``, their weighted sum."""
        sums = of_all_ranks(self, self.rewards.sums()[..., None]).sum(dim=-1)
        means = self.rewards.means(sums)
        self.log_dict({f"val/{name}": value for name, value in means.items()})
        self.log("val/total", self.rewards.weighted(means), prog_bar=True)
        self.rewards.metrics.reset()

    def predict_step(self, scenes: SceneBatch, batch_idx: int) -> Float[Tensor, "b 3 h w"]:
        """Images in [0, 1]."""
        return self.draw(scenes, batch_idx)

    @torch.no_grad()
    def draw(
        self, scenes: SceneBatch, seed: int, sequence: TokenSequence | None = None
    ) -> Float[Tensor, "b 3 h w"]:
        """One image per scene, in [0, 1].

        Args:
            scenes: what is drawn.
            seed: of the noise.
            sequence: from :meth:`encode`, where scenes are drawn from several seeds; encoded here if None.
        """
        return self.draw_sequence(sequence or self.encode(scenes), scenes.size, seed)

    @torch.no_grad()
    def draw_sequence(
        self, sequence: TokenSequence, size: tuple[int, int], seed: int
    ) -> Float[Tensor, "b 3 h w"]:
        """One image per row of an encoded sequence, in [0, 1], on the CPU; arguments as above."""
        noise = torch.randn(sequence.noise.tokens.shape, generator=Generator().manual_seed(seed))
        free = self._free(sequence, self._empty_prompt())
        latents = self.policy.draw(self.backbone.prepare(sequence), noise.to(self.device), free)
        return self.codec.decode(latents, size).cpu()

    def _empty_prompt(self) -> PromptEmbedding | None:
        """What guidance leads away from; None without guidance."""
        return self.encoder.encode([""]) if self.policy.sampling.free_guidance != 1 else None

    def _free(self, sequence: TokenSequence, empty: PromptEmbedding | None) -> PreparedSequence | None:
        """The frozen base, shown nothing."""
        return None if empty is None else self.backbone.prepare(unprompted(sequence.with_adapters(), empty))

    def _generator(self, stream: int) -> Generator:
        """A source of randomness that depends on seed, epoch, process and stream alone: runs resume exactly."""
        place = (self.seed * 100_003 + self.current_epoch) * 1009 + (self.global_rank if stream else 0)
        return Generator().manual_seed(place * 1009 + stream)
