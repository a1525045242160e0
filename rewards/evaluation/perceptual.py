"""How different two images look, place by place: LPIPS from local weights, and a tiny stand-in under its own name.

LPIPS (Zhang et al. 2018) compares unit-normalised features of several layers of a network, channel by channel with
learned weights. Its figures belong to its networks: anything else is called differently here.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from torchmetrics.functional.image.lpips import _LPIPS

from rewards.analyzers.tiny import TinyAnalyzer

_SMALLEST = 64
_TORCHVISION = {"alex": "alexnet", "vgg": "vgg16"}


class PerceptualDistance(ABC):
    """A map of differences.

    Attributes:
        name: of the figure.
    """

    name: str

    @abstractmethod
    def map(self, pred: Float[Tensor, "b 3 h w"], gt: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b h w"]:
        """How different each place looks, 0 where nothing differs; images are RGB in [0, 1]."""


class LPIPS(PerceptualDistance):
    """The published distance; its mean over all pixels is LPIPS up to how layers are brought to one size.

    The linear weights (v0.1) come with torchmetrics, the backbone from a local file of torchvision's. Not verified, for
    want of that file: the published figures; loading and formula are checked with random weights.

    Args:
        backbone: state dict of torchvision's ``alexnet`` or ``vgg16`` with ImageNet weights; nothing is downloaded.
        network: which of them; the LPIPS authors recommend ``alex`` for figures.
        device: where it runs.

    Raises:
        ValueError: if the file is missing or holds another network.
    """

    def __init__(self, backbone: str, network: Literal["alex", "vgg"] = "alex", device: str = "cpu") -> None:
        if network not in _TORCHVISION:
            raise ValueError(f"network: {network!r}; choose alex or vgg")
        if not Path(backbone).is_file():
            raise ValueError(
                f"backbone: {backbone} is no file; give torchvision's {_TORCHVISION[network]} weights (.pth)"
            )
        self.name, self.device = f"lpips_{network}", device
        self._network = _LPIPS(pretrained=True, net=network, spatial=True, pnet_rand=True)
        held = torch.load(backbone, map_location="cpu", weights_only=True)
        own = self._network.net.state_dict()
        # torchvision counts the layers of "features" through; torchmetrics keeps the count within slices.
        found = {name: held.get("features." + name.split(".", 1)[1]) for name in own}
        wrong = [n for n, value in found.items() if value is None or value.shape != own[n].shape]
        if wrong:
            raise ValueError(
                f"backbone: {backbone} is not torchvision's {_TORCHVISION[network]}: {wrong[0]} differs"
            )
        self._network.net.load_state_dict(found)
        self._network.to(device)

    @torch.no_grad()
    def map(self, pred: Float[Tensor, "b 3 h w"], gt: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b h w"]:
        """Sum of the layers' weighted differences, each brought to the image's size.

        Raises:
            ValueError: if the images are too small for the network.
        """
        if min(pred.shape[-2:]) < _SMALLEST:
            raise ValueError(
                f"pred: {tuple(pred.shape[-2:])} pixels; LPIPS needs at least {_SMALLEST} a side"
            )
        found = self._network(pred.to(self.device), gt.to(self.device), normalize=True)
        return found[:, 0].cpu()


class TinyPerceptual(PerceptualDistance):
    """LPIPS's recipe on the tiny analyzer's trunk, all channels alike: for renders of the tiny world only."""

    name = "perceptual_tiny"

    def __init__(self) -> None:
        self._analyzer = TinyAnalyzer()

    @torch.no_grad()
    def map(self, pred: Float[Tensor, "b 3 h w"], gt: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b h w"]:
        """Sum over three layers of squared differences of unit vectors."""
        trunk = self._analyzer.detector.to(pred.device).trunk
        total = pred.new_zeros(len(pred), 1, *pred.shape[-2:], dtype=torch.float32)
        for a, b in zip(trunk(pred.float()), trunk(gt.float()), strict=True):
            difference = functional.normalize(a.float(), dim=1) - functional.normalize(b.float(), dim=1)
            layer = difference.square().sum(dim=1, keepdim=True)
            total += functional.interpolate(layer, size=pred.shape[-2:], mode="bilinear", align_corners=False)
        return total[:, 0]
