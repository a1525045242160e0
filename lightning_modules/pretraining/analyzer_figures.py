"""How well an analyzer reads scenes whose truth is known: face F1, exact count, OKS, mask IoU, identity.

Detections are matched to the true faces one to one by greatest total IoU; a match counts at IoU >= 0.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata
from torch import Tensor
from torchvision.ops import box_iou

from datamodules.geometry.skeleton import SIGMAS
from datamodules.schema.detections import Detections
from lightning_modules.pretraining.rendered import RenderedBatch

MATCH_IOU = 0.5


@dataclass
class AnalyzerFigures:
    """Adds up over batches; ``compute`` gives the figures."""

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    exact_counts: dict[int, list[bool]] = field(default_factory=dict)
    oks: list[float] = field(default_factory=list)
    landmark_errors: list[float] = field(default_factory=list)
    visibility_hits: list[float] = field(default_factory=list)
    mask_ious: list[float] = field(default_factory=list)
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
            iou = box_iou(batch.boxes[i, slots], detections.boxes)
            rows, columns = linear_sum_assignment(-iou.cpu().numpy())
            matched = iou[rows, columns] >= MATCH_IOU
            gt, pred = slots[rows][matched], torch.as_tensor(columns, device=iou.device)[matched]
            self.true_positives += len(gt)
            self.false_positives += len(detections) - len(gt)
            self.false_negatives += len(slots) - len(gt)
            self._update_matched(detections[pred], batch, i, gt)
            if detections.person_mask is not None:
                self.mask_ious.append(_mask_iou(detections.person_mask > 0.5, batch.masks[i]))
            if references is not None and detections.embeddings is not None:
                self.embeddings.append(detections.embeddings[pred])
                self.references.append(references[i, gt])

    def compute(self) -> dict[str, float]:
        """Every figure that was judged; shares in [0, 1]."""
        total = 2 * self.true_positives + self.false_positives + self.false_negatives
        exact = [hit for hits in self.exact_counts.values() for hit in hits]
        figures = {"face_f1": 2 * self.true_positives / max(1, total), "exact_count": float(np.mean(exact))}
        for name, values in (
            ("oks", self.oks),
            ("landmark_nme", self.landmark_errors),
            ("keypoint_visibility", self.visibility_hits),
            ("mask_iou", self.mask_ious),
        ):
            if values:
                figures[name] = float(np.mean(values))
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
            self.landmark_errors += (error / (box[:, 3] - box[:, 1])).tolist()
        if found.keypoints is not None:
            truth, extent = batch.keypoints[image, gt], batch.extents[image, gt]
            known = truth[..., 2] > 0
            self.oks += keypoint_similarity(found.keypoints, truth, extent).tolist()
            self.visibility_hits += (found.keypoints[..., 2] == truth[..., 2])[known].float().tolist()


def keypoint_similarity(
    pred: Float[Tensor, "p k 3"], gt: Float[Tensor, "p k 3"], extents: Float[Tensor, "p 4"]
) -> Float[Tensor, " m"]:
    """COCO OKS of people with at least one labelled joint; the area is that of the person's extent."""
    sigmas = torch.as_tensor(SIGMAS, dtype=pred.dtype, device=pred.device)
    known = gt[..., 2] > 0
    area = (extents[:, 2:] - extents[:, :2]).prod(-1)[:, None]
    e = (pred[..., :2] - gt[..., :2]).square().sum(-1) / (2 * area * (2 * sigmas).square())
    judged = known.any(-1)
    return ((torch.exp(-e) * known).sum(-1) / known.sum(-1).clamp(min=1))[judged]


def identity_figures(scene: Float[Tensor, "p d"], references: Float[Tensor, "p d"]) -> dict[str, float]:
    """How well scene faces and reference views of the same people match: ROC AUC over all pairs, mean cosines."""
    similarity = (references @ scene.T).cpu().numpy()
    same = np.eye(len(similarity), dtype=bool)
    positive, negative = similarity[same], similarity[~same]
    threshold = np.quantile(negative, 0.999) if len(negative) else 1.0
    return {
        "identity_auc": area_under_roc(positive, negative),
        "identity_tar_at_0.1%": float((positive > threshold).mean()),
        "identity_same": float(positive.mean()),
        "identity_different": float(negative.mean()) if len(negative) else 0.0,
    }


def area_under_roc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Probability that a positive scores above a negative, ties counting half (Mann-Whitney)."""
    if not len(positive) or not len(negative):
        return float("nan")
    ranks = rankdata(np.concatenate([positive, negative]))
    n, m = len(positive), len(negative)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def _mask_iou(pred: Tensor, gt: Tensor) -> float:
    union = (pred | gt).sum()
    return 1.0 if union == 0 else float((pred & gt).sum() / union)
