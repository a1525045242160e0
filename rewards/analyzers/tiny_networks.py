"""The networks behind ``TinyAnalyzer``: a trunk, a face and mask detector, a body-keypoint head, a face embedder.

All work on 128 x 128 images. Grids are named by their stride: 4 (32 x 32 cells), 8 and 16. Images enter in [0, 1].
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

IMAGE_SIZE = 128
STRIDE = 4
GRID = IMAGE_SIZE // STRIDE
KEYPOINTS = 17
FACE_SIZE = 40
EMBEDDING_DIM = 128
# Regression targets are divided by these lengths (in units of the image side), so that they are of order one.
BOX_UNIT = 0.125
BODY_UNIT = 0.25


class Features(NamedTuple):
    """What the trunk saw, at three strides."""

    fine: Float[Tensor, "b c 32 32"]
    middle: Float[Tensor, "b d 16 16"]
    coarse: Float[Tensor, "b e 8 8"]


class DetectorOutput(NamedTuple):
    """Dense maps; face fields are meaningful at face centres only.

    Attributes:
        heatmap: logits that a face is centred in the cell.
        box: distances cell centre to left, top, right, bottom side, in ``BOX_UNIT``.
        landmarks: five (x, y) offsets from the cell centre, in ``BOX_UNIT``.
        mask: logits that a pixel shows a person.
        features: what the keypoint head reads.
    """

    heatmap: Float[Tensor, "b 32 32"]
    box: Float[Tensor, "b 4 32 32"]
    landmarks: Float[Tensor, "b 10 32 32"]
    mask: Float[Tensor, "b 128 128"]
    features: Float[Tensor, "b c 32 32"]


class KeypointOutput(NamedTuple):
    """Body keypoints after each refinement round, the first being the plain regression.

    Attributes:
        positions: (x, y) in [0, 1] of the image.
        visibility: logits of v = 0 (absent), 1 (occluded), 2 (visible).
    """

    positions: tuple[Float[Tensor, "p 17 2"], ...]
    visibility: Float[Tensor, "p 17 3"]


def conv_block(c_in: int, c_out: int, stride: int = 1) -> nn.Sequential:
    """3 x 3 convolution, batch norm, SiLU."""
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out), nn.SiLU(inplace=True)
    )


class ResidualBlock(nn.Module):
    """Two convolutions around a skip."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.first = conv_block(c, c)
        self.second = nn.Sequential(nn.Conv2d(c, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Same shape as ``x``."""
        return functional.silu(x + self.second(self.first(x)))


class Trunk(nn.Module):
    """Encoder over strides 4, 8, 16: pixel-unshuffled input keeps every pixel at the cost of a 32 x 32 image."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.widths = (width, width * 3 // 2, width * 2)
        fine, middle, coarse = self.widths
        self.fine = nn.Sequential(
            nn.PixelUnshuffle(STRIDE), conv_block(3 * STRIDE**2, fine), ResidualBlock(fine)
        )
        self.middle = nn.Sequential(conv_block(fine, middle, 2), ResidualBlock(middle), ResidualBlock(middle))
        self.coarse = nn.Sequential(
            conv_block(middle, coarse, 2), ResidualBlock(coarse), ResidualBlock(coarse)
        )

    def forward(self, images: Float[Tensor, "b 3 128 128"]) -> Features:
        """Features of images in [0, 1]."""
        fine = self.fine((images * 2 - 1).contiguous(memory_format=torch.channels_last))
        middle = self.middle(fine)
        return Features(fine, middle, self.coarse(middle))


class KeypointHead(nn.Module):
    """A body per face: regressed from the face centre, then refined by looking at each joint's surroundings.

    In each round every joint is a token made of the features around its present position; the 17 tokens of a
    person exchange what they saw (a wrist follows its elbow) and each moves its joint.
    """

    def __init__(self, channels: int, width: int = 96, rounds: int = 2) -> None:
        super().__init__()
        self.centre = nn.Sequential(nn.Linear(channels, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
        self.initial = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * KEYPOINTS))
        self.joint = nn.Parameter(torch.randn(KEYPOINTS, width) * 0.02)
        # The joint itself and its four neighbours one cell away.
        self.register_buffer(
            "around", torch.tensor([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]]) / GRID, persistent=False
        )
        self.look = nn.ModuleList(nn.Linear(5 * channels + 2, width) for _ in range(rounds))
        self.exchange = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, 4, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(rounds)
        )
        self.move = nn.ModuleList(nn.Linear(width, 2) for _ in range(rounds))
        self.visibility = nn.Linear(width, 3)

    def forward(
        self,
        features: Float[Tensor, "b c 32 32"],
        image_index: Int[Tensor, " p"],
        centres: Float[Tensor, "p 2"],
    ) -> KeypointOutput:
        """The bodies of the faces centred at ``centres`` ((x, y) in [0, 1]); ``image_index`` must be sorted."""
        person = self.centre(sample_points(features, image_index, centres[:, None])[:, 0])
        offset = self.initial(person).float().view(-1, KEYPOINTS, 2) * BODY_UNIT
        positions = [centres[:, None] + offset]
        tokens = person[:, None] + self.joint
        for look, exchange, move in zip(self.look, self.exchange, self.move, strict=True):
            at = positions[-1].detach()
            seen = sample_points(features, image_index, (at[:, :, None] + self.around).flatten(1, 2))
            relative = (at - centres[:, None]) / BODY_UNIT
            seen = torch.cat([seen.unflatten(1, (KEYPOINTS, -1)).flatten(2), relative.to(seen.dtype)], dim=-1)
            # For 17 tokens the plain product is several times faster than the fused kernel on CPU.
            with sdpa_kernel(SDPBackend.MATH):
                tokens = exchange(tokens + look(seen))
            positions.append(at + move(tokens).float() * (BODY_UNIT / 4))
        return KeypointOutput(tuple(positions), self.visibility(tokens).float())


