"""Train the tiny codec: pixels in, pixels out, with faces counting more than sky.

The loss is L1 plus L2 in pixel space, weighted by what each pixel shows (faces most, people more, background one), plus
a soft push that keeps latents near unit scale. Noise on the latents makes the decoder forgiving towards generated ones.
"""

from dataclasses import dataclass
from typing import Any, cast

import lightning as L
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from datamodules.geometry.canvas import draw_canvases
from datamodules.geometry.draw import draw_skeleton
from datamodules.schema.scene import Scene
from datamodules.tiny_world.datamodule import TinyWorldDataset
from datamodules.tiny_world.identities import Split
from lightning_modules.backbone.autoencoder import PatchAutoencoder
from lightning_modules.backbone.flux_source import SHIPPED
from lightning_modules.pretraining.codec_growth import deepen
from lightning_modules.pretraining.conv_muon import ConvMuon
from lightning_modules.pretraining.model_card import write_model_card
from lightning_modules.pretraining.schedule import rate_factor
from rewards.functional.images import psnr


def views_of(scene: Scene) -> tuple[UInt8[Tensor, "v 3 h w"], UInt8[Tensor, "v h w"]]:
    """The images a codec meets: scene, background, pose, layout and canvas; with a weight class per pixel.

    Weight classes: 0 background, 1 person, 2 face.
    """
    keypoints = torch.stack([p.keypoints for p in scene.persons])
    boxes = torch.stack([p.box for p in scene.persons])
    size = (scene.image.shape[-2], scene.image.shape[-1])
    references = torch.stack([cast(Tensor, p.reference) for p in scene.persons])
    landmarks = torch.stack([cast(Tensor, p.reference_landmarks) for p in scene.persons])
    canvases = draw_canvases(references, landmarks, boxes, size).images
    canvas = canvases.amax(dim=0)  # blank canvases are black: all faces on one
    background = cast(Tensor, scene.background)
    images = [
        scene.image,
        background,
        draw_skeleton(keypoints, size),
        draw_skeleton(keypoints, size, over=background),
        canvas,
    ]
    weights = torch.zeros(len(images), *size, dtype=torch.uint8)
    weights[0] = torch.stack([cast(Tensor, p.mask) for p in scene.persons]).any(0).to(torch.uint8)
    for x0, y0, x1, y1 in (boxes.clamp(0, 1) * size[0]).round().int().tolist():
        weights[0, y0:y1, x0:x1] = 2
    weights[4] = 2 * (canvas != canvas[:, :1, :1]).any(0).to(torch.uint8)
    return (torch.stack(images) * 255).round().to(torch.uint8), weights


class _ViewsDataset(Dataset[tuple[Tensor, Tensor]]):
    """Scenes as stacks of views, drawn on demand."""

    def __init__(self, scenes: TinyWorldDataset) -> None:
        self.scenes = scenes

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return views_of(self.scenes[index])


class CodecViews(L.LightningDataModule):
    """Views of tiny-world scenes, drawn once and kept in memory as bytes.

    Args:
        train_size: scenes for training; five views of 49 kB each are kept per scene.
        val_size: scenes for validation.
        batch_size: images per step.
        crop: side of the square training crops, in pixels, a multiple of 16.
        workers: processes that draw.
        scene_share: share of the crops that are cut from scenes; the rest are from the other views.

    Raises:
        ValueError: if ``scene_share`` is not a share.
    """

    def __init__(
        self,
        train_size: int = 6000,
        val_size: int = 200,
        batch_size: int = 24,
        crop: int = 64,
        workers: int = 2,
        scene_share: float = 0.5,
    ) -> None:
        if not 0 <= scene_share <= 1:
            raise ValueError(f"scene_share: {scene_share} is not a share; give 0 to 1")
        super().__init__()
        self.save_hyperparameters()
        self.views: dict[str, tuple[Tensor, Tensor]] = {}

    def setup(self, stage: str) -> None:
        """Draw both splits."""
        splits: tuple[Split, ...] = ("train", "val")
        for split in splits:
            size = self.hparams[f"{split}_size"]
            if split not in self.views:
                dataset = _ViewsDataset(TinyWorldDataset(split, size))
                loader = DataLoader(dataset, batch_size=50, num_workers=self.hparams["workers"])
                images, weights = zip(*loader, strict=True)
                self.views[split] = (torch.cat(images), torch.cat(weights))

    def train_dataloader(self) -> DataLoader[Any]:
        """Random crops of random views."""
        crops = _Crops(*self.views["train"], self.hparams["crop"], self.hparams["scene_share"])
        return DataLoader(crops, batch_size=self.hparams["batch_size"], shuffle=True)

    def val_dataloader(self) -> DataLoader[Any]:
        """Whole scenes."""
        images, weights = self.views["val"]
        whole = torch.utils.data.TensorDataset(images[:, 0], weights[:, 0])
        return DataLoader(whole, batch_size=50)


