"""Group-relative policy optimisation of a FLUX backbone, for anything that can be drawn and judged.

One epoch: draw a group of images per prompt, judge them, compare each with its group, and move the policy's LoRA set
towards what was better. Images are judged while the next are drawn, so a reward that has to be waited for, such as a
model behind a server, costs time only where it is slower than the drawing.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from datamodules.groups import GroupBatch
from lightning_modules.policy.advantages import group_advantages
from lightning_modules.policy.health import Health, diversity
from lightning_modules.policy.module import PolicyModule
from lightning_modules.policy.ranks import every_table, of_all_ranks, own_share, pooled_figures
from lightning_modules.policy.recipe import GRPORecipe
from lightning_modules.policy.rollout import Rollout
from lightning_modules.policy.surrogate import (
    clip_range,
    clipped_surrogate,
    divergence,
    normalized_log_ratio,
)
from lightning_modules.sharding.clipped_step import clipped_step
from lightning_modules.sharding.micro_backward import micro_backward
from rewards.stack import RewardTable


class GRPOModule(PolicyModule):
    """The engine; one Lightning epoch is one epoch of the papers: draw, judge, learn.

    Args:
        *args: as :class:`~lightning_modules.policy.module.PolicyModule` takes them.
        recipe: how the policy is moved.
        **drawing: likewise, by name.
    """

    def __init__(self, *args: Any, recipe: GRPORecipe | None = None, **drawing: Any) -> None:
        super().__init__(*args, **drawing)
        self.recipe = recipe or GRPORecipe()
        self.seed = self.recipe.seed

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW on the LoRA set."""
        trained = [p for p in self.parameters() if p.requires_grad]
        return torch.optim.AdamW(
            trained, self.recipe.learning_rate, weight_decay=self.recipe.weight_decay, betas=(0.9, 0.999)
        )

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
            size = self.recipe.micro_batch
            chunks = zip(batch.members.split(size), batch.groups.split(size), strict=True)
            for chunk, (members, groups) in enumerate(chunks):
                rng = self._generator(1 + chunk)
                noise = self._noise(groups, sequence.noise.tokens.shape[1:], rng)
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

    def _noise(self, groups: Int[Tensor, " b"], shape: torch.Size, rng: Generator) -> Float[Tensor, "b s c"]:
        """What images start from: noise of their own, or that of their group, on whatever process it is drawn."""
        if not self.recipe.shared_noise:
            return torch.randn(len(groups), *shape, generator=rng)
        numbers, which = groups.unique(return_inverse=True)
        sources = [
            Generator().manual_seed(self.seed * 1_000_003 + number + 2**40) for number in numbers.tolist()
        ]
        return torch.stack([torch.randn(*shape, generator=source) for source in sources])[which]

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
