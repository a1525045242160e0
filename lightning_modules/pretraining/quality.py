"""Trains the two quality scorers on renders and what faults make of them.

``quality_scorer`` and ``quality_judge`` share this code and nothing else: their configs give them other seeds,
other renders, other faults and other widths, so that an image which fools one need not fool the other.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn import functional

from lightning_modules.backbone.latents import LatentCodec, load_codec
from lightning_modules.pretraining.degradations import MASKED, PLAIN, degrade
from lightning_modules.pretraining.module import PretrainingModule, Recipe
from lightning_modules.pretraining.rendered import RenderedBatch
from rewards.analyzers.tiny_networks import IMAGE_SIZE
from rewards.functional.auc import roc_auc
from rewards.scorers.tiny_networks import QualityNetwork, QualityOutput

DAMAGE_RMS = 0.25


class QualityPretraining(PretrainingModule):
    """Each render is judged clean, with a mild and with a severe version of a fault.

    The target of an image is one minus its severity; besides, of two versions the worse must score lower, and the
    network must say where in the image the fault is, which teaches it far more per image than the one number.
    """

    def __init__(
        self,
        name: str,
        faults: Sequence[str],
        width: int = 32,
        codec: str | None = None,
        codec_share: float = 0.25,
        generated_folder: str | None = None,
        generated_severity: float = 0.7,
        recipe: Recipe = Recipe(),  # noqa: B008
    ) -> None:
        """Args of the network, of the examples, and of the optimisation.

        Args:
            name: ``quality_scorer`` or ``quality_judge``.
            faults: names from ``degradations``, and of ``LATENT`` if there is a codec.
            width: channels of the trunk at stride 4.
            codec: ``shipped`` or a folder.
            codec_share: share of the steps whose images also pass through the codec, as generated images do.
            generated_folder: images of early checkpoints, mixed in as bad examples.
            generated_severity: their severity.
            recipe: optimiser, schedule, export.
        """
        known = [*PLAIN, *MASKED, *(LATENT if codec else [])]
        unknown = sorted(set(faults) - set(known))
        if unknown or not faults:
            raise ValueError(f"faults: {unknown or 'none'} cannot be made here; choose from {known}")
        architecture = {"width": width}
        super().__init__(QualityNetwork(**architecture), name, architecture, recipe)
        self.faults = tuple(faults)
        self.codec_source = codec
        self.codec: LatentCodec | None = None
        self.codec_share = codec_share
        self.generated_severity = generated_severity
        self.generated_folder, self.generated = generated_folder, cast("Tensor | None", None)
        self.judged: list[tuple[Tensor, Tensor, Tensor]] = []

    def setup(self, stage: str) -> None:
        """Load the codec, which is no part of this module, and the generated images.

        Raises:
            ValueError: if the folder holds none.
        """
        if self.generated_folder is not None and self.generated is None:
            self.generated = _read_folder(Path(self.generated_folder))
            self.also = f"; {len(self.generated)} generated images of {self.generated_folder}"
        if self.codec_source is not None and self.codec is None:
            self.codec = load_codec(None if self.codec_source == "shipped" else self.codec_source)

    def training_step(self, batch: RenderedBatch, batch_index: int) -> Tensor:
        """Cross-entropy with one minus severity, ranking of mild and severe, and the map of damage."""
        kinds = torch.randint(len(self.faults), (len(batch),))
        severe = 0.15 + 0.85 * torch.rand(len(batch))
        mild = severe * torch.rand(len(batch)) * 0.8
        versions = [batch.images, *(self._with_fault(batch, kinds, s) for s in (mild, severe))]
        images, target = torch.cat(versions), torch.cat([torch.ones(len(batch)), 1 - mild, 1 - severe])
        damage = damage_map(images, batch.images.repeat(3, 1, 1, 1))
        if self.codec is not None and torch.rand(()) < self.codec_share:
            images = self._through_codec(self.codec, images)
        images, target = self._with_generated(images, target)
        output: QualityOutput = self.network(images)
        target = target.to(output.logits) * 0.98 + 0.01
        clean, better, worse = output.logits[: len(damage)].chunk(3)
        losses = {
            "entropy": functional.binary_cross_entropy_with_logits(output.logits, target),
            "ranking": 0.5
            * (functional.softplus(worse - better) + functional.softplus(better - clean)).mean(),
            "damage": 4 * (output.damage[: len(damage)] - damage).abs().mean(),
        }
        self.log_dict({f"train/{name}": value.detach() for name, value in losses.items()}, prog_bar=True)
        return torch.stack(list(losses.values())).sum()

    def on_validation_epoch_start(self) -> None:
        """Judgements are of one pass."""
        self.judged = []

    def validation_step(self, batch: RenderedBatch, batch_index: int) -> None:
        """Judge clean and faulty versions; faults are drawn alike in every pass."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(batch_index)
            kinds = torch.randint(len(self.faults), (len(batch),))
            severity = 0.1 + 0.9 * torch.rand(len(batch))
            worse = self._with_fault(batch, kinds, severity)
        self.judged.append((self.network(batch.images).logits, self.network(worse).logits, severity))

    def on_validation_epoch_end(self) -> None:
        """Log how well clean and faulty are told apart, and how well severity is ranked."""
        clean, worse, severity = (torch.cat(part).cpu() for part in zip(*self.judged, strict=True))
        figures = {
            "val/clean_auc": float(clean_auc(clean, worse)),
            "val/clean_above_own": float((clean > worse).float().mean()),
            "val/severity_rank": -float(spearmanr(worse.numpy(), severity.numpy())[0]),
        }
        self.log_dict(figures, prog_bar=True)

    def _with_fault(
        self, batch: RenderedBatch, kinds: Int[Tensor, " b"], severity: Float[Tensor, " b"]
    ) -> Float[Tensor, "b 3 h w"]:
        out = batch.images.clone()
        for k, name in enumerate(self.faults):
            chosen = (kinds == k).nonzero()[:, 0]
            if not len(chosen):
                continue
            strength = severity[chosen].to(out)
            if name in LATENT and self.codec is not None:
                out[chosen] = _in_latents(self.codec, out[chosen], strength, LATENT[name])
            else:
                out[chosen] = degrade(name, out[chosen], strength, batch.masks[chosen])
        return out

    @torch.no_grad()
    def _through_codec(
        self, codec: LatentCodec, images: Float[Tensor, "b 3 h w"]
    ) -> Float[Tensor, "b 3 h w"]:
        return codec.round_trip(images)

    def _with_generated(self, images: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        if self.generated is None:
            return images, target
        count = max(1, len(images) // 6)
        chosen = self.generated[torch.randint(len(self.generated), (count,))].to(images.device).float() / 255
        bad = torch.full((count,), 1 - self.generated_severity)
        return torch.cat([images, chosen]), torch.cat([target, bad])


def damage_map(images: Float[Tensor, "b 3 h w"], clean: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 16 16"]:
    """What the network learns to see without the clean image: the error of each cell, 1 from an RMS of 0.25 on."""
    squared = (images - clean).square().mean(1, keepdim=True)
    return (functional.adaptive_avg_pool2d(squared, 16)[:, 0].sqrt() / DAMAGE_RMS).clamp(max=1)


def clean_auc(clean: Float[Tensor, " m"], worse: Float[Tensor, " k"]) -> Float[Tensor, ""]:
    """How often a clean image scores above a faulty one."""
    return roc_auc(torch.cat([clean, worse]), torch.arange(len(clean) + len(worse)) < len(clean))


def latent_noise(tokens: Float[Tensor, "b s c"], severity: Float[Tensor, "b 1 1"]) -> Float[Tensor, "b s c"]:
    """What an unfinished sampler leaves: noise, up to a share of 0.6."""
    share = 0.6 * severity
    return tokens * (1 - share) + torch.randn_like(tokens) * share


def latent_offset(tokens: Float[Tensor, "b s c"], severity: Float[Tensor, "b 1 1"]) -> Float[Tensor, "b s c"]:
    """What a policy far from its base does: every token moves the same way, up to 0.3; cells get seams."""
    return tokens + 0.3 * severity * torch.randn_like(tokens[:, :1])


def latent_gain(tokens: Float[Tensor, "b s c"], severity: Float[Tensor, "b 1 1"]) -> Float[Tensor, "b s c"]:
    """Likewise, every channel louder or softer, up to 0.3."""
    return tokens * (1 + 0.3 * severity * torch.randn_like(tokens[:, :1]))


LATENT: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    f.__name__: f for f in (latent_noise, latent_offset, latent_gain)
}


@torch.no_grad()
def _in_latents(
    codec: LatentCodec,
    images: Float[Tensor, "b 3 h w"],
    severity: Float[Tensor, " b"],
    fault: Callable[[Tensor, Tensor], Tensor],
) -> Float[Tensor, "b 3 h w"]:
    tokens = fault(codec.encode(images), severity[:, None, None])
    return codec.decode(tokens, (images.shape[-2], images.shape[-1]))


def _read_folder(folder: Path) -> Int[Tensor, "m 3 h w"]:
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not paths:
        raise ValueError(f"generated_folder: {folder} holds no .png or .jpg images")
    size = (IMAGE_SIZE, IMAGE_SIZE)
    arrays = [np.asarray(Image.open(p).convert("RGB").resize(size, Image.Resampling.BOX)) for p in paths]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)
