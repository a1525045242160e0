"""Trains a PoseInverter on pairs of layout image and keypoints: the tiny network, or a vision-language model.

    python -m lightning_modules.cli fit -c configs/pretraining/pose_inverter.yaml

Validation reads held-out layouts as drawn and as a codec decodes them (``_decoded``) and logs ``oks``, the mean over
true people of COCO's OKS after matching (nobody found counts 0; area 0.53 of the box around the joints), ``pck``,
PCK@0.5 of the trunk, and ``count``, the share of images with the right number of people.
"""

from pathlib import Path

import torch
from jaxtyping import Float
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor

from datamodules.schema.human_in_place import HumanInPlace
from datamodules.schema.layout import Layout
from lightning_modules.backbone.latents import LatentCodec, LazyCodec
from lightning_modules.pretraining.degradations import augment
from lightning_modules.pretraining.module import PretrainingModule, Recipe
from lightning_modules.skeleguide.layout_views import LayoutVariety, as_decoded, vary
from lightning_modules.skeleguide.pose_text import Poses
from lightning_modules.skeleguide.skeleton_reader import NAME
from lightning_modules.skeleguide.trainable_inverter import TrainableInverter
from rewards.functional.keypoints import extent_areas, matched_oks, oks
from rewards.functional.pck import matched_pck, trunk_lengths


class PoseInverterModule(PretrainingModule):
    """Fine-tunes or trains a network on varied layouts, part of them through a codec.

    Args:
        network: reads the images.
        codec: folder of the autoencoder that layouts are decoded by; the shipped tiny one if None.
        decoded_share: share of the training images that pass through the codec.
        latent_noise: greatest standard deviation of noise on their latents, as a sampler leaves it.
        degraded_share: share of the images with a harmless fault, such as blur.
        variety: how layouts are varied.
        recipe: optimiser, schedule, export.

    Raises:
        ValueError: if a share is none.
    """

    network: TrainableInverter

    def __init__(
        self,
        network: TrainableInverter,
        codec: str | None = None,
        decoded_share: float = 0.5,
        latent_noise: float = 0.3,
        degraded_share: float = 0.3,
        variety: LayoutVariety = LayoutVariety(),  # noqa: B008
        recipe: Recipe = Recipe(),  # noqa: B008
    ) -> None:
        super().__init__(network, NAME, network.architecture, recipe)
        for name, share in (("decoded_share", decoded_share), ("degraded_share", degraded_share)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name}: {share} is a share, 0 to 1")
        self.decoded_share, self.latent_noise = decoded_share, latent_noise
        self.degraded_share, self.variety = degraded_share, variety
        self._codec = LazyCodec(codec)
        self._seen: dict[str, list[float]] = {}

    @property
    def codec(self) -> LatentCodec:
        """The frozen codec, on the module's device; no part of what is trained or saved."""
        return self._codec.on(self.device)

    def configure_model(self) -> None:
        """Let a large network build itself."""
        self.network.configure()

    def training_step(self, batch: HumanInPlace, batch_index: int) -> Tensor:
        """Sum of the network's losses on a varied batch, each logged."""
        batch = vary(batch, self.variety)
        images = batch.layout_image.clone()
        through = (torch.rand(len(batch)) < self.decoded_share).nonzero()[:, 0]
        if len(through):
            images[through] = as_decoded(images[through], self.codec, self.latent_noise).to(images)
        losses = self.network.losses(augment(images, self.degraded_share), batch)
        self.log_dict({f"train/{name}": value.detach() for name, value in losses.items()}, prog_bar=True)
        return torch.stack(list(losses.values())).sum()

    def on_validation_epoch_start(self) -> None:
        """Figures are of one pass."""
        self._seen = {}

    def validation_step(self, batch: HumanInPlace, batch_index: int) -> None:
        """Read the layouts as drawn and as decoded."""
        decoded = as_decoded(batch.layout_image, self.codec)
        for suffix, images in (("", batch.layout_image), ("_decoded", decoded)):
            for name, values in reading_figures(self.network.read(images), batch.layout, batch.size).items():
                self._seen.setdefault(name + suffix, []).extend(values.tolist())

    def on_validation_epoch_end(self) -> None:
        """Log the pass."""
        means = {f"val/{name}": torch.tensor(values).nanmean() for name, values in self._seen.items()}
        self.log_dict(means, prog_bar=True, sync_dist=True)

    @rank_zero_only
    def export(self, folder: Path) -> None:
        """Write weights and card into ``folder``."""
        self.network.save(folder, self.card())

    def data_words(self) -> str:
        """What the layouts are of."""
        return f"layouts of {super().data_words()}"


def reading_figures(
    poses: list[Poses], layout: Layout, size: tuple[int, int]
) -> dict[str, Float[Tensor, " p"]]:
    """``oks`` and ``pck`` per true person, ``count`` (1 where right) per image.

    Args:
        poses: what was read, one per image.
        layout: what was drawn.
        size: (height, width) of the images in pixels.
    """
    pixels = torch.tensor([size[1], size[0], 1.0])
    similar, near, right = [], [], []
    for i, found in enumerate(poses):
        gt = layout.keypoints[i][layout.valid[i]].cpu() * pixels
        pred = found.keypoints.float().cpu() * pixels
        pred = torch.where(pred[..., 2:] > 0, pred, torch.nan)  # what was not seen is not right by chance
        right.append(float(len(pred) == len(gt)))
        similar.append(matched_oks(oks(gt, pred, extent_areas(gt))))
        near.append(matched_pck(gt, pred, trunk_lengths(gt)))
    return {"oks": torch.cat(similar), "pck": torch.cat(near), "count": torch.tensor(right)}
