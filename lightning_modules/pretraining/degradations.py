"""What goes wrong with images, with a severity: the bad examples of the quality scorers.

Every function takes RGB images in [0, 1] and a severity per image in [0, 1] (0 leaves the image as it is, 1 is as
bad as that fault gets), draws its details from torch's global generator, and returns images in [0, 1]. Mild and
non-geometric ones also serve as augmentation for the analyzers.
"""

import math
from collections.abc import Callable, Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

Images = Float[Tensor, "b 3 h w"]
Severity = Float[Tensor, " b"]
TOKEN = 16


def blur(images: Images, severity: Severity) -> Images:
    """Gaussian, up to a sigma of 2.5 px."""
    sigma = (2.5 * severity).clamp(min=1e-3)
    taps = torch.arange(-6, 7, device=images.device)
    kernel = torch.exp(-taps.square() / (2 * sigma[:, None].square()))
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, dim=0)
    b, c, h, w = images.shape
    flat = functional.pad(images, (6, 6, 6, 6), mode="reflect").reshape(1, b * c, h + 12, w + 12)
    flat = functional.conv2d(flat, kernel[:, None, None], groups=b * c)
    flat = functional.conv2d(flat, kernel[:, None, :, None], groups=b * c)
    return flat.view(b, c, h, w)


def low_resolution(images: Images, severity: Severity) -> Images:
    """Shrunk by up to 4 and enlarged again."""
    h, w = images.shape[-2:]
    out = []
    for image, s in zip(images, severity.tolist(), strict=True):
        size = (round(h / (1 + 3 * s)), round(w / (1 + 3 * s)))
        small = functional.interpolate(image[None], size=size, mode="bilinear", antialias=True)
        out.append(functional.interpolate(small, size=(h, w), mode="bilinear"))
    return torch.cat(out)


def noise(images: Images, severity: Severity) -> Images:
    """White noise of a standard deviation of up to 0.2, half of it grey."""
    b, _, h, w = images.shape
    grain = torch.randn_like(images) + torch.randn(b, 1, h, w, device=images.device)
    return (images + 0.14 * _column(severity) * grain).clamp(0, 1)


def stripes(images: Images, severity: Severity) -> Images:
    """Waves on the 8- or 16-pixel token grid, in a random colour: how a hacked reward looks."""
    b, _, h, w = images.shape
    period = torch.where(torch.rand(b, device=images.device) < 0.5, 8.0, 16.0)
    horizontal = torch.rand(b, device=images.device) < 0.5
    phase = torch.rand(b, device=images.device) * 2 * math.pi
    y, x = torch.meshgrid(_axis(h, images), _axis(w, images), indexing="ij")
    place = torch.where(horizontal[:, None, None], y, x)
    wave = torch.sin(2 * math.pi * place / period[:, None, None] + phase[:, None, None])
    sharp = torch.rand(b, 1, 1, device=images.device) < 0.5
    wave = torch.where(sharp, (4 * wave).tanh(), wave)
    colour = torch.randn(b, 3, 1, 1, device=images.device)
    colour = colour / colour.norm(dim=1, keepdim=True)
    return (images + 0.3 * _column(severity) * colour * wave[:, None]).clamp(0, 1)


def token_tint(images: Images, severity: Severity) -> Images:
    """Every token its own brightness and tint."""
    b, _, h, w = images.shape
    tint = torch.randn(b, 3, math.ceil(h / TOKEN), math.ceil(w / TOKEN), device=images.device)
    tint = tint.repeat_interleave(TOKEN, 2).repeat_interleave(TOKEN, 3)[..., :h, :w]
    return (images + 0.15 * _column(severity) * tint).clamp(0, 1)


def seams(images: Images, severity: Severity) -> Images:
    """Lines where cells of 4, 8 or 16 pixels meet, each with its own strength: what a policy draws to look sharp."""
    b, _, h, w = images.shape
    share = torch.zeros(b, 1, h, w, device=images.device)
    for i in range(b):
        period, width = (int(values[torch.randint(len(values), ())]) for values in ((4, 8, 16), (1, 1, 2)))
        for size, lines in ((h, share[i, 0]), (w, share[i, 0].T)):
            on = (torch.arange(size, device=images.device) % period < width) * torch.rand(size).to(images)
            lines += on[:, None] * (0.3 + 0.7 * torch.rand(()).to(images))
    colour = torch.randn(b, 3, 1, 1, device=images.device) * 0.3 + torch.randn(
        b, 1, 1, 1, device=images.device
    )
    return (images + 0.15 * _column(severity) * share * colour).clamp(0, 1)


