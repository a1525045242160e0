"""Face crops aligned by their five landmarks: the least-squares similarity of Umeyama, in closed form.

Points are written as complex numbers, so that a similarity (rotation, scale, shift; no reflection) is
``z -> a z + b`` and its least-squares fit is one division. Landmarks are in image order (left eye first).
"""

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor, nn

# Where the landmarks of a frontal face lie in an aligned crop, in [0, 1]: eyes, nose, mouth corners. The crop
# reaches beyond the face box, because hair and hats tell people apart.
TEMPLATE = ((0.390, 0.470), (0.610, 0.470), (0.500, 0.582), (0.413, 0.670), (0.587, 0.670))


def fit_similarity(
    source: Float[Tensor, "p m 2"], target: Float[Tensor, "p m 2"]
) -> tuple[Complex[Tensor, " p"], Complex[Tensor, " p"]]:
    """Least-squares ``(a, b)`` with ``a * source + b ~ target`` (Umeyama 1991, reflections excluded).

    A source whose points all coincide gives ``a = 0`` and ``b`` the target's centroid.
    """
    z, w = torch.view_as_complex(source.contiguous()), torch.view_as_complex(target.contiguous())
    z_mean, w_mean = z.mean(1, keepdim=True), w.mean(1, keepdim=True)
    z_centred, w_centred = z - z_mean, w - w_mean
    power = z_centred.abs().square().sum(1).clamp(min=1e-12)
    a = (z_centred.conj() * w_centred).sum(1) / power
    return a, w_mean[:, 0] - a * z_mean[:, 0]


def align_faces(
    images: Float[Tensor, "b c h w"],
    image_index: Int[Tensor, " p"],
    landmarks: Float[Tensor, "p 5 2"],
    size: int,
) -> Float[Tensor, "p c size size"]:
    """Crops in which the landmarks lie on ``TEMPLATE``; what is outside the image repeats its border.

    Args:
        images: any value range.
        image_index: which image each face is in.
        landmarks: (x, y) in [0, 1] of that image; images may be wider than high.
        size: side of the crops in pixels.
    """
    h, w = images.shape[-2:]
    extent = landmarks.new_tensor([w, h])
    template = landmarks.new_tensor(TEMPLATE).expand(len(landmarks), -1, -1)
    a, b = fit_similarity(template, landmarks.float() * extent)
    axis = (torch.arange(size, device=landmarks.device, dtype=torch.float32) + 0.5) / size
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    pixels = torch.view_as_real(a[:, None, None] * torch.complex(x, y) + b[:, None, None])
    grid = (pixels / extent * 2 - 1).to(images.dtype)
    return nn.functional.grid_sample(images[image_index], grid, padding_mode="border", align_corners=False)
