"""Train the tiny FLUX base by flow matching.

The network runs in bfloat16; float32 master copies take the updates, as a sum of many small bfloat16 steps would lose
them. Matrices inside the blocks are trained by Muon, everything else by AdamW.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from jaxtyping import Float
from torch import Tensor, nn

from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.flow.path import flow_matching_loss, interpolate
from lightning_modules.flow.timesteps import LogitNormalSigmas, SigmaSampler
from lightning_modules.pretraining.flow_data import FlowBatch
from lightning_modules.pretraining.layout_head import LayoutHead
from lightning_modules.pretraining.model_card import write_model_card
from lightning_modules.pretraining.schedule import rate_factor


@dataclass(frozen=True)
class FlowRecipe:
    """How the base is optimised.

    Attributes:
        muon_learning_rate: for matrices inside the blocks.
        learning_rate: for everything else (AdamW).
        warmup_steps: linear warm-up of both.
        decay_share: last share of training in which both fall linearly to 3 %.
        max_gradient_norm: gradients are scaled down to this norm.
        ema_decay: of the averaged weights, which are the ones written out.
        layout_weight: of the error of a :class:`LayoutHead` beside the flow matching error; 0 for none.
        layout_block: single-stream block after which the head reads.
    """

    muon_learning_rate: float = 2e-3
    learning_rate: float = 1e-3
    warmup_steps: int = 50
    decay_share: float = 0.33
    max_gradient_norm: float = 2.0
    ema_decay: float = 0.999
    layout_weight: float = 0.0
    layout_block: int = 2

    def factor(self, step: int, total: int) -> float:
        """Share of the peak learning rate at a step: warm-up, constant, linear decay."""
        return rate_factor(step, total, self.warmup_steps, self.decay_share, floor=0.03)


class FlowPretrainingModule(L.LightningModule):
    """Flow matching on every parameter of the backbone (SkeleGuide Eq. 1, with velocity = noise - data).

    Args:
        backbone: the model; drawn at random or read from ``source``.
        sigma_sampler: distribution of training times.
        recipe: how it is optimised.
        people_weight: a token full of people counts ``1 + people_weight`` times an empty one.
        output: folder the averaged model is written to, in diffusers format.
        config: name of this configuration in ``configs/pretraining``, for the model's card.
        keep: share of the weights it started at in the model that is written (WiSE-FT, Wortsman et al. 2022).

    Raises:
        ValueError: if ``keep`` is not a share below 1.
    """

    def __init__(
        self,
        backbone: FluxBackbone,
        sigma_sampler: SigmaSampler | None = None,
        recipe: FlowRecipe | None = None,
        people_weight: float = 1.0,
        output: str = "runs/flow/weights",
        config: str = "flow",
        keep: float = 0.0,
    ) -> None:
        if not 0 <= keep < 1:
            raise ValueError(f"keep: {keep} must be at least 0 and below 1")
        super().__init__()
        self.automatic_optimization = False
        self.backbone = backbone
        self.sigma_sampler = sigma_sampler or LogitNormalSigmas()
        self.recipe = recipe or FlowRecipe()
        self.people_weight, self.output, self.config = people_weight, output, config
        self.keep, self._start = keep, cast(list[Tensor], [])
        self.head: LayoutHead | None = None

    def configure_model(self) -> None:
        """Build the backbone in bfloat16 and its float32 master and average."""
        if self.backbone.transformer is not None:
            return
        network = cast(Any, self.backbone.configure().transformer)
        weights = [p.requires_grad_().detach().float() for p in network.parameters()]
        # No gradient of their own: between processes, only the network's gradients are averaged.
        self.master = nn.ParameterList([nn.Parameter(w.clone(), requires_grad=False) for w in weights])
        self.average = nn.ParameterList([nn.Parameter(w.clone(), requires_grad=False) for w in weights])
        self._start = weights if self.keep else []
        if self.recipe.layout_weight:
            self.head = LayoutHead(network.inner_dim)
        nn.Module.to(network.train(), torch.bfloat16)
        self.backbone.dtype = torch.bfloat16

    def configure_optimizers(self) -> Any:
        """Muon for block matrices, AdamW for the rest, one schedule for both."""
        names = [name for name, _ in self.backbone.transformer.named_parameters()]
        matrices: list[Tensor] = []
        others: list[Tensor] = []
        for name, weight in zip(names, self.master, strict=True):
            inside = weight.ndim == 2 and "transformer_blocks" in name and ".norm" not in name
            (matrices if inside else others).append(weight)
        if self.head is not None:
            others += self.head.parameters()
        muon = torch.optim.Muon(
            matrices,
            lr=self.recipe.muon_learning_rate,
            weight_decay=0.01,
            adjust_lr_fn="match_rms_adamw",
            ns_steps=4,
        )
        adam = torch.optim.AdamW(others, lr=self.recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0)
        return [muon, adam]

    def training_step(self, batch: FlowBatch, batch_idx: int) -> None:
        """One update of master, network and average."""
        errors = self.errors(batch)
        self.manual_backward(torch.stack(list(errors.values())).sum())
        step = int(self.trainer.global_step) // 2
        self._update(step)
        self.log("train/loss", errors["flow"].detach(), prog_bar=True, batch_size=len(batch))
        for name, error in errors.items():
            self.log(f"train/{name}_{batch.context.value}", error.detach(), batch_size=len(batch))

    def errors(self, batch: FlowBatch) -> dict[str, Float[Tensor, ""]]:
        """What is minimised: the flow-matching error, with more weight where people are; the layout head's, if any."""
        sigma = self.sigma_sampler.draw(len(batch))
        noise = torch.randn_like(batch.data)
        noisy = interpolate(batch.data, noise, sigma)
        hidden: dict[int, Tensor] = {}
        velocity = self.backbone(batch.sequence.with_noise(noisy), sigma, probe=hidden.__setitem__)
        weight = 1 + self.people_weight * batch.people
        errors = {"flow": flow_matching_loss(velocity, batch.data, noise, weight).mean()}
        if self.head is not None:
            layout = self.head.loss(hidden[self.recipe.layout_block], batch.people, batch.density)
            errors["layout"] = self.recipe.layout_weight * layout
        return errors

    def _update(self, step: int) -> None:
        """Clip, step the masters, copy them into the network, move the average."""
        network = list(self.backbone.transformer.parameters())
        with torch.no_grad():
            for weight, parameter in zip(self.master, network, strict=True):
                weight.grad = cast(Tensor, parameter.grad).float()
                parameter.grad = None
            norm = nn.utils.clip_grad_norm_(self.master.parameters(), self.recipe.max_gradient_norm)
            factor = self.recipe.factor(step, max(1, self.trainer.max_steps // 2))
            peaks = (self.recipe.muon_learning_rate, self.recipe.learning_rate)
            for optimizer, peak in zip(cast(list[Any], self.optimizers()), peaks, strict=True):
                for group in optimizer.param_groups:
                    group["lr"] = peak * factor
                optimizer.step()
            if self.head is not None:
                self.head.zero_grad()
            torch._foreach_copy_(network, list(self.master))
            decay = min(self.recipe.ema_decay, (1 + step) / (10 + step))
            torch._foreach_lerp_(list(self.average), list(self.master), 1 - decay)
        self.log("train/gradient_norm", norm)

    def write_average(self, folder: str | Path) -> None:
        """Write the averaged model, with what is kept of the start, as a diffusers folder in bfloat16."""
        network = list(self.backbone.transformer.parameters())
        with torch.no_grad():
            written = list(self.average)
            if self._start:
                written = list(torch._foreach_lerp(written, self._start, self.keep))
            torch._foreach_copy_(network, written)
        self.backbone.transformer.register_to_config(_name_or_path="")  # no folder of this machine
        self.backbone.transformer.save_pretrained(folder)
        with torch.no_grad():
            torch._foreach_copy_(network, list(self.master))

    def on_train_end(self) -> None:
        """Write the result and its card."""
        if not self.trainer.is_global_zero:
            return
        self.write_average(self.output)
        metrics = {
            k: float(v)
            for k, v in self.trainer.callback_metrics.items()
            if k.startswith(("train/flow", "train/layout"))
        }
        data = cast(Any, self.trainer).datamodule
        described = "given batches" if data is None else data.described()
        steps, processes = self.trainer.global_step // 2, self.trainer.world_size
        write_model_card(self.output, self.config, described, steps, metrics, processes)