def tiles(images: Images, severity: Severity) -> Images:
    """One texture of 8 or 16 pixels over and over, stronger here and weaker there."""
    h, w = images.shape[-2:]
    out = images.clone()
    for i, s in enumerate(severity.tolist()):
        period = 8 if torch.rand(()) < 0.5 else 16
        tile = torch.randn(1, 1, period, period) + 0.3 * torch.randn(1, 3, period, period)
        soft = functional.avg_pool2d(functional.pad(tile, (1, 1, 1, 1), mode="circular"), 3, stride=1)
        texture = (soft if torch.rand(()) < 0.5 else tile).repeat(1, 1, -(-h // period), -(-w // period))
        where = functional.interpolate(torch.rand(1, 1, 4, 4), size=(h, w), mode="bicubic").clamp(0, 1)
        out[i] += (0.12 * s / texture.std() * texture[..., :h, :w] * where)[0].to(images)
    return out.clamp(0, 1)


def colour_shift(images: Images, severity: Severity) -> Images:
    """Gain, offset per channel, and saturation."""
    b = len(images)
    s = _column(severity)
    grey = images.mean(1, keepdim=True)
    saturation = torch.exp(s * torch.randn(b, 1, 1, 1, device=images.device))
    gain = torch.exp(0.3 * s * torch.randn(b, 3, 1, 1, device=images.device))
    offset = 0.15 * s * torch.randn(b, 3, 1, 1, device=images.device)
    return ((grey + (images - grey) * saturation) * gain + offset).clamp(0, 1)


def oversharpen(images: Images, severity: Severity) -> Images:
    """Edges overshoot and contrast burns out."""
    edges = images - blur(images, torch.full_like(severity, 0.5))
    contrast = 1 + 0.6 * _column(severity)
    return ((images + 3 * _column(severity) * edges - 0.5) * contrast + 0.5).clamp(0, 1)


def block_cosine(images: Images, severity: Severity) -> Images:
    """Eight-pixel cosine blocks that lose their high frequencies and are coarsely quantised, as JPEG's."""
    basis = cosine_basis(8).to(images)
    b, c, h, w = images.shape
    blocks = images.unfold(2, 8, 8).unfold(3, 8, 8)
    coefficients = basis @ blocks @ basis.T
    order = torch.arange(8, device=images.device)
    frequency = (order[:, None] + order) / 14
    step = severity.view(b, 1, 1, 1, 1, 1) * (0.2 + 3 * frequency) + 1e-4
    coefficients = (coefficients / step).round() * step
    blocks = basis.T @ coefficients @ basis
    return blocks.permute(0, 1, 2, 4, 3, 5).reshape(b, c, h, w).clamp(0, 1)


def warp(images: Images, severity: Severity) -> Images:
    """A smooth random displacement of up to about 6 px: melting bodies."""
    b, _, h, w = images.shape
    waves = torch.randn(b, 2, 8, 8, device=images.device)
    field = functional.interpolate(waves, size=(h, w), mode="bicubic").permute(0, 2, 3, 1)
    return _sample(images, field * (_column(severity) * 2.5))


def smear(images: Images, severity: Severity) -> Images:
    """A few places are stirred and washed out: faces and hands that never formed."""
    b, _, h, w = images.shape
    where = _spots(b, h, w, images, count=5, radius=9.0)
    stirred = blur(warp(images, torch.ones_like(severity)), torch.full_like(severity, 0.8))
    share = (where * _column(0.3 + severity)).clamp(0, 1) * (_column(severity) > 0)
    return images + share * (stirred - images)


def blobs(images: Images, severity: Severity) -> Images:
    """Soft spots of colours taken from elsewhere in the image."""
    b, _, h, w = images.shape
    shift = (int(torch.randint(h // 4, h // 2, ())), int(torch.randint(w // 4, w // 2, ())))
    foreign = blur(images.roll(shift, dims=(2, 3)), torch.ones_like(severity))
    share = _spots(b, h, w, images, count=6, radius=7.0) * _column(severity)
    return images + share * (foreign - images)


def token_shuffle(images: Images, severity: Severity) -> Images:
    """A share of the tokens trades places."""
    b, c, h, w = images.shape
    tokens = images.unfold(2, TOKEN, TOKEN).unfold(3, TOKEN, TOKEN).flatten(2, 3).clone()
    count = tokens.shape[2]
    for i, s in enumerate(severity.tolist()):
        chosen = torch.randperm(count, device=images.device)[: round(s * count / 2)]
        tokens[i][:, chosen] = tokens[i][:, chosen.roll(1)]
    grid = tokens.view(b, c, h // TOKEN, w // TOKEN, TOKEN, TOKEN)
    return grid.permute(0, 1, 2, 4, 3, 5).reshape(b, c, h, w)


def ghost(images: Images, severity: Severity, masks: Bool[Tensor, "b h w"]) -> Images:
    """People shown a second time, shifted and half transparent: doubled limbs."""
    dy, dx = (
        int(torch.randint(-6, 7, ())),
        int(torch.randint(5, 13, ())) * (1 if torch.rand(()) < 0.5 else -1),
    )
    h, w = images.shape[-2:]
    # Only part of the body doubles.
    share = masks.float()[:, None] * (_spots(len(images), h, w, images, count=5, radius=16.0) > 0.3)
    share = share.roll((dy, dx), dims=(2, 3)) * (_column(severity) * 0.95)
    return images + share * (images.roll((dy, dx), dims=(2, 3)) - images)


def dissolve(images: Images, severity: Severity, masks: Bool[Tensor, "b h w"]) -> Images:
    """People run into their surroundings while the place stays sharp."""
    soft = blur(low_resolution(warp(images, severity), severity), torch.ones_like(severity))
    share = blur(masks.float()[:, None].expand(-1, 3, -1, -1), torch.full_like(severity, 0.6))
    return images + share * _column(severity.sqrt()) * (soft - images)


PLAIN: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    f.__name__: f
    for f in (
        blur, low_resolution, noise, stripes, token_tint, seams, tiles, colour_shift,
        oversharpen, block_cosine, warp, smear, blobs, token_shuffle,
    )
}  # fmt: skip
MASKED: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {f.__name__: f for f in (ghost, dissolve)}
# Faults that leave people where and who they are.
HARMLESS = ("blur", "low_resolution", "noise", "colour_shift", "oversharpen", "block_cosine", "stripes")


def degrade(name: str, images: Images, severity: Severity, masks: Bool[Tensor, "b h w"]) -> Images:
    """Apply the fault called ``name``; an image of severity 0 stays as it is."""
    if name not in PLAIN and name not in MASKED:
        raise ValueError(f"degradation: {name!r} is unknown; choose from {[*PLAIN, *MASKED]}")
    # The faults are the same in whatever precision the network is trained.
    with torch.autocast(images.device.type, enabled=False):
        worse = PLAIN[name](images, severity) if name in PLAIN else MASKED[name](images, severity, masks)
    return torch.where(_column(severity) > 0, worse, images)


def augment(images: Images, share: float = 0.6, strongest: float = 0.5) -> Images:
    """A ``share`` of the images gets one or two of the harmless faults, up to severity ``strongest``."""
    out = images.clone()
    for _ in range(2):
        kind = torch.randint(len(HARMLESS), (len(images),))
        kind[torch.rand(len(images)) > share] = -1
        for k, name in enumerate(HARMLESS):
            chosen = (kind == k).nonzero()[:, 0]
            if len(chosen):
                severity = torch.rand(len(chosen), device=images.device).square() * strongest
                with torch.autocast(images.device.type, enabled=False):
                    out[chosen] = PLAIN[name](out[chosen], severity)
        share = share / 2
    return out


def cosine_basis(size: int) -> Float[Tensor, "size size"]:
    """The orthonormal DCT-II matrix; row k is frequency k."""
    order = torch.arange(size, dtype=torch.float64)
    basis = torch.cos(math.pi / size * (order + 0.5) * order[:, None]) * math.sqrt(2 / size)
    basis[0] /= math.sqrt(2)
    return basis


def _column(values: Float[Tensor, " b"]) -> Float[Tensor, "b 1 1 1"]:
    return values[:, None, None, None]


def _axis(size: int, like: Tensor) -> Float[Tensor, " size"]:
    return torch.arange(size, device=like.device, dtype=torch.float32)


def _spots(b: int, h: int, w: int, like: Tensor, *, count: int, radius: float) -> Float[Tensor, "b 1 h w"]:
    """Soft round spots in [0, 1] at random places, mostly where people are (the middle of the image)."""
    centre = torch.rand(b, count, 2, 1, 1, device=like.device) * 0.7 + 0.15
    size = radius * (0.6 + 0.8 * torch.rand(b, count, 1, 1, device=like.device))
    y, x = _axis(h, like)[:, None], _axis(w, like)
    squared = (x - centre[:, :, 0] * w).square() + (y - centre[:, :, 1] * h).square()
    return torch.exp(-squared / (2 * size.square())).amax(1)[:, None]


def _sample(images: Images, displacement: Float[Tensor, "b h w 2"]) -> Images:
    """Images read at displaced places (in pixels)."""
    h, w = images.shape[-2:]
    y, x = torch.meshgrid(_axis(h, images) + 0.5, _axis(w, images) + 0.5, indexing="ij")
    grid = (torch.stack([x, y], -1) + displacement) / torch.tensor([w, h], device=images.device) * 2 - 1
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
