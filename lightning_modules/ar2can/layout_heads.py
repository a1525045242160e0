"""Boxes out of hidden states and back into embeddings: f_value and f_embed (Ar2Can, section 3.3.1), and their loss.

The heads' boxes are (centre x, centre y, width, height) in [0, 1].
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.ops import box_convert

from rewards.functional.boxes import giou

BINS = 1024
LAYERS = 4


class ValueHead(nn.Sequential):
    """f_value: a four-layer MLP from the hidden state that predicts ``<C>`` to its box.

    Args:
        width: channels of hidden states, and of the hidden layers.
    """

    def __init__(self, width: int) -> None:
        layers: list[nn.Module] = []
        for _ in range(LAYERS - 1):
            layers += [nn.Linear(width, width), nn.GELU()]
        super().__init__(*layers, nn.Linear(width, 4), nn.Sigmoid())


class CoordinateEmbedding(nn.Module):
    """f_embed: each coordinate as a whole number of 1/1024, looked up in its own table; the four vectors are added.

    Tables start as waves of falling length, so that neighbouring numbers begin alike; they are then trained freely.

    Args:
        width: channels of the vectors.
        scale: of the initial values.
    """

    def __init__(self, width: int, scale: float = 0.02) -> None:
        super().__init__()
        self.tables = nn.Parameter(scale * _waves(width))

    def forward(self, boxes: Float[Tensor, "*b 4"]) -> Float[Tensor, "*b d"]:
        """The vectors of boxes (cx, cy, w, h) in [0, 1]; what leaves the range takes its nearest end."""
        numbers = (boxes.float() * BINS).round().long().clamp(0, BINS)
        return torch.stack([self.tables[k, numbers[..., k]] for k in range(4)]).sum(dim=0)


def coordinate_loss(pred: Float[Tensor, "n 4"], true: Float[Tensor, "n 4"]) -> tuple[Tensor, Tensor]:
    """Ar2Can Eq. (1): the means over boxes of 1 - gIoU, and of the L1 distance of (cx, cy, w, h), summed over the four.

    Computed in float32, also where autocast is on.

    Returns:
        Both terms; zero where there is no box.
    """
    if not len(pred):
        return pred.float().sum(), pred.float().sum()
    with torch.autocast(pred.device.type, enabled=False):
        found, meant = pred.float(), true.float()
        overlap = giou(box_convert(found, "cxcywh", "xyxy"), box_convert(meant, "cxcywh", "xyxy"))
        return (1 - overlap).mean(), (found - meant).abs().sum(dim=-1).mean()


def _waves(width: int) -> Float[Tensor, "4 k d"]:
    """Cosines for each coordinate: per channel a random phase, and 1/4 to 64 waves over the range."""
    generator = torch.Generator().manual_seed(0)
    frequencies = 2 ** (-2 + 8 * torch.rand(4, 1, width, generator=generator, device="cpu"))
    phases = torch.rand(4, 1, width, generator=generator, device="cpu")
    places = torch.linspace(0, 1, BINS + 1, device="cpu")[None, :, None]
    return torch.cos(2 * torch.pi * (frequencies * places + phases))
