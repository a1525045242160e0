"""Guidance made part of the weights, as FLUX.1 schnell has it: one network pass per step draws what took two.

The first stage of Meng et al. (2023, "On Distillation of Guided Diffusion Models", section 3.1), for one scale and the
noise levels of one schedule: a LoRA set learns the velocities of classifier-free guidance where guided drawing goes.
"""

from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from datamodules.groups import GroupBatch
from datamodules.schema.scene import SceneBatch
from lightning_modules.backbone.guidance import GuidedVelocity, unprompted
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence
from lightning_modules.flow.sampling import sample
from lightning_modules.flow.timesteps import sigma_schedule
from lightning_modules.policy.module import PolicyModule
from lightning_modules.pretraining.schedule import rate_factor
from lightning_modules.sharding.clipped_step import clipped_step
from lightning_modules.sharding.micro_backward import micro_backward


@dataclass(frozen=True)
class DistillationRecipe:
    """How the LoRA set is trained.

    Attributes:
        scale: of the guidance that is learned.
        learning_rate: peak of AdamW's rate: linear warm-up, constant, linear decay to 1 %.
        weight_decay: AdamW's.
        warmup_steps: of the rate.
        decay_share: last share of the training in which the rate falls.
        max_gradient_norm: gradients are scaled down to this norm.
        seed: of the noise that is drawn from.

    Raises:
        ValueError: if the scale is not above 1, where there is nothing to learn.
    """

    scale: float = 4.0
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warmup_steps: int = 20
    decay_share: float = 0.9
    max_gradient_norm: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.scale > 1:
            raise ValueError(
                f"scale: {self.scale} must be more than 1, which is no guidance; 2 to 4 is usual"
            )


class GuidanceDistillationModule(PolicyModule):
    """Drafts from text alone; one Lightning epoch is one batch and one optimizer step.

    Args:
        *args: as :class:`~lightning_modules.policy.module.PolicyModule` takes them; guidance is learned at the noise
            levels of ``sampling``, and validation draws without it.
        distillation: how the LoRA set is trained.
        **drawing: likewise, by name.

    Raises:
        ValueError: if ``sampling`` is guided itself.
    """

    def __init__(self, *args: Any, distillation: DistillationRecipe | None = None, **drawing: Any) -> None:
        super().__init__(*args, **drawing)
        guided = self.policy.sampling.free_guidance
        if guided != 1:
            raise ValueError(
                f"sampling.free_guidance: {guided} must be 1: what is learned is drawn without; the scale to learn is "
                "distillation.scale"
            )
        self.distillation = distillation or DistillationRecipe()
        self.seed = self.distillation.seed

    def conditions(self, scenes: SceneBatch) -> tuple[TokenGroup, ...]:
        """None: a draft knows the prompt alone."""
        return ()

    def configure_model(self) -> None:
        """Build the backbone: frozen but for the LoRA set.

        Raises:
            ValueError: if the model embeds the guidance scale: its weights have learned guidance.
        """
        super().configure_model()
        if self.backbone.transformer.config.guidance_embeds:
            raise ValueError(
                f"backbone.source: {self.backbone.source} embeds the guidance scale: guidance is part of its weights"
            )

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW on the LoRA set; the rate changes once per epoch."""
        recipe, epochs = self.distillation, self.trainer.max_epochs or 1
        trained = [p for p in self.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, recipe.learning_rate, weight_decay=recipe.weight_decay)
        schedule = LambdaLR(
            optimizer,
            lambda step: rate_factor(step, epochs, recipe.warmup_steps, recipe.decay_share, floor=0.01),
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "epoch"}}

    def training_step(self, batch: GroupBatch, batch_idx: int) -> None:
        """Draw a batch with guidance, and move the set towards every velocity on the way."""
        sequence = self.encode(batch.scenes).select(batch.members)
        noise = torch.randn(sequence.noise.tokens.shape, generator=self._generator(1)).to(self.device)
        sigmas, shown = self.demonstrate(sequence, noise)
        prepared = self.backbone.prepare(sequence)
        cast(LightningOptimizer, self.optimizers()).zero_grad()
        total = 0.0
        for index, (x, wanted) in enumerate(shown):
            velocity = self.policy.velocity(prepared, x, sigmas, index).float()
            loss = (velocity - wanted).square().mean() / len(shown)
            total += float(loss.detach())
            micro_backward(self, loss, is_last=index == len(shown) - 1)
        trained = [p for p in self.parameters() if p.requires_grad]
        norm = clipped_step(self, trained, self.distillation.max_gradient_norm)
        self.log("train/loss", total, prog_bar=True, batch_size=len(batch))
        self.log("train/gradient_norm", norm, batch_size=len(batch))

    def on_train_epoch_end(self) -> None:
        """The rate of the next step; Lightning leaves it to modules that optimise by hand."""
        self.lr_schedulers().step()  # type: ignore[union-attr]

    @torch.no_grad()
    def demonstrate(
        self, sequence: TokenSequence, noise: Float[Tensor, "b s c"]
    ) -> tuple[Float[Tensor, " t"], list[tuple[Float[Tensor, "b s c"], Float[Tensor, "b s c"]]]]:
        """The schedule, and for each of its steps the latents of guided drawing and their guided velocity."""
        base = sequence.with_adapters()
        sigmas = sigma_schedule(self.policy.sampling.steps, noise.shape[1], self.policy.sampling.shift)
        guided = GuidedVelocity(
            self.backbone,
            base,
            sigmas,
            self.distillation.scale,
            lambda: unprompted(base, self.encoder.encode([""])),
        )
        shown: list[tuple[Tensor, Tensor]] = []

        def noted(x: Tensor, index: int) -> Tensor:
            shown.append((x, guided(x, index)))
            return shown[-1][1]

        sample(noted, noise, sigmas)
        return sigmas, shown
