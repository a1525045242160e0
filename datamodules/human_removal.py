"""Takes people out of photographs: how a scene without them comes about (SkeleGuide, section 4.1).

The paper uses a human-removal model. Put yours behind :class:`HumanRemoval` and name it by ``class_path``; the one here
is a stand-in.
"""

from abc import ABC, abstractmethod
from typing import Literal

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor


class HumanRemoval(ABC):
    """Paints over people."""

    @abstractmethod
    def remove(
        self, images: Float[Tensor, "b 3 h w"], people: Bool[Tensor, "b h w"]
    ) -> Float[Tensor, "b 3 h w"]:
        """The images, RGB in [0, 1], with what lies behind the people in their place."""


class OpenCVInpainting(HumanRemoval):
    """Colours run in from the rim (``cv2.inpaint``): for tests, and to see that a folder is complete.

    It knows no scenes: behind anybody larger than a few dozen pixels it leaves a smear, from which a model would learn
    to find where people were. Do not train on it.

    Args:
        radius: of the neighbourhood that a pixel is taken from, in pixels.
        margin: how far the mask grows first, as a share of the shorter side; shadows and soft edges go too.
        method: Telea's fast marching, or Navier-Stokes.

    Raises:
        ValueError: naming what is out of range.
    """

    def __init__(
        self, radius: float = 4.0, margin: float = 0.01, method: Literal["telea", "navier_stokes"] = "telea"
    ) -> None:
        if radius <= 0 or margin < 0:
            raise ValueError(f"radius, margin: {radius} must be positive, {margin} at least 0")
        methods = {"telea": cv2.INPAINT_TELEA, "navier_stokes": cv2.INPAINT_NS}
        if method not in methods:
            raise ValueError(f"method: {method!r}; choose {' or '.join(methods)}")
        self.radius, self.margin, self.method = radius, margin, methods[method]

    def remove(
        self, images: Float[Tensor, "b 3 h w"], people: Bool[Tensor, "b h w"]
    ) -> Float[Tensor, "b 3 h w"]:
        """Every pixel outside the grown mask stays as it is."""
        reach = 2 * round(self.margin * min(images.shape[-2:])) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        filled = []
        for image, mask in zip(images, people, strict=True):
            grown = cv2.dilate(mask.cpu().numpy().astype(np.uint8), kernel)
            pixels = image.clamp(0, 1).mul(255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
            painted = cv2.inpaint(np.ascontiguousarray(pixels), grown, self.radius, self.method)
            behind = torch.from_numpy(painted).permute(2, 0, 1).to(image).div(255)
            filled.append(torch.where(torch.from_numpy(grown > 0).to(image.device), behind, image))
        return torch.stack(filled) if filled else images
