"""Images as encoded files: thumbnails for the page, contact sheets for MLflow."""

import io
from collections.abc import Sequence

from jaxtyping import Float
from PIL import Image, ImageDraw
from torch import Tensor

from benchmarks.report import Sample

MAX_SIDE = 256
_BAR = 14


def to_pil(image: Float[Tensor, "3 h w"]) -> Image.Image:
    """RGB in [0, 1] to an 8-bit image; values outside are clipped."""
    pixels = image.detach().float().clamp(0, 1).mul(255).round().byte()
    return Image.fromarray(pixels.permute(1, 2, 0).cpu().numpy())


def encode(image: Float[Tensor, "3 h w"] | Image.Image, max_side: int = MAX_SIDE) -> bytes:
    """A thumbnail as file content: PNG up to ``max_side`` pixels, a shrunk JPEG above."""
    picture = image if isinstance(image, Image.Image) else to_pil(image)
    large = max(picture.size) > max_side
    if large:
        picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG" if large else "PNG", **({"quality": 90} if large else {"optimize": True}))
    return buffer.getvalue()


def media_type(content: bytes) -> str:
    """``image/png`` or ``image/jpeg``, by the first bytes."""
    return "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"


def contact_sheet(samples: Sequence[Sample], columns: int = 4, cell: int = 192) -> bytes | None:
    """All samples on one PNG, a coloured bar under each: green good, red not, grey undecided; None without any."""
    if not samples:
        return None
    columns = min(columns, len(samples))
    rows = -(-len(samples) // columns)
    sheet = Image.new("RGB", (columns * cell, rows * (cell + _BAR)), (24, 24, 27))
    drawing = ImageDraw.Draw(sheet)
    for index, sample in enumerate(samples):
        x, y = index % columns * cell, index // columns * (cell + _BAR)
        with Image.open(io.BytesIO(sample.image)) as opened:
            picture = opened.convert("RGB")
        scale = cell / max(picture.size)
        width, height = (max(1, round(side * scale)) for side in picture.size)
        sheet.paste(picture.resize((width, height)), (x + (cell - width) // 2, y + (cell - height) // 2))
        drawing.rectangle([x, y + cell, x + cell - 1, y + cell + _BAR - 1], fill=_verdict(sample))
        drawing.text(
            (x + 3, y + cell + 1), "  ".join(badge.text for badge in sample.badges)[:40], fill="white"
        )
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _verdict(sample: Sample) -> tuple[int, int, int]:
    verdicts = [badge.good for badge in sample.badges if badge.good is not None]
    if not verdicts:
        return (82, 82, 91)
    return (21, 128, 61) if all(verdicts) else (185, 28, 28)