class FaceDetector(nn.Module):
    """Faces as centre points (CenterNet), a person mask, and the keypoint head's bodies."""

    def __init__(self, width: int = 64, neck: int = 80, body: int = 96, rounds: int = 2) -> None:
        super().__init__()
        self.trunk = Trunk(width)
        fine, middle, coarse = self.trunk.widths
        self.coarse_up = nn.Conv2d(coarse, middle, 1)
        self.middle_join = ResidualBlock(middle)
        self.middle_up = nn.Conv2d(middle, neck, 1)
        self.fine_in = nn.Conv2d(fine, neck, 1)
        self.fine_join = ResidualBlock(neck)
        self.face = nn.Sequential(conv_block(neck, neck), nn.Conv2d(neck, 1 + 4 + 10, 1))
        self.mask = nn.Sequential(conv_block(neck, neck // 2), nn.Conv2d(neck // 2, STRIDE**2, 1))
        self.keypoints = KeypointHead(neck, body, rounds)
        # Few cells are face centres: start from that prior, so that the first steps are not spent on learning it.
        nn.init.constant_(self.face[1].bias[:1], -4.0)  # type: ignore[index, arg-type]

    def forward(self, images: Float[Tensor, "b 3 128 128"]) -> DetectorOutput:
        """All dense maps of images in [0, 1]."""
        seen = self.trunk(images)
        middle = self.middle_join(seen.middle + _double(self.coarse_up(seen.coarse)))
        neck = self.fine_join(self.fine_in(seen.fine) + _double(self.middle_up(middle)))
        face = self.face(neck).float()
        mask = functional.pixel_shuffle(self.mask(neck).float(), STRIDE)[:, 0]
        return DetectorOutput(face[:, 0], face[:, 1:5], face[:, 5:], mask, neck)


class FaceEmbedder(nn.Module):
    """Aligned 40 x 40 face crops in [0, 1] to unit vectors."""

    def __init__(self, width: int = 64, dim: int = EMBEDDING_DIM) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            conv_block(12, width),
            ResidualBlock(width),
            conv_block(width, width * 3 // 2, 2),
            ResidualBlock(width * 3 // 2),
            conv_block(width * 3 // 2, width * 3 // 2, 2),
        )
        self.project = nn.Linear(width * 3 // 2 * 25, dim)

    def forward(self, crops: Float[Tensor, "p 3 40 40"]) -> Float[Tensor, "p d"]:
        """Unit-norm embeddings."""
        seen = self.body((crops * 2 - 1).contiguous(memory_format=torch.channels_last))
        return functional.normalize(self.project(seen.flatten(1)).float(), dim=-1)


def sample_points(
    features: Float[Tensor, "b c h w"], image_index: Int[Tensor, " p"], points: Float[Tensor, "p m 2"]
) -> Float[Tensor, "p m c"]:
    """Features at points (x, y) in [0, 1] of the image, bilinear, zero outside; ``image_index`` must be sorted."""
    counts = torch.bincount(image_index, minlength=len(features))
    first = counts.cumsum(0) - counts
    slot = torch.arange(len(image_index), device=image_index.device) - first[image_index]
    # grid_sample wants as many points in every image: persons are padded to the fullest one.
    grid = points.new_zeros(len(features), int(counts.max()) if len(counts) else 0, *points.shape[1:])
    grid[image_index, slot] = points * 2 - 1
    # In full precision: bfloat16 positions would be off by a quarter of a pixel.
    sampled = functional.grid_sample(features.float(), grid.float(), align_corners=False)
    return sampled.permute(0, 2, 3, 1)[image_index, slot]


def _double(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c 2*h 2*w"]:
    return functional.interpolate(x, scale_factor=2, mode="nearest")
