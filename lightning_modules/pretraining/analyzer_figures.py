"""How well an analyzer reads scenes whose truth is known: face F1, exact count, OKS, mask IoU, identity.

Detections are matched to the true faces one to one by greatest total IoU; a match counts at IoU >= 0.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from datamodules.schema.detections import Detections
from lightning_modules.pretraining.rendered import RenderedBatch
from rewards.functional.assignment import hungarian
from rewards.functional.auc import roc_auc
from rewards.functional.boxes import pairwise_iou
from rewards.functional.keypoints import extent_areas, oks
from rewards.functional.masks import mask_iou

MATCH_IOU = 0.5


@dataclass
class AnalyzerFigures:
    """Adds up over batches; ``compute`` gives the figures."""

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    exact_counts: dict[int, list[bool]] = field(default_factory=dict)
    matched: dict[str, list[float]] = field(default_factory=dict)
    embeddings: list[Tensor] = field(default_factory=list)
    references: list[Tensor] = field(default_factory=list)

    def update(
        self,
        found: Sequence[Detections],
        batch: RenderedBatch,
        references: Float[Tensor, "b n d"] | None = None,
    ) -> None:
        """Add a batch.

        Args:
            found: one per image.
            batch: the truth.
            references: embeddings of the reference views; identity is not judged without.
        """
        for i, detections in enumerate(found):
            slots = batch.valid[i].nonzero()[:, 0]
            self.exact_counts.setdefault(len(slots), []).append(len(detections) == len(slots))
            overlap = pairwise_iou(batch.boxes[i, slots], detections.boxes)
            rows, columns = hungarian(overlap, maximize=True)
            kept = overlap[rows, columns] >= MATCH_IOU
            gt, pred = slots[rows[kept]], columns[kept]
            self.true_positives += len(gt)
            self.false_positives += len(detections) - len(gt)
            self.false_negatives += len(slots) - len(gt)
            self._update_matched(detections[pred], batch, i, gt)
            if detections.person_mask is not None:
                self._add("mask_iou", mask_iou(detections.person_mask > 0.5, batch.masks[i]))
            if references is not None and detections.embeddings is not None:
                self.embeddings.append(detections.embeddings[pred])
                self.references.append(references[i, gt])

    def compute(self) -> dict[str, float]:
        """Every figure that was judged; shares in [0, 1].

        ``oks`` measures with the area of the person's extent, ``oks_strict`` with 0.53 of the box around the
        labelled joints, which is what rewards fall back on.
        """
        total = 2 * self.true_positives + self.false_positives + self.false_negatives
        exact = [hit for hits in self.exact_counts.values() for hit in hits]
        figures = {"face_f1": 2 * self.true_positives / max(1, total), "exact_count": float(np.mean(exact))}
        figures |= {name: float(np.mean(values)) for name, values in self.matched.items() if values}
        if self.embeddings:
            figures |= identity_figures(torch.cat(self.embeddings), torch.cat(self.references))
        return figures

    def count_by_people(self) -> dict[int, float]:
        """Exact count per number of people."""
        return {n: float(np.mean(hits)) for n, hits in sorted(self.exact_counts.items())}

    def _update_matched(self, found: Detections, batch: RenderedBatch, image: int, gt: Tensor) -> None:
        box = batch.boxes[image, gt]
        if found.landmarks is not None:
            error = (found.landmarks - batch.landmarks[image, gt]).norm(dim=-1).mean(-1)
            self._add("landmark_nme", error / (box[:, 3] - box[:, 1]))
        if found.keypoints is not None:
            truth, extent = batch.keypoints[image, gt], batch.extents[image, gt]
            areas = (extent[:, 2:] - extent[:, :2]).prod(-1)
            self._add("oks", oks(truth, found.keypoints, areas).diagonal())
            self._add("oks_strict", oks(truth, found.keypoints, extent_areas(truth)).diagonal())
            known = truth[..., 2] > 0
            self._add("keypoint_visibility", (found.keypoints[..., 2] == truth[..., 2])[known].float())

    def _add(self, name: str, values: Tensor) -> None:
        self.matched.setdefault(name, []).extend(values.reshape(-1).tolist())


def identity_figures(scene: Float[Tensor, "p d"], references: Float[Tensor, "p d"]) -> dict[str, float]:
    """How well scene faces and reference views of the same people match: ROC AUC over all pairs, mean cosines."""
    similarity = references @ scene.T
    same = torch.eye(len(similarity), dtype=torch.bool, device=similarity.device)
    different = similarity[~same].double().cpu().numpy()
    threshold = float(np.quantile(different, 0.999)) if len(different) else 1.0
    return {
        "identity_auc": float(roc_auc(similarity.flatten(), same.flatten())),
        "identity_tar_at_0.1%": float((similarity[same] > threshold).float().mean()),
        "identity_same": float(similarity[same].mean()),
        "identity_different": float(similarity[~same].mean()),
    }
