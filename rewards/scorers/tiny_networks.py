"""The networks behind the tiny scorers: an image and a text side that meet, and a judge of quality."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from datamodules.text.minilm import WIDTH as TEXT_WIDTH
from rewards.analyzers.tiny_networks import Trunk, conv_block


class ImageSide(nn.Module):
    """Images in [0, 1] to unit vectors; means say what there is, maxima that there is one."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.trunk = Trunk(width)
        _, middle, coarse = self.trunk.widths
        # A coarse pooling keeps left and right, near and far apart.
        self.project = nn.Sequential(
            nn.Linear(2 * middle + 2 * coarse + 4 * coarse, 2 * dim), nn.SiLU(), nn.Linear(2 * dim, dim)
        )

    def forward(self, images: Float[Tensor, "b 3 128 128"]) -> Float[Tensor, "b d"]:
        """Unit-norm embeddings."""
        seen = self.trunk(images)
        pooled = [f(x) for x in (seen.middle, seen.coarse) for f in (_mean, _max)]
        pooled.append(functional.adaptive_avg_pool2d(seen.coarse, 2).flatten(1))
        return functional.normalize(self.project(torch.cat(pooled, dim=1)).float(), dim=-1)


class TextSide(nn.Module):
    """Frozen token states to unit vectors: one attention layer, then attention pooling."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.enter = nn.Linear(TEXT_WIDTH, width)
        self.mix = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.weigh = nn.Linear(width, 4)
        self.project = nn.Linear(4 * width, dim)

    def forward(self, tokens: Float[Tensor, "b s c"], valid: Bool[Tensor, "b s"]) -> Float[Tensor, "b d"]:
        """Unit-norm embeddings; padding has no influence."""
        x = self.mix(self.enter(tokens), src_key_padding_mask=~valid)
        weights = self.weigh(x).float().masked_fill(~valid[..., None], -math.inf).softmax(1)
        pooled = torch.einsum("bsq,bsc->bqc", weights.to(x.dtype), x).flatten(1)
        return functional.normalize(self.project(pooled).float(), dim=-1)


class ImageTextNetwork(nn.Module):
    """Two sides trained to meet where image and caption belong together."""

    def __init__(self, image_width: int = 48, text_width: int = 128, dim: int = 128) -> None:
        super().__init__()
        self.image = ImageSide(image_width, dim)
        self.text = TextSide(text_width, dim)
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0)))

    def scale(self) -> Float[Tensor, ""]:
        """Factor on the cosines before the softmax, at most 100 as in CLIP."""
        return self.log_scale.clamp(max=math.log(100.0)).exp()


class QualityOutput(NamedTuple):
    """A judgement and where it comes from.

    Attributes:
        logits: quality, higher is better.
        damage: how far each 8 x 8 pixel cell is from what it should be, in [0, 1].
    """

    logits: Float[Tensor, " b"]
    damage: Float[Tensor, "b 16 16"]


class QualityNetwork(nn.Module):
    """An image to one logit: from a map of local damage, and from what is typical and what stands out."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.trunk = Trunk(width)
        fine, middle, coarse = self.trunk.widths
        self.damage = nn.Sequential(conv_block(middle, middle), nn.Conv2d(middle, 1, 1))
        pooled = 2 * fine + 2 * coarse + 2
        self.judge = nn.Sequential(nn.BatchNorm1d(pooled), nn.Linear(pooled, 64), nn.SiLU(), nn.Linear(64, 1))

    def forward(self, images: Float[Tensor, "b 3 128 128"]) -> QualityOutput:
        """Judgements of images in [0, 1]."""
        seen = self.trunk(images)
        damage = self.damage(seen.middle).float().sigmoid()
        pooled = [_mean(seen.fine), _spread(seen.fine), _mean(seen.coarse), _max(seen.coarse)]
        pooled += [_mean(damage), _max(damage)]
        return QualityOutput(self.judge(torch.cat(pooled, dim=1)).float()[:, 0], damage[:, 0])


def _mean(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c"]:
    return x.float().mean((2, 3))


def _max(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c"]:
    return x.float().amax((2, 3))


def _spread(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c"]:
    return (x.float().var((2, 3)) + 1e-5).sqrt()
