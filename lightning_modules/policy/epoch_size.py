"""What one epoch of group-relative optimisation is: how many images, updates and network passes."""

from dataclasses import asdict, dataclass

from torch import Generator

from datamodules.groups import GroupSampler
from lightning_modules.policy.recipe import GRPORecipe
from lightning_modules.policy.rollout import Sampling


@dataclass(frozen=True)
class EpochSize:
    """Counts of one epoch. A pass is one image through the network once, whatever batch it is in.

    Attributes:
        processes: that draw and learn.
        groups: prompts, over all processes.
        group_size: images per prompt.
        encoded: prompts that a process encodes, on average.
        images: images per process.
        updates: optimizer steps; only the first is on-policy.
        images_per_update: images that an update learns from, over all processes.
        steps: of the schedule.
        trained_steps: of them, those drawn at random and learned from.
        drawing_passes: per image, in drawing.
        learning_passes: per image, in learning, the distance from the base included where it is trained.
        passes: over an epoch and all processes, the distance from the base included where it is only measured.
    """

    processes: int
    groups: int
    group_size: int
    encoded: float
    images: int
    updates: int
    images_per_update: float
    steps: int
    trained_steps: int
    drawing_passes: int
    learning_passes: int
    passes: int

    @property
    def trained_share(self) -> float:
        """Of the steps."""
        return self.trained_steps / self.steps

    def hyperparameters(self) -> dict[str, float]:
        """All of it for loggers, under ``epoch/``."""
        return {
            f"epoch/{name}": value
            for name, value in {**asdict(self), "trained_share": self.trained_share}.items()
        }

    def lines(self) -> list[tuple[str, str]]:
        """What it is and how much, for people."""
        return [
            ("groups", f"{self.groups} of {self.group_size} images"),
            ("processes", f"{self.processes}, each with {self.images} images of {self.encoded:.3g} groups"),
            (
                "optimizer updates",
                f"{self.updates}, each from {self.images_per_update:.4g} images; the first is on-policy",
            ),
            (
                "trained steps",
                f"{self.trained_steps} of {self.steps} ({self.trained_share:.0%})",
            ),
            (
                "network passes per image",
                f"{self.drawing_passes} in drawing, {self.learning_passes} in learning",
            ),
            ("network passes", f"{self.passes:,}"),
        ]


def epoch_size(
    sampler: GroupSampler, sampling: Sampling, recipe: GRPORecipe, processes: int = 1, epoch: int = 0
) -> EpochSize:
    """Counts of an epoch in which some group can be told apart; without one nothing is learned from.

    Args:
        sampler: how groups are shared out.
        sampling: how images are drawn.
        recipe: how the policy is moved.
        processes: number of processes.
        epoch: which one; counts are the same in all but for ``encoded``.

    Raises:
        ValueError: if trained steps do not fit into the schedule.
    """
    shares = [sampler.images(epoch, rank, processes) for rank in range(processes)]
    images = len(shares[0])
    chunks = [len(chunk) for chunk in shares[0].split(recipe.micro_batch)]
    updates = min(recipe.updates, len(chunks))
    trained = len(sampling.choice.choose(sampling.steps, epoch, Generator().manual_seed(0)))
    guided = 1 if sampling.free_guidance == 1 else 2  # the base goes along wherever it is guided away from
    drawing = sampling.steps * guided
    learning = trained * guided * (2 if recipe.divergence_weight else 1)
    measured = 0 if recipe.divergence_weight else guided * chunks[0]
    return EpochSize(
        processes=processes,
        groups=sampler.group_count(processes),
        group_size=sampler.group_size,
        encoded=sum(len(share.unique()) for share in shares) / processes,
        images=images,
        updates=updates,
        images_per_update=images * processes / updates,
        steps=sampling.steps,
        trained_steps=trained,
        drawing_passes=drawing,
        learning_passes=learning,
        passes=processes * (images * (drawing + learning) + measured),
    )