class _Crops(Dataset[tuple[Tensor, Tensor]]):
    """Random crops: a share of them from the scene itself, the rest from the other views."""

    def __init__(
        self, images: UInt8[Tensor, "n v 3 h w"], weights: UInt8[Tensor, "n v h w"], crop: int, share: float
    ) -> None:
        self.images, self.weights, self.crop, self.share = images, weights, crop, share

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        views, side = self.images.shape[1], self.images.shape[-1]
        view = 0 if torch.rand(()) < self.share else int(torch.randint(1, views, ()))
        y, x = torch.randint(0, side - self.crop + 1, (2,)).tolist()
        rows, columns = slice(y, y + self.crop), slice(x, x + self.crop)
        return self.images[index, view, :, rows, columns], self.weights[index, view, rows, columns]


@dataclass(frozen=True)
class CodecRecipe:
    """How a codec is optimised.

    Attributes:
        muon_learning_rate: peak rate of the kernels, trained by Muon.
        learning_rate: peak rate of everything else, trained by AdamW.
        warmup_steps: linear warm-up.
        decay_share: last share of training in which the learning rate falls linearly to 2 %.
        latent_noise: standard deviation of the noise added to latents before decoding.
        class_weights: loss weight of background, person and face pixels.
        absolute_weight: of the absolute error, beside the squared one.
    """

    muon_learning_rate: float = 2e-3
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    decay_share: float = 0.4
    latent_noise: float = 0.02
    class_weights: tuple[float, float, float] = (1.0, 2.0, 4.0)
    absolute_weight: float = 1.0


