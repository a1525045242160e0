"""Image-text agreement by any CLIP in transformers' folder format: CLIP itself, PickScore, converted HPS weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from jaxtyping import Float
from torch import Tensor

from datamodules.schema.interfaces import Scorer


class CLIPScorer(Scorer):
    """Cosine of image and prompt embeddings, in [-1, 1]; times the model's own scale where asked.

    The published CLIP score is 100 times the cosine, PickScore the cosine times the model's scale (about 100), HPSv2
    the plain cosine.

    Args:
        source: local folder with a ``CLIPModel`` and its processor; nothing is downloaded.
        logit_scale: multiply by the model's own scale.
        dtype: precision of the network.
        device: where it runs.
        batch_size: images per network call.

    Raises:
        ValueError: if ``source`` is not such a folder.
    """

    def __init__(
        self,
        source: str,
        logit_scale: bool = False,
        dtype: str = "float32",
        device: str = "cpu",
        batch_size: int = 16,
    ) -> None:
        if not (Path(source) / "config.json").is_file():
            raise ValueError(
                f"source: {source} holds no config.json; give a local folder written by CLIPModel.save_pretrained"
            )
        self.source, self.logit_scale, self.dtype = source, logit_scale, dtype
        self.device, self.batch_size = device, batch_size
        self._loaded: tuple[Any, Any] | None = None

    def score(self, images: Float[Tensor, "b 3 h w"], prompts: Sequence[str]) -> Float[Tensor, " b"]:
        """Agreement of each image with its own prompt."""
        similarity = (self.embed_images(images) * self.embed_prompts(prompts)).sum(dim=-1)
        return similarity * self._parts()[1].logit_scale.exp().float() if self.logit_scale else similarity

    @torch.no_grad()
    def embed_images(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Unit-norm embeddings of images in [0, 1], resized and normalised as the model's processor does."""
        processor, model = self._parts()
        found = []
        for chunk in images.split(self.batch_size):
            pixels = processor(
                images=list((chunk * 255).round().to(torch.uint8).cpu()), return_tensors="pt"
            ).pixel_values
            vision = model.vision_model(pixel_values=pixels.to(self.device, model.dtype))
            found.append(model.visual_projection(vision.pooler_output).float())
        return torch.nn.functional.normalize(torch.cat(found), dim=-1)

    @torch.no_grad()
    def embed_prompts(self, prompts: Sequence[str]) -> Float[Tensor, "b d"]:
        """Unit-norm embeddings of prompts; what exceeds the model's length is cut off."""
        processor, model = self._parts()
        tokens = processor.tokenizer(list(prompts), padding=True, truncation=True, return_tensors="pt")
        text = model.text_model(**tokens.to(self.device))
        return torch.nn.functional.normalize(model.text_projection(text.pooler_output).float(), dim=-1)

    def _parts(self) -> tuple[Any, Any]:
        if self._loaded is None:
            processor = transformers.CLIPProcessor.from_pretrained(self.source, local_files_only=True)
            model = transformers.CLIPModel.from_pretrained(
                self.source, dtype=getattr(torch, self.dtype), local_files_only=True
            )
            self._loaded = processor, model.eval().requires_grad_(False).to(self.device)
        return self._loaded
