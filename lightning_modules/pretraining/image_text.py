"""Trains ``TinyImageTextScorer``: renders and their captions, contrastively, on frozen MiniLM token states."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from datamodules.text.memory import RememberingPromptEncoder
from datamodules.text.minilm import MiniLMPromptEncoder
from lightning_modules.pretraining.degradations import augment
from lightning_modules.pretraining.module import PretrainingModule, Recipe
from lightning_modules.pretraining.rendered import RenderedBatch
from rewards.functional.retrieval import top1_of_k
from rewards.scorers.tiny_networks import ImageTextNetwork

CANDIDATES = 32


class ImageTextPretraining(PretrainingModule):
    """CLIP's loss; captions that occur twice in a batch are not held against each other."""

    network: ImageTextNetwork

    def __init__(
        self,
        image_width: int = 48,
        text_width: int = 128,
        dim: int = 128,
        remembered: int = 60_000,
        recipe: Recipe = Recipe(),  # noqa: B008
    ) -> None:
        """Args of the network and of the optimisation.

        Args:
            image_width: channels of the trunk at stride 4.
            text_width: width of the text side.
            dim: width of the common space.
            remembered: captions whose token states are kept in memory (about 25 kB each).
            recipe: optimiser, schedule, export.
        """
        architecture = {"image_width": image_width, "text_width": text_width, "dim": dim}
        super().__init__(ImageTextNetwork(**architecture), "image_text", architecture, recipe)
        self.reader = RememberingPromptEncoder(MiniLMPromptEncoder(max_tokens=64), remembered)
        self.images: list[Tensor] = []
        self.texts: list[Tensor] = []

    def training_step(self, batch: RenderedBatch, batch_index: int) -> Tensor:
        """Symmetric contrastive loss."""
        images, texts = self._embed(replace(batch, images=augment(batch.images)))
        logits = images @ texts.T * self.network.scale()
        loss = contrastive_loss(logits, batch.prompts)
        self.log_dict(
            {"train/loss": loss.detach(), "train/scale": self.network.scale().detach()}, prog_bar=True
        )
        return loss

    def on_validation_epoch_start(self) -> None:
        """Embeddings are of one pass."""
        self.images, self.texts = [], []

    def validation_step(self, batch: RenderedBatch, batch_index: int) -> None:
        """Embed."""
        images, texts = self._embed(batch)
        self.images.append(images)
        self.texts.append(texts)

    def on_validation_epoch_end(self) -> None:
        """Log retrieval among random sets of candidates."""
        accuracy = top1_accuracy(torch.cat(self.images), torch.cat(self.texts))
        self.log(f"val/top1_of_{CANDIDATES}", accuracy, prog_bar=True)

    def _embed(self, batch: RenderedBatch) -> tuple[Float[Tensor, "b d"], Float[Tensor, "b d"]]:
        read = self.reader.encode(batch.prompts)
        device = batch.images.device
        return self.network.image(batch.images), self.network.text(
            read.tokens.to(device), read.valid.to(device)
        )


def contrastive_loss(logits: Float[Tensor, "b b"], prompts: tuple[str, ...]) -> Float[Tensor, ""]:
    """Symmetric cross-entropy; an equal caption of another image is neither right nor wrong."""
    number = {prompt: k for k, prompt in enumerate(dict.fromkeys(prompts))}
    kind = torch.tensor([number[p] for p in prompts], device=logits.device)
    own = torch.arange(len(prompts), device=logits.device)
    twin = (kind[:, None] == kind) & (own[:, None] != own)
    logits = logits.masked_fill(twin, -1e4)
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2


def top1_accuracy(images: Float[Tensor, "m d"], texts: Float[Tensor, "m d"]) -> float:
    """Share of images that know their own caption among ``CANDIDATES``, the others drawn with a fixed seed."""
    scores = images @ texts.T
    return float(top1_of_k(scores, CANDIDATES, torch.Generator().manual_seed(0)).mean())
