"""The Inception-v3 of FID (Heusel et al. 2017): TensorFlow's network of December 2015, in torchvision's modules.

It differs from torchvision's in what every published port keeps (``pytorch_fid/inception.py``): average pools do not
count their padding, the last block pools by maximum, and there are 1008 classes.
"""

import hashlib
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.inception import (
    BasicConv2d,
    Inception3,
    InceptionA,
    InceptionAux,
    InceptionB,
    InceptionC,
    InceptionD,
    InceptionE,
)

PUBLISHED = "6726825d"
"""First digits of the sha256 of ``pt_inception-2015-12-05-6726825d.pth``, the port that FID figures rest on."""
SIDE, CLASSES = 299, 1008


class _UnpaddedPool:
    """Mixed into a block: its pooling branch averages real pixels only."""

    def _forward(self, x: Tensor) -> list[Tensor]:
        pooled = functional.avg_pool2d(x, kernel_size=3, stride=1, padding=1, count_include_pad=False)
        return [*super()._forward(x)[:-1], self.branch_pool(pooled)]  # type: ignore[misc, attr-defined]


class _MaximumPool:
    """Mixed into the last block: its pooling branch takes the maximum."""

    def _forward(self, x: Tensor) -> list[Tensor]:
        pooled = functional.max_pool2d(x, kernel_size=3, stride=1, padding=1)
        return [*super()._forward(x)[:-1], self.branch_pool(pooled)]  # type: ignore[misc, attr-defined]


class _BlockA(_UnpaddedPool, InceptionA):
    pass


class _BlockC(_UnpaddedPool, InceptionC):
    pass


class _BlockE(_UnpaddedPool, InceptionE):
    pass


class _LastBlock(_MaximumPool, InceptionE):
    pass


def fid_inception() -> Inception3:
    """The network with random weights; its keys are those of the published file."""
    blocks = [BasicConv2d, _BlockA, InceptionB, _BlockC, InceptionD, _BlockE, InceptionAux]
    network = Inception3(CLASSES, aux_logits=False, inception_blocks=blocks, init_weights=False)
    network.Mixed_7c = _LastBlock(2048)
    return network


class InceptionNetwork(nn.Module):
    """Pooled features of the published weights.

    Args:
        weights: local state dict; nothing is downloaded.

    Raises:
        ValueError: if there is no such file, or it is for another network.
    """

    def __init__(self, weights: str) -> None:
        super().__init__()
        if not Path(weights).is_file():
            raise ValueError(
                f"weights: {weights} is no file; download pt_inception-2015-12-05-6726825d.pth (the releases of "
                "mseitzer/pytorch-fid) and give its path"
            )
        self.digest = hashlib.sha256(Path(weights).read_bytes()).hexdigest()[: len(PUBLISHED)]
        network = fid_inception()
        try:
            network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        except Exception as error:  # a damaged file raises whatever its reader stumbles over
            raise ValueError(
                f"weights: {weights} is not FID's Inception: {str(error).splitlines()[-1].strip()[:160]}"
            ) from error
        network.fc = nn.Identity()
        self.network = network
        self.eval().requires_grad_(False)

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 2048"]:
        """Features of images in [0, 1], resized to 299 x 299 without a low-pass filter, as FID's ports do."""
        size = (SIDE, SIDE)
        resized = functional.interpolate(images.float(), size=size, mode="bilinear", align_corners=False)
        return self.network(2 * resized - 1)
