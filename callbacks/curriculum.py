"""Says and logs how many people the prompts of an epoch ask for (Ar2Can Eq. (6))."""

import logging

import lightning as L

from datamodules.groups import CountCurriculum

logger = logging.getLogger(__name__)


class CurriculumLog(L.Callback):
    """The data module draws by its curriculum; this makes the switch visible in the log and in every logger."""

    def __init__(self) -> None:
        self._before: tuple[int, ...] = ()

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the epoch's counts.

        Raises:
            ValueError: if the data module has no curriculum.
        """
        curriculum = getattr(trainer.datamodule, "curriculum", None)  # type: ignore[attr-defined]
        if not isinstance(curriculum, CountCurriculum):
            raise ValueError(
                "CurriculumLog: the data module has no curriculum of its own; leave the callback out"
            )
        counts = curriculum.counts(trainer.current_epoch)
        if counts != self._before:
            logger.info("epoch %d: prompts ask for %s people", trainer.current_epoch, counts)
            self._before = counts
        pl_module.log("curriculum/most_people", float(max(counts)))
        pl_module.log("curriculum/fewest_people", float(min(counts)))
