"""What a network offers so that ``PoseInverterModule`` can train it to read layout images."""

from abc import ABC, abstractmethod
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from datamodules.schema.human_in_place import HumanInPlace
from lightning_modules.skeleguide.pose_text import Poses
from rewards.weights import WeightsCard, save_weights


class TrainableInverter(nn.Module, ABC):
    """A network from layout images to poses.

    Attributes:
        architecture: constructor arguments, for the card of the weights.
    """

    architecture: dict[str, int]

    @abstractmethod
    def losses(self, images: Float[Tensor, "b 3 h w"], batch: HumanInPlace) -> dict[str, Float[Tensor, ""]]:
        """Named parts of the loss; their sum is minimised.

        Args:
            images: the batch's layout images, perhaps degraded.
            batch: the truth.
        """

    @abstractmethod
    def read(self, images: Float[Tensor, "b 3 h w"]) -> list[Poses]:
        """The people of each image."""

    def configure(self) -> None:
        """Build what is too large to be built when the configuration is read."""
        return

    def save(self, folder: Path, card: WeightsCard) -> None:
        """Write what was trained, and how."""
        save_weights(self, card, folder)
