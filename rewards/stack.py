"""Several rewards over one analysis: weights, hold-outs, and a table of every score."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torchmetrics import MetricCollection

from datamodules.schema.interfaces import Analyzer
from datamodules.schema.scene import SceneBatch
from rewards.base import Reward, RewardUnavailable
from rewards.functional.groups import EQUAL, Groups
from rewards.observation import KnownFaces, Observation, reference_embeddings, target_embeddings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RewardTerm:
    """A reward and what it counts.

    Attributes:
        reward: the reward.
        weight: factor of its scaled score in the total; 0 holds it out: it is watched and never optimised.
    """

    reward: Reward
    weight: float = 1.0


@dataclass(frozen=True)
class RewardTable:
    """Scores of a batch, one row per term.

    Attributes:
        names: of the terms.
        weights: of the terms.
        raw: scores as the rewards gave them; NaN where a reward does not apply or could not be had.
        scaled: after each reward's scale and shift.
        failed: which scores could not be had, for example because a server did not answer; their score is NaN.
    """

    names: tuple[str, ...]
    weights: Float[Tensor, " k"]
    raw: Float[Tensor, "k b"]
    scaled: Float[Tensor, "k b"]
    failed: Bool[Tensor, "k b"]

    def __len__(self) -> int:
        return self.raw.shape[1]

    def total(self) -> Float[Tensor, " b"]:
        """Weighted sum of the scaled scores; what is NaN adds nothing."""
        return (self.weights[:, None] * self.scaled.nan_to_num(0.0)).sum(dim=0)

    def trained(self) -> Bool[Tensor, " k"]:
        """Which terms are optimised."""
        return self.weights != 0

    def statistics(self, groups: Int[Tensor, " b"]) -> dict[str, float]:
        """What to watch of every term: failures, level, spread, also in groups, share of groups it cannot tell apart.

        Args:
            groups: group of each image (images of one prompt), any integers.
        """
        found: dict[str, float] = {}
        total = self.total()
        rows = zip(self.names, self.weights, self.raw, self.scaled, self.failed, strict=True)
        for name, weight, raw, scaled, failed in rows:
            found[f"{name}/failed"] = float(failed.sum())
            known = raw.isfinite()
            if not known.any():
                continue
            values = raw[known].double()
            spreads = Groups.of(groups[known]).std(values)
            found[f"{name}/mean"] = float(values.mean())
            found[f"{name}/std"] = float(values.std(correction=0))
            found[f"{name}/min"], found[f"{name}/max"] = float(values.min()), float(values.max())
            found[f"{name}/group_std"] = float(spreads.mean())
            found[f"{name}/equal_groups"] = float((spreads < EQUAL).double().mean())
            found[f"{name}/weighted_mean"] = float(weight * scaled[known].mean())
            found[f"{name}/correlation"] = _correlation(values, total[known].double())
        found["total/mean"], found["total/std"] = float(total.mean()), float(total.std(correction=0))
        return found

    @classmethod
    def joined(cls, tables: "list[RewardTable]") -> "RewardTable":
        """The scores of several batches by the same terms."""
        parts = ([getattr(t, part) for t in tables] for part in ("raw", "scaled", "failed"))
        return cls(tables[0].names, tables[0].weights, *(torch.cat(part, dim=1) for part in parts))


class RewardStack:
    """Looks at images once and lets every reward judge what was seen.

    A plain object: rewards and their networks are frozen and must not join a module's parameters or checkpoints.

    Args:
        analyzer: sees faces and bodies.
        terms: rewards by name.

    Raises:
        ValueError: if there is no term with a weight.
    """

    def __init__(self, analyzer: Analyzer, terms: Mapping[str, RewardTerm]) -> None:
        if not any(term.weight for term in terms.values()):
            raise ValueError(
                f"terms: {sorted(terms)} have no weight between them, so there is nothing to improve"
            )
        self.analyzer, self.terms = analyzer, dict(terms)
        # Rewards share the names of their states; torchmetrics would merge two that start with equal values for ever.
        rewards = {name: term.reward for name, term in self.terms.items()}
        self.metrics = MetricCollection(rewards, compute_groups=False)

    def known(self, scenes: SceneBatch) -> KnownFaces:
        """Who the people of the scenes are; their true images are looked at only if a reward compares with them."""
        wanted = any(term.reward.needs_targets for term in self.terms.values())
        return KnownFaces(
            reference_embeddings(self.analyzer, scenes),
            target_embeddings(self.analyzer, scenes) if wanted else None,
        )

    @torch.no_grad()
    def judge(
        self,
        images: Float[Tensor, "b 3 h w"],
        scenes: SceneBatch,
        known: KnownFaces | None = None,
    ) -> RewardTable:
        """Score images of scenes.

        A reward that is unavailable leaves NaN in its row, which is logged; any other error is a mistake and is raised.

        Args:
            images: RGB in [0, 1].
            scenes: what each of them should show.
            known: from :meth:`known`; looked up here if None.
        """
        known = known or self.known(scenes)
        seen = Observation(
            images=images,
            prompts=scenes.prompts,
            people=tuple(scenes.layout.counts().tolist()),
            detections=self.analyzer.analyze(images),
            scenes=scenes,
            references=known.references,
            targets=known.targets,
        )
        raw: list[Tensor] = []
        scaled: list[Tensor] = []
        failed = torch.zeros(len(self.terms), len(images), dtype=torch.bool)
        for name, term in self.terms.items():
            try:
                scores = term.reward.score(seen)
            except RewardUnavailable as error:
                logger.warning("reward %s is unavailable for %d images: %s", name, len(images), error)
                scores = torch.full((len(images),), torch.nan)
                failed[len(raw)] = True
            raw.append(scores)
            scaled.append(term.reward.scaled(scores))
        weights = torch.tensor([term.weight for term in self.terms.values()])
        return RewardTable(tuple(self.terms), weights, torch.stack(raw), torch.stack(scaled), failed)

    def sums(self) -> Float[Tensor, "2 k"]:
        """Sum and number of what each term has accumulated, in float64: those of several processes add up."""
        rewards = [term.reward for term in self.terms.values()]
        return torch.stack([torch.stack([r.total, r.scored.to(r.total)]) for r in rewards], dim=1)

    def means(self, sums: Float[Tensor, "2 k"]) -> dict[str, float]:
        """The mean raw score of each term from :meth:`sums`; NaN where nothing has been scored."""
        return dict(zip(self.terms, (sums[0] / sums[1]).float().tolist(), strict=True))

    def weighted(self, means: Mapping[str, float]) -> float:
        """The weighted sum of scaled mean scores; a reward that never applied adds nothing."""
        return sum(
            term.weight * float(term.reward.scaled(torch.tensor(means[name])))
            for name, term in self.terms.items()
            if math.isfinite(means[name])
        )

    def accumulate(self, table: RewardTable) -> None:
        """Add a table to the running means in ``metrics``."""
        for name, scores in zip(table.names, table.raw, strict=True):
            self.terms[name].reward.accumulate(scores)


def _correlation(a: Float[Tensor, " m"], b: Float[Tensor, " m"]) -> float:
    """Pearson's, 0 where one of them does not vary."""
    if len(a) < 2 or float(a.std()) < EQUAL or float(b.std()) < EQUAL:
        return 0.0
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1])