class CodecModule(L.LightningModule):
    """Trains a :class:`PatchAutoencoder`.

    Args:
        codec: the model; its constructor arguments are its size.
        recipe: how it is optimised.
        start: folder, or shipped name, of a codec to go on from: its encoder and the scale of its latents are kept as
            they are, so that everything trained on its latents stays valid; its decoder is trained on, with blocks
            added where ``codec`` has more.
        output: folder the finished codec is written to, in diffusers format.
        config: name of this configuration in ``configs/pretraining``, for the model's card.
    """

    def __init__(
        self,
        codec: PatchAutoencoder,
        recipe: CodecRecipe | None = None,
        start: str | None = None,
        output: str = "runs/codec/weights",
        config: str = "codec",
    ) -> None:
        super().__init__()
        self.automatic_optimization = False  # two optimizers
        self.codec, self.recipe = codec, recipe or CodecRecipe()
        self.peaks = (self.recipe.muon_learning_rate, self.recipe.learning_rate)
        self.start, self.output, self.config = start, output, config
        if start is not None:
            shipped = SHIPPED / start
            deepen(codec, PatchAutoencoder.from_pretrained(shipped if shipped.is_dir() else start))
        self.register_buffer("class_weights", torch.tensor(self.recipe.class_weights), persistent=False)

    def on_fit_start(self) -> None:
        """Start the linear maps at the principal components of the training views, unless a codec is gone on from."""
        if self.trainer.ckpt_path is None and self.start is None:
            images, _ = cast(Any, self.trainer).datamodule.views["train"]
            sample = images[:: max(1, len(images) // 100)].flatten(0, 1).float() / 127.5 - 1
            self.codec.start_at_principal_components(sample)
        self.codec.to(memory_format=torch.channels_last)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """One update of both optimizers."""
        loss = self.loss(*batch)
        optimizers = cast(list[Any], self.optimizers())
        step, total = self.trainer.global_step // 2, self.trainer.max_steps // 2  # two optimizers
        factor = rate_factor(step, total, self.recipe.warmup_steps, self.recipe.decay_share, floor=0.02)
        for optimizer, peak in zip(optimizers, self.peaks, strict=True):
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = peak * factor
        self.manual_backward(loss)
        nn.utils.clip_grad_norm_(self.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        self.log("train/loss", loss.detach(), prog_bar=True)

    def loss(self, images: UInt8[Tensor, "b 3 h w"], classes: UInt8[Tensor, "b h w"]) -> Float[Tensor, ""]:
        """Weighted reconstruction, and latents near unit scale."""
        pixels = (images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        latents = cast(Any, self.codec.encode(pixels)).latent_dist.mode()
        noisy = latents + self.recipe.latent_noise * torch.randn_like(latents)
        error = cast(Any, self.codec.decode(noisy)).sample.float() - pixels
        weight = cast(Tensor, self.class_weights)[classes.long()][:, None]
        reconstruction = (
            weight * (self.recipe.absolute_weight * error.abs() + error.square())
        ).mean() / weight.mean()
        scale = F.relu(latents.float().square().mean(dim=(0, 2, 3)) - 1).mean()
        return reconstruction + 0.01 * scale

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """PSNR of whole scenes and of their faces."""
        images, classes = batch
        target = images.float() / 255
        output = ((cast(nn.Module, self.codec)(target * 2 - 1).float() + 1) / 2).clamp(0, 1)
        self.log("val/psnr", psnr(output, target).mean(), prog_bar=True, batch_size=len(images))
        face = (classes == 2)[:, None].expand_as(target)
        error = (output - target).square()[face].mean()
        self.log("val/psnr_face", -10 * torch.log10(error), prog_bar=True, batch_size=len(images))

    def configure_optimizers(self) -> Any:
        """Muon for the kernels of both networks, AdamW for the linear maps and everything else."""
        networks = (self.codec.encoder, self.codec.decoder)
        kernels = [p for n in networks for p in n.parameters() if p.ndim == 4 and p.requires_grad]
        chosen = {id(p) for p in kernels}
        others = [p for p in self.parameters() if id(p) not in chosen and p.requires_grad]
        adam = torch.optim.AdamW(others, self.peaks[1], betas=(0.9, 0.98), weight_decay=0.0, fused=True)
        return [ConvMuon(kernels, self.peaks[0]), adam]

    def on_fit_end(self) -> None:
        """Measure the latents' mean and deviation, put them into the config, and write the codec."""
        if self.start is None:
            self._measure_latents()
        nn.Module.to(cast(nn.Module, self.codec), torch.bfloat16)
        self.codec.save_pretrained(self.output)
        metrics = {k: float(v) for k, v in self.trainer.callback_metrics.items() if k.startswith("val/")}
        scenes = len(cast(Any, self.trainer).datamodule.views["train"][0])
        data = f"five views each of {scenes} scenes of the train split"
        write_model_card(self.output, self.config, data, self.trainer.global_step // 2, metrics)

    def _measure_latents(self) -> None:
        images, _ = cast(Any, self.trainer).datamodule.views["val"]
        with torch.no_grad():
            latents = cast(Any, self.codec.encode(images[:, 0].float() / 127.5 - 1)).latent_dist.mode()
        self.codec.register_to_config(
            shift_factor=round(float(latents.mean()), 6), scaling_factor=round(1 / float(latents.std()), 6)
        )
