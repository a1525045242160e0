"""What SkeleGuide and its ablations share: people are put into a scene by LoRA sets on one frozen backbone."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional as F

from datamodules.schema.human_in_place import HumanInPlace
from datamodules.schema.interfaces import PromptEmbedding, PromptEncoder
from datamodules.text.minilm import MiniLMPromptEncoder
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.guidance import GuidedVelocity, unprompted
from lightning_modules.backbone.latents import TOKEN_PIXELS, LatentCodec, LazyCodec, token_grid
from lightning_modules.backbone.positions import grid_ids
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence
from lightning_modules.flow.path import interpolate
from lightning_modules.flow.sampling import sample
from lightning_modules.flow.timesteps import sigma_schedule
from lightning_modules.skeleguide.condition_branch import ConditionBranch
from lightning_modules.skeleguide.idle_sets import leave_idle, zero_of_idle
from lightning_modules.skeleguide.layout_estimate import Prediction
from lightning_modules.skeleguide.phases import Phase, phase_named
from lightning_modules.skeleguide.recipe import InPlaceRecipe, InPlaceSampling, StageGuidance
from lightning_modules.skeleguide.samples import Composition, EncodedScenes
from rewards.weights import verified

logger = logging.getLogger(__name__)


class InPlaceModule(L.LightningModule, ABC):
    """One frozen backbone, named LoRA sets on its condition branch, phases that say which of them are trained.

    All sets keep ``requires_grad`` and stand in the optimizer from the first step on, each in a group of its own, so
    that a checkpoint holds all of them and nothing has to be rebuilt between phases, whatever the strategy. A set that
    is not trained in a phase gets a gradient of zero, and is taken out before the optimizer steps.

    Args:
        backbone: with the LoRA sets that the phases name, all of them with ``branch: condition``.
        phases: rows of the phase table; training starts in the first.
        recipe: how sets are trained.
        sampling: how pictures are drawn.
        branch: how condition tokens stand to the others.
        codec: codec folder; the shipped one by default.
        encoder: prompt encoder; MiniLM by default.

    Raises:
        ValueError: if the backbone's LoRA sets are not those that the phases train, or act on all tokens, or if
            guidance is told for another set.
    """

    def __init__(
        self,
        backbone: FluxBackbone,
        phases: Sequence[Phase],
        recipe: InPlaceRecipe | None = None,
        sampling: InPlaceSampling | None = None,
        branch: ConditionBranch | None = None,
        codec: str | None = None,
        encoder: PromptEncoder | None = None,
    ) -> None:
        super().__init__()
        named = {adapter for phase in phases for adapter in phase.trains}
        if named != set(backbone.adapter_specs):
            there = sorted(backbone.adapter_specs)
            raise ValueError(f"backbone.adapters: there are {there}, the phases train {sorted(named)}")
        for name, spec in backbone.adapter_specs.items():
            if spec.branch != "condition":
                raise ValueError(f"backbone.adapters.{name}.branch: {spec.branch!r}; set it to condition")
        self.backbone, self.phases = backbone, tuple(phases)
        self.phase = self.phases[0]
        self._stepped: tuple[str, ...] = ()
        self._told = False
        self.recipe, self.sampling = recipe or InPlaceRecipe(), sampling or InPlaceSampling()
        if unknown := sorted(set(self.sampling.guidance) - named):
            raise ValueError(
                f"sampling.guidance: there is no LoRA set {unknown[0]!r} to guide; there are {sorted(named)}"
            )
        self.branch = branch or ConditionBranch()
        self.encoder = encoder or MiniLMPromptEncoder()
        self._codec = LazyCodec(codec, backbone.dtype)

    @abstractmethod
    def losses(self, scenes: EncodedScenes, phase: Phase, rng: Generator) -> dict[str, Float[Tensor, " b"]]:
        """The losses that a phase weighs, per sample."""

    @abstractmethod
    def examined(self) -> Phase:
        """The losses that validation computes, whatever the phase."""

    @abstractmethod
    def compose(self, source: Float[Tensor, "b 3 h w"], prompts: Sequence[str], seed: int) -> Composition:
        """Put people into scenes; noise comes from ``seed``."""

    @property
    def codec(self) -> LatentCodec:
        """The codec, loaded once; frozen, and no part of the module."""
        return self._codec.on(self.device)

    def configure_model(self) -> None:
        """Build the backbone: frozen but for the LoRA sets."""
        if self.backbone.transformer is None:
            cast(Any, self.backbone.configure().transformer).requires_grad_(False)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW, one group per LoRA set."""
        groups = [
            {"params": list(lora.parameters()), "name": name} for name, lora in self.backbone.adapters.items()
        ]
        return torch.optim.AdamW(groups, self.recipe.learning_rate, weight_decay=self.recipe.weight_decay)

    def set_phase(self, name: str) -> None:
        """Go on in the phase called ``name``."""
        self.phase = phase_named(name, self.phases)

    def training_step(self, batch: HumanInPlace | EncodedScenes, batch_idx: int) -> Float[Tensor, ""]:
        """The weighted sum of the phase's losses."""
        rng = self._generator(self._batches_seen(batch_idx))
        scenes = self.encode(batch) if isinstance(batch, HumanInPlace) else batch
        losses = self.losses(self.without_some_prompts(scenes, rng), self.phase, rng)
        means = {name: loss.mean() for name, loss in losses.items()}
        total = torch.stack([self.phase.weights[name] * mean for name, mean in means.items()]).sum()
        logged = {f"train/{name}": value.detach() for name, value in {**means, "loss": total}.items()}
        self.log_dict(logged, prog_bar=True, batch_size=len(batch))
        self.log("train/phase", float(self.phases.index(self.phase)), batch_size=len(batch))
        return total + zero_of_idle(self.backbone.adapters, self.phase.trains)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Leave idle sets as they are."""
        self._stepped = self.phase.trains
        leave_idle(optimizer, self._stepped, self.recipe.learning_rate)

    def rested(self, parameter: str) -> bool:
        """Whether the last optimizer step left a parameter as it was."""
        return not any(parameter.startswith(f"backbone.adapters.{name}.") for name in self._stepped)

    def validation_step(self, batch: HumanInPlace, batch_idx: int) -> None:
        """All losses, with the same noise and times at every validation."""
        examined, rng = self.examined(), self._generator(batch_idx, stream=1)
        losses = self.losses(self.encode(batch), examined, rng)
        means = {f"val/{name}": loss.mean() for name, loss in losses.items()}
        self.log_dict(means, batch_size=len(batch), sync_dist=True)

    def predict_step(self, batch: HumanInPlace, batch_idx: int) -> Composition:
        """Compositions from the scenes and prompts alone."""
        return self.compose(batch.source, batch.prompts, batch_idx)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The phase belongs to the weights."""
        checkpoint["phase"] = self.phase.name

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on in the phase that was saved."""
        self.set_phase(checkpoint["phase"])

    @torch.no_grad()
    def encode(self, batch: HumanInPlace) -> EncodedScenes:
        """Prompts and the three pictures."""
        pictures = torch.cat([batch.source, batch.layout_image, batch.target])
        source, layout, target = self.codec.encode(pictures).float().chunk(3)
        people = F.avg_pool2d(batch.people_mask[:, None].float(), TOKEN_PIXELS).flatten(1)
        embedding = self.encoder.encode(batch.prompts).to(self.device)
        return EncodedScenes(embedding, source, layout, target, people, token_grid(batch.size))

    def without_some_prompts(self, scenes: EncodedScenes, rng: Generator) -> EncodedScenes:
        """The same with the empty prompt in the recipe's share of samples, drawn from ``rng``."""
        dropped = torch.rand(len(scenes), generator=rng) < self.recipe.text_dropout
        if not dropped.any():
            return scenes
        empty = self.encoder.encode([""])
        return replace(scenes, prompts=scenes.prompts.replaced(dropped, empty))

    def weight(self, scenes: EncodedScenes) -> Float[Tensor, "b s"]:
        """How much each token counts in a loss."""
        return 1 + self.recipe.people_weight * scenes.people

    def predict(
        self,
        scenes: EncodedScenes,
        adapter: str,
        data: Float[Tensor, "b s c"],
        picture: Float[Tensor, "b s c"],
        rng: Generator,
    ) -> Prediction:
        """Ask the backbone at a random point of the path from noise to ``data``, shown ``picture``."""
        sigma = self.recipe.sigmas.draw(len(data), rng).to(data.device)
        noise = torch.randn(data.shape, generator=rng).to(data)
        point = interpolate(data, noise, sigma)
        return Prediction(point, noise, sigma, self.velocity(scenes, adapter, picture, point, sigma))

    def velocity(
        self,
        scenes: EncodedScenes,
        adapter: str,
        picture: Float[Tensor, "b s c"],
        point: Float[Tensor, "b s c"],
        sigma: Float[Tensor, " b"],
    ) -> Float[Tensor, "b s c"]:
        """The backbone's velocity, shown ``picture`` through the LoRA set called ``adapter``."""
        sequence = self.sequence(scenes.prompts, adapter, picture, point, scenes.grid)
        embeds = self.backbone.transformer.config.guidance_embeds
        guidance = torch.full_like(sigma, self.recipe.guidance) if embeds else None
        return cast(Tensor, self.backbone(sequence, sigma, guidance))

    def sequence(
        self,
        prompts: PromptEmbedding,
        adapter: str,
        picture: Float[Tensor, "b s c"],
        canvas: Float[Tensor, "b t c"],
        grid: tuple[int, int],
    ) -> TokenSequence:
        """Prompt, canvas and condition as the backbone takes them."""
        drawn = TokenGroup(canvas, self.canvas_ids(grid).to(canvas.device))
        return self.branch.sequence(self.asked(prompts, adapter), drawn, self.shown(picture), adapter)

    def asked(self, prompts: PromptEmbedding, adapter: str) -> PromptEmbedding:
        """The prompts as the stage with the LoRA set called ``adapter`` reads them."""
        return prompts

    def shown(self, picture: Float[Tensor, "b s c"]) -> Float[Tensor, "b t c"]:
        """The picture, token by token where the canvas has its own."""
        return picture

    def canvas_ids(self, grid: tuple[int, int]) -> Float[Tensor, "1 s 3"]:
        """Where the tokens stand that are drawn."""
        return grid_ids(*grid)

    @torch.no_grad()
    def draw(
        self,
        prompts: PromptEmbedding,
        adapter: str,
        picture: Float[Tensor, "b s c"],
        grid: tuple[int, int],
        rng: Generator,
    ) -> Float[Tensor, "b s c"]:
        """One stage of inference: noise to clean latents, shown ``picture`` through a LoRA set."""
        shape = (len(picture), self.canvas_ids(grid).shape[1], picture.shape[2])
        noise = torch.randn(shape, generator=rng).to(picture)
        sequence = self.sequence(prompts, adapter, picture, noise, grid)
        guidance = self.sampling.guidance.get(adapter, StageGuidance())

        def away() -> TokenSequence:
            empty = self.encoder.encode([""])
            if guidance.away_from == "picture":
                return replace(
                    unprompted(sequence, self.asked(empty, adapter)), conditions=sequence.conditions
                )
            return unprompted(sequence, empty)

        sigmas = sigma_schedule(self.sampling.steps, shape[1], self.sampling.shift)
        velocity = GuidedVelocity(
            self.backbone, sequence, sigmas, guidance.scale, away, self.sampling.kv_cache
        )
        if velocity.refusal and self.sampling.kv_cache == "auto" and not self._told:
            self._told = True
            logger.warning("keys and values are computed anew at every step: %s", velocity.refusal)
        return sample(velocity, noise, sigmas)

    def adapter_scope(self, name: str) -> dict[str, Any]:
        """How the LoRA set called ``name`` is meant to be used, for its file."""
        return {"adapter": name, **self.branch.scope()}

    def load_adapters(self, folder: str | Path) -> None:
        """Read ``<set>.safetensors`` for every LoRA set, as ``callbacks.lora_export.LoRAExport`` writes them.

        Raises:
            ValueError: if one is missing, is not what a card beside it says, or was trained for another use than this
                module makes of it.
        """
        for name in self.backbone.adapter_specs:
            path = Path(folder) / f"{name}.safetensors"
            if not path.is_file():
                raise ValueError(
                    f"folder: {folder} holds no {path.name}; give the folder of a trained module"
                )
            if path.with_suffix(".json").is_file():
                verified(path.parent, name)
            self.backbone.load_adapter(name, path, self.adapter_scope(name))

    def _batches_seen(self, batch_idx: int) -> int:
        """Training batches before this one: several to an optimizer step where gradients are accumulated."""
        accumulated = 1 if self._trainer is None else self.trainer.accumulate_grad_batches
        return int(self.global_step * accumulated + batch_idx % accumulated)

    def _generator(self, step: int, stream: int = 0) -> Generator:
        """Randomness that depends on seed, batch, process and stream alone: runs resume exactly."""
        place = (self.recipe.seed * 100_003 + step) * 1009 + self.global_rank
        return Generator().manual_seed(place * 1009 + stream)
