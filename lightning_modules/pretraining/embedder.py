"""Trains the face embedder behind ``TinyAnalyzer``: the same person in the scene and in another view."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from lightning_modules.pretraining.analyzer_figures import identity_figures
from lightning_modules.pretraining.degradations import augment
from lightning_modules.pretraining.module import PretrainingModule, Recipe
from lightning_modules.pretraining.rendered import RenderedBatch
from rewards.analyzers.alignment import align_faces
from rewards.analyzers.tiny_networks import EMBEDDING_DIM, FACE_SIZE, FaceEmbedder


class EmbedderPretraining(PretrainingModule):
    """InfoNCE between reference views and scene faces of freshly drawn people; no identity classes are needed."""

    def __init__(
        self,
        width: int = 48,
        temperature: float = 0.07,
        landmark_noise: float = 0.004,
        recipe: Recipe = Recipe(),  # noqa: B008
    ) -> None:
        """Args of the network, of the loss, and of the optimisation.

        Args:
            width: channels of the first block.
            temperature: of the softmax over cosines.
            landmark_noise: standard deviation added to the true landmarks of scene faces, in [0, 1] of the image:
                the detector's landmarks are not perfect either.
            recipe: optimiser, schedule, export.
        """
        architecture = {"width": width, "dim": EMBEDDING_DIM}
        super().__init__(FaceEmbedder(**architecture), "embedder", architecture, recipe)
        self.temperature, self.landmark_noise = temperature, landmark_noise
        self.scene: list[Tensor] = []
        self.references: list[Tensor] = []

    def training_step(self, batch: RenderedBatch, batch_index: int) -> Tensor:
        """Symmetric InfoNCE of three views: reference, scene face, and the scene face through worse faults."""
        mild = replace(batch, images=augment(batch.images))
        harsh = replace(batch, images=augment(batch.images, share=1.0, strongest=0.8))
        crops = torch.cat(
            [self._scene_crops(mild), self._scene_crops(harsh), self._reference_crops(batch, augmented=True)]
        )
        first, second, reference = self.network(crops).chunk(3)
        loss = (
            info_nce(first, reference, self.temperature)
            + info_nce(second, reference, self.temperature)
            + info_nce(first, second, self.temperature)
        ) / 3
        self.log("train/loss", loss, prog_bar=True)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Pairs are of one pass."""
        self.scene, self.references = [], []

    def validation_step(self, batch: RenderedBatch, batch_index: int) -> None:
        """Embed both views with the true landmarks."""
        self.scene.append(self.network(self._scene_crops(batch)))
        self.references.append(self.network(self._reference_crops(batch)))

    def on_validation_epoch_end(self) -> None:
        """Log the pass."""
        figures = identity_figures(torch.cat(self.scene), torch.cat(self.references))
        self.log_dict({f"val/{k}": v for k, v in figures.items()}, prog_bar=True)

    def _scene_crops(self, batch: RenderedBatch) -> Float[Tensor, "p 3 r r"]:
        image_index, slot = batch.persons()
        landmarks = batch.landmarks[image_index, slot]
        if self.training:
            landmarks = landmarks + self.landmark_noise * torch.randn_like(landmarks)
        return align_faces(batch.images, image_index, landmarks, FACE_SIZE)

    def _reference_crops(self, batch: RenderedBatch, augmented: bool = False) -> Float[Tensor, "p 3 r r"]:
        views = batch.references[batch.valid]
        views = augment(views) if augmented else views
        index = torch.arange(len(views), device=views.device)
        return align_faces(views, index, batch.reference_landmarks[batch.valid], FACE_SIZE)


def info_nce(one: Float[Tensor, "p d"], other: Float[Tensor, "p d"], temperature: float) -> Float[Tensor, ""]:
    """Symmetric InfoNCE: each row of ``one`` must find its own row of ``other``, and the other way round."""
    logits = one @ other.T / temperature
    own = torch.arange(len(one), device=one.device)
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2
