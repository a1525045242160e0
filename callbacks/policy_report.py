"""Tables on the screen: what one epoch is, and after every validation what each reward was at the start and is now.

The figures before training also go to the loggers, which Lightning keeps them from, as those of epoch -1; the counts
of an epoch go there as hyperparameters.
"""

from typing import Any

import lightning as L
from rich.console import Console
from rich.table import Table

from datamodules.groups import GroupSampler
from lightning_modules.policy.epoch_size import epoch_size
from lightning_modules.policy.grpo_module import GRPOModule

WATCHED = {
    "policy/on_policy_max_deviation": "largest |ratio - 1| before the first update",
    "policy/ratio_max_deviation": "largest |ratio - 1| of all passes",
    "policy/clipped_low": "images clipped below",
    "policy/clipped_high": "images clipped above",
    "policy/equal_groups": "groups that cannot be told apart",
    "policy/divergence": "distance from the base model",
    "policy/diversity": "spread within groups",
    "policy/gradient_norm": "gradient norm",
    "curriculum/most_people": "most people a prompt asks for",
}


class PolicyReport(L.Callback):
    """Rewards with their weights, hold-outs marked, against the first validation; failures and health figures below.

    The first validation is kept in checkpoints: a resumed training is compared with where it began.
    """

    def __init__(self) -> None:
        self.start: dict[str, float] = {}
        self.resumed = False
        self.weights: dict[str, float] = {}
        self.console = Console()

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Print and log what one epoch is, where groups are drawn; one process does."""
        sampler = getattr(trainer.datamodule, "sampler", None)  # type: ignore[attr-defined]
        if not isinstance(pl_module, GRPOModule) or not isinstance(sampler, GroupSampler):
            return
        size = epoch_size(sampler, pl_module.policy.sampling, pl_module.recipe, trainer.world_size)
        for logger in trainer.loggers:
            logger.log_hyperparams(size.hyperparameters())
        if trainer.is_global_zero:
            table = Table("one epoch", "")
            for name, value in size.lines():
                table.add_row(name, value)
            self.console.print(table)

    def on_sanity_check_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the start: every curve begins there, and one that goes on has begun already."""
        start = {} if self.resumed else {f"val/{name}": value for name, value in self.start.items()}
        for logger in trainer.loggers if start else ():
            logger.log_metrics({**start, "epoch": -1}, step=0)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Print the table; one process does."""
        logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
        rewards = {name[4:]: value for name, value in logged.items() if name.startswith("val/")}
        self.start = self.start or rewards
        if not trainer.is_global_zero or not rewards:
            return
        terms = getattr(getattr(pl_module, "rewards", None), "terms", {})
        title = f"epoch {trainer.current_epoch}"
        if trainer.sanity_checking:
            title = "as it was saved" if self.resumed else "before training"
        table = Table("reward", "weight", "start", "now", "change", title=title)
        for name, value in rewards.items():
            weight = terms[name].weight if name in terms else None
            shown = "" if weight is None else "held out" if weight == 0 else f"{weight:g}"
            first = self.start.get(name, value)
            table.add_row(name, shown, f"{first:.3f}", f"{value:.3f}", f"{value - first:+.3f}")
        table.add_section()
        for name, meaning in WATCHED.items():
            if name in logged:
                table.add_row(meaning, "", "", f"{logged[name]:.3g}", "")
        for name in terms:
            if failed := logged.get(f"reward/{name}/failed"):
                table.add_row(f"scores of {name} that could not be had", "", "", f"{failed:.3g}", "")
        self.console.print(table)

    def state_dict(self) -> dict[str, Any]:
        """The first validation."""
        return {"start": self.start}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.start, self.resumed = state_dict["start"], bool(state_dict["start"])
