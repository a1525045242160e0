"""Group-relative policy optimisation of a FLUX backbone, for anything that can be drawn and judged.

One epoch: draw a group of images per prompt, judge them, compare each with its group, and move the policy's LoRA set
towards what was better. Images are judged while the next are drawn, so a reward that has to be waited for, such as a
model behind a server, costs time only where it is slower than the drawing. Subclasses say what the backbone is shown
beside the prompt, and nothing else.

Devices: scenes, prompts, pictures, rewards and advantages are on the CPU, so batches stay where they are loaded and
decoded pictures come back. Token sequences, noise, latents, network and codec are on the module's device. Encoders and
scorers with a ``device`` of their own run there, whatever the module's. All randomness is drawn on the CPU.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import lightning as L
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from datamodules.groups import GroupBatch
from datamodules.schema.interfaces import PromptEmbedding, PromptEncoder
from datamodules.schema.scene import SceneBatch
from datamodules.text.minilm import MiniLMPromptEncoder
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.generator import prompted_sequence
from lightning_modules.backbone.guidance import unprompted
from lightning_modules.backbone.latents import LatentCodec, LazyCodec, token_grid
from lightning_modules.backbone.prepared import PreparedSequence
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence
from lightning_modules.policy.advantages import group_advantages
from lightning_modules.policy.health import Health, diversity
from lightning_modules.policy.ranks import every_table, of_all_ranks, own_share, pooled_figures
from lightning_modules.policy.recipe import GRPORecipe
from lightning_modules.policy.rollout import Policy, Rollout, Sampling
from lightning_modules.policy.surrogate import (
    clip_range,
    clipped_surrogate,
    divergence,
    normalized_log_ratio,
)
from lightning_modules.sharding.clipped_step import clipped_step
from lightning_modules.sharding.micro_backward import micro_backward
from rewards.stack import RewardStack, RewardTable

ADAPTER = "policy"


class GRPOModule(L.LightningModule, ABC):
    """The engine; one Lightning epoch is one epoch of the papers: draw, judge, learn.

    Args:
        backbone: with a LoRA set called ``policy``.
        rewards: judges of what is drawn.
        sampling: how it is drawn.
        recipe: how the policy is moved.
        codec: codec folder; the shipped one by default.
        encoder: prompt encoder; MiniLM by default.

    Raises:
        ValueError: if the backbone has no LoRA set called ``policy``.
    """

    def __init__(
        self,
        backbone: FluxBackbone,
        rewards: RewardStack,
        sampling: Sampling | None = None,
        recipe: GRPORecipe | None = None,
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
        self.recipe = recipe or GRPORecipe()
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

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW on the LoRA set."""
        trained = [p for p in self.parameters() if p.requires_grad]
        return torch.optim.AdamW(
            trained, self.recipe.learning_rate, weight_decay=self.recipe.weight_decay, betas=(0.9, 0.999)
        )

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

    def training_step(self, batch: GroupBatch, batch_idx: int) -> None:
        """One epoch."""
        recorded = self.policy.sampling.choice.choose(
            self.policy.sampling.steps, self.current_epoch, self._generator(0)
        )
        rollouts, table = self.draw_and_judge(batch, recorded)
        every, groups = every_table(self, table), of_all_ranks(self, batch.groups)
        advantages = group_advantages(
            every.scaled,
            every.weights,
            groups,
            self.recipe.aggregate,
            self.recipe.spread,
            limit=self.recipe.advantage_limit,
        )
        health = Health()
        if bool(advantages.informative.any()):  # of all ranks: all of them agree
            self._learn(rollouts, own_share(self, advantages.values), health)
        drawn = of_all_ranks(self, torch.cat([r.trajectory.final for r in rollouts]), dim=0)
        figures = {f"reward/{name}": value for name, value in every.statistics(groups).items()}
        figures |= {f"policy/{name}": value for name, value in pooled_figures(self, health).items()}
        self._check_on_policy(figures.get("policy/on_policy_max_deviation", 0.0))
        figures["policy/equal_groups"] = advantages.equal_groups
        figures["policy/diversity"] = diversity(drawn, groups)
        self.log_dict(figures, batch_size=len(batch))
        self.log("reward", figures["reward/total/mean"], prog_bar=True, logger=False, batch_size=len(batch))

    def draw_and_judge(
        self, batch: GroupBatch, recorded: tuple[int, ...]
    ) -> tuple[list[Rollout], RewardTable]:
        """A batch's images with their ``recorded`` steps, and their scores, in the order of the batch."""
        sequence = self.encode(batch.scenes)
        known = self.rewards.known(batch.scenes)
        empty = self._empty_prompt()
        rollouts, judged = [], []
        with ThreadPoolExecutor(1, "judge") as judge:  # one at a time: scorers keep models, caches and counts
            for chunk, members in enumerate(batch.members.split(self.recipe.micro_batch)):
                rng = self._generator(1 + chunk)
                noise = torch.randn(len(members), *sequence.noise.tokens.shape[1:], generator=rng)
                chosen = sequence.select(members)
                rollout = self.policy.rollout(
                    self.backbone.prepare(chosen),
                    noise.to(self.device),
                    recorded,
                    rng,
                    keep_means=self.recipe.ratio_norm,
                    free=self._free(chosen, empty),
                )
                images = self.codec.decode(rollout.trajectory.final, batch.scenes.size).cpu()
                shown = (images, batch.scenes.select(members), known.select(members))
                judged.append(judge.submit(self.rewards.judge, *shown))
                rollouts.append(rollout)
        return rollouts, RewardTable.joined([table.result() for table in judged])

    def _learn(self, rollouts: list[Rollout], advantages: Float[Tensor, " m"], health: Health) -> None:
        """``updates`` optimizer steps, each over its share of what was drawn."""
        optimizer = cast(Any, self.optimizers())
        trained = [p for p in self.parameters() if p.requires_grad]
        own = advantages.to(self.device).split([len(r) for r in rollouts])
        pairs = list(zip(rollouts, own, strict=True))
        updates = min(self.recipe.updates, len(pairs))
        for update in range(updates):
            share = pairs[update * len(pairs) // updates : (update + 1) * len(pairs) // updates]
            passes = [(r, a, k) for r, a in share for k in range(len(r.trajectory.indices))]
            optimizer.zero_grad()
            for i, (rollout, a, k) in enumerate(passes):
                loss = self._loss(rollout, a, k, health, first=update == 0) / len(passes)
                micro_backward(self, loss, is_last=i == len(passes) - 1)
            health.gradient_norm.append(clipped_step(self, trained, self.recipe.max_gradient_norm))

    def _loss(
        self, rollout: Rollout, advantages: Float[Tensor, " b"], k: int, health: Health, first: bool
    ) -> Float[Tensor, ""]:
        """The objective of one recorded step."""
        record = rollout.trajectory
        scored = self.policy.score(rollout, k)
        log_ratio = scored.log_prob - record.mean_log_probs[:, k]
        if first:
            health.add_on_policy(log_ratio.detach())
        if self.recipe.ratio_norm:
            log_ratio = normalized_log_ratio(log_ratio, scored.mean, record.means[k], scored.std)
        clip = clip_range(self.recipe.clip, record.before[k][0].numel())
        surrogate = clipped_surrogate(log_ratio, advantages, clip)
        health.add(surrogate)
        loss = surrogate.loss.mean()
        if self.recipe.divergence_weight or not health.divergence:
            apart = self._divergence(rollout, k, scored)
            health.divergence.append(float(apart.detach()))
            loss = loss + self.recipe.divergence_weight * apart
        return loss

    def _divergence(self, rollout: Rollout, k: int, scored: Any) -> Float[Tensor, ""]:
        with torch.no_grad():
            base = self.policy.score(rollout, k, rollout.sequence.with_adapters())
        index = rollout.trajectory.indices[k]
        return divergence(
            self.recipe.divergence,
            mean=scored.mean,
            base_mean=base.mean,
            std=scored.std,
            step_size=rollout.sigmas[index] - rollout.sigmas[index + 1],
            velocity=scored.velocity,
            base_velocity=base.velocity,
        ).mean()

    def _check_on_policy(self, deviation: float) -> None:
        """Before the first update nothing has changed, so every ratio must be 1; all processes know the worst.

        Raises:
            RuntimeError: if one is not: drawing and learning compute different numbers. What was learned from them is
                lost with the process; checkpoints are older.
        """
        if deviation > self.recipe.on_policy_tolerance:
            raise RuntimeError(
                f"on-policy ratio differs from 1 by {deviation:.1e} (tolerance {self.recipe.on_policy_tolerance:.1e}): "
                "drawing and learning compute different numbers; check dropout, precision and micro_batch"
            )

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
        place = (self.recipe.seed * 100_003 + self.current_epoch) * 1009 + (self.global_rank if stream else 0)
        return Generator().manual_seed(place * 1009 + stream)
