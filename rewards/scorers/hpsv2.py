"""Human Preference Score v2 and v2.1: OpenCLIP's ViT-H-14 tuned on human choices (Wu et al. 2023, arXiv 2306.09341).

The networks and the tokenizer are those of ``open_clip_torch``; weights come from a local file. The image is prepared
as by the public code (``hpsv2`` 1.2.0, ``open_clip/transform.py``): the tensor, not an 8-bit picture, is shrunk to fit
224 pixels and padded with black, where stock OpenCLIP crops the centre.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as tv

from datamodules.schema.interfaces import Scorer

INSTALL = "pip install -e .[hps]"


class HPSv2Scorer(Scorer):
    """Cosine of image and prompt embeddings, in [-1, 1]; real images and prompts lie at about 0.2 to 0.35.

    Args:
        checkpoint: local ``HPS_v2.1_compressed.pt`` or ``HPS_v2_compressed.pt`` (huggingface.co/xswu/HPSv2), a torch
            file whose ``state_dict`` entry holds OpenCLIP weights; nothing is downloaded.
        architecture: OpenCLIP's name of the network.
        dtype: precision of the matrix products (autocast, the public code: float16 on a GPU); weights stay float32.
        device: where it runs.
        batch_size: images, or prompts, per network call.
        antialias: shrink with a low-pass filter. The public code leaves it to torchvision, which filters since 0.17;
            scores published before 2024 come from versions that did not.

    Raises:
        ValueError: if ``checkpoint`` is no file, or OpenCLIP knows no such ``architecture`` that needs no download.
        ModuleNotFoundError: if ``open_clip_torch`` is not installed.
    """

    def __init__(
        self,
        checkpoint: str,
        architecture: str = "ViT-H-14",
        dtype: Literal["float32", "bfloat16", "float16"] = "float32",
        device: str = "cpu",
        batch_size: int = 16,
        antialias: bool = True,
    ) -> None:
        if importlib.util.find_spec("open_clip") is None:
            raise ModuleNotFoundError(f"HPSv2Scorer needs open_clip_torch: {INSTALL}", name="open_clip")
        if not Path(checkpoint).is_file():
            raise ValueError(
                f"checkpoint: {checkpoint} is no file; download HPS_v2.1_compressed.pt from huggingface.co/xswu/HPSv2 "
                "and give its path"
            )
        self.checkpoint, self.architecture, self.dtype = checkpoint, architecture, dtype
        self.device, self.batch_size, self.antialias = device, batch_size, antialias
        self._loaded: tuple[Any, Any] | None = None

    def score(self, images: Float[Tensor, "b 3 h w"], prompts: Sequence[str]) -> Float[Tensor, " b"]:
        """Agreement of each image with its own prompt.

        Raises:
            ValueError: if there is not one prompt per image, or ``checkpoint`` does not fit ``architecture``.
        """
        if len(images) != len(prompts):
            raise ValueError(f"prompts: {len(prompts)} for {len(images)} images; give one per image")
        return (self.embed_images(images) * self.embed_prompts(prompts)).sum(dim=-1)

    @torch.no_grad()
    def embed_images(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Unit-norm embeddings of images in [0, 1] of any size."""
        model = self._parts()[1]
        found = []
        for chunk in images.split(self.batch_size):
            with self._precision():
                found.append(model.encode_image(self.prepare(chunk.to(self.device))).float())
        return torch.nn.functional.normalize(torch.cat(found), dim=-1)

    @torch.no_grad()
    def embed_prompts(self, prompts: Sequence[str]) -> Float[Tensor, "b d"]:
        """Unit-norm embeddings of prompts; what exceeds the model's 77 tokens is cut off."""
        tokenizer, model = self._parts()
        found = []
        for tokens in tokenizer(list(prompts)).split(self.batch_size):
            with self._precision():
                found.append(model.encode_text(tokens.to(self.device)).float())
        return torch.nn.functional.normalize(torch.cat(found), dim=-1)

    def prepare(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 r r"]:
        """Rounded to 8 bits like a saved picture, fitted into the network's square, padded black, normalised."""
        visual = self._parts()[1].visual
        side = visual.image_size[0] if isinstance(visual.image_size, tuple) else visual.image_size
        pixels = (images.float().clamp(0, 1) * 255).round() / 255
        height, width = pixels.shape[-2:]
        scale = side / max(height, width)
        fitted = [round(height * scale), round(width * scale)]
        if scale != 1.0:
            pixels = tv.resize(pixels, fitted, InterpolationMode.BICUBIC, antialias=self.antialias)
        below, right = side - fitted[0], side - fitted[1]
        pixels = tv.pad(pixels, [right // 2, below // 2, right - right // 2, below - below // 2], fill=0)
        return tv.normalize(pixels, visual.image_mean, visual.image_std)

    def _precision(self) -> torch.autocast:
        kind = torch.device(self.device).type
        return torch.autocast(kind, getattr(torch, self.dtype), enabled=self.dtype != "float32")

    def _parts(self) -> tuple[Any, Any]:
        if self._loaded is None:
            import open_clip

            known = open_clip.get_model_config(self.architecture)
            if known is None or any(key.startswith("hf_") for key in known["text_cfg"]):
                raise ValueError(
                    f"architecture: {self.architecture!r} is no OpenCLIP network with its own tokenizer; the released "
                    "weights are ViT-H-14, open_clip.list_models() names the others"
                )
            model = open_clip.create_model(self.architecture)
            model.load_state_dict(self._weights(model))
            self._loaded = (
                open_clip.get_tokenizer(self.architecture),
                model.eval().requires_grad_(False).to(self.device),
            )
        return self._loaded

    def _weights(self, model: torch.nn.Module) -> dict[str, Tensor]:
        """The checkpoint's weights, if they are the model's.

        Raises:
            ValueError: where they are not.
        """
        held = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        weights = held.get("state_dict") if isinstance(held, dict) else None
        if weights is None:
            raise ValueError(
                f"checkpoint: {self.checkpoint} has no entry state_dict; give a file of huggingface.co/xswu/HPSv2"
            )
        expected = {name: value.shape for name, value in model.state_dict().items()}
        given = {name: value.shape for name, value in weights.items()}
        wrong = sorted(
            name for name in expected.keys() | given.keys() if expected.get(name) != given.get(name)
        )
        if wrong:
            raise ValueError(
                f"checkpoint: {self.checkpoint} does not fit {self.architecture} in {len(wrong)} weights such as "
                f"{wrong[0]}; name the architecture it was trained for"
            )
        return weights
