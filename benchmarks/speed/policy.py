"""One epoch of policy optimisation without its judges: images drawn, and the recorded steps scored and learned from."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor

from benchmarks.speed.proxy import Proxy
from benchmarks.speed.rounds import Case
from lightning_modules.backbone.adapters import LoRASpec
from lightning_modules.backbone.contexts import full_group
from lightning_modules.flow.sampling import Trajectory
from lightning_modules.policy.module import ADAPTER
from lightning_modules.policy.rollout import Policy, Sampling
from lightning_modules.policy.steps import AllSteps, StepChoice, StepWindow
from lightning_modules.policy.surrogate import clip_range, clipped_surrogate

CLIP = 1e-4
TARGETS = ("attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0", "proj_mlp", "proj_out")


def stored_bytes(tensors: Iterable[Tensor]) -> int:
    """Bytes that the tensors keep alive; memory that several of them share counts once."""
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
    return sum(storages.values())


def replayed(trajectory: Trajectory) -> list[Tensor]:
    """What a trajectory keeps to score its steps again: all but the finished latents, which go to the judges."""
    return [*trajectory.before, *trajectory.after, *trajectory.means, trajectory.mean_log_probs]


class PolicyEpochs:
    """Cases ``window`` and ``all_steps``, which differ in the steps that are trained.

    Both count ``replay_bytes``, kept to score the recorded steps again, and ``trajectory_bytes``, with the finished
    latents.

    Args:
        proxy: the network, one full context canvas, and how many images are drawn at once.
        steps: of a sampling run.
        window: trained steps of the case ``window``.
        rank: of the LoRA set.
        gradient_checkpointing: recompute each block in the backward pass, as large models are trained.
    """

    def __init__(
        self,
        proxy: Mapping[str, Any],
        steps: int,
        window: int,
        rank: int,
        gradient_checkpointing: bool = False,
    ) -> None:
        self.proxy, self.steps, self.gradient_checkpointing = Proxy(**proxy), steps, gradient_checkpointing
        self.choices: dict[str, StepChoice] = {
            "all_steps": AllSteps(),
            "window": StepWindow(window, share=1.0),
        }
        self.spec = LoRASpec(rank=rank, alpha=2 * rank, targets=TARGETS)

    def cases(self) -> dict[str, Case]:
        """One epoch each, from noise to the gradient of the LoRA set."""
        rng = Generator().manual_seed(0)
        recorded = {name: choice.choose(self.steps, 0, rng) for name, choice in self.choices.items()}
        backbone = self.proxy.backbone({ADAPTER: self.spec})
        backbone.gradient_checkpointing = self.gradient_checkpointing
        policy = Policy(backbone, Sampling(steps=self.steps))
        context = full_group(self.proxy.canvas(), self.proxy.side, self.proxy.side)
        sequence = backbone.prepare(self.proxy.sequence(context).with_adapters(ADAPTER))
        noise = self.proxy.noise()
        advantages = torch.linspace(-1, 1, len(noise))
        clip = clip_range(CLIP, noise[0].numel())

        def epoch(steps: tuple[int, ...]) -> dict[str, float]:
            rollout = policy.rollout(sequence, noise, steps, Generator().manual_seed(0))
            record = rollout.trajectory
            for k in range(len(steps)):
                log_ratio = policy.score(rollout, k).log_prob - record.mean_log_probs[:, k]
                loss = clipped_surrogate(log_ratio, advantages, clip).loss.mean() / len(steps)
                loss.backward()
            backbone.zero_grad(set_to_none=True)
            kept = replayed(record)
            return {
                "replay_bytes": stored_bytes(kept),
                "trajectory_bytes": stored_bytes([*kept, record.final]),
            }

        return {name: partial(epoch, steps) for name, steps in recorded.items()}
