"""Do scores tell two classes apart: area under the ROC curve."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rewards.functional.faces import pairwise_cosine


def roc_auc(scores: Float[Tensor, " n"], positive: Bool[Tensor, " n"]) -> Float[Tensor, ""]:
    """Probability that a positive outscores a negative, ties counting half (the Mann-Whitney statistic).

    In fp64. NaN where one class is missing or a score is NaN.
    """
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives or bool(scores.isnan().any()):
        return torch.tensor(torch.nan, dtype=torch.float64, device=scores.device)
    _, place, counts = scores.unique(return_inverse=True, return_counts=True)
    last = counts.cumsum(0).double()
    midranks = last - (counts - 1) / 2
    above: Tensor = midranks[place][positive].sum() - positives * (positives + 1) / 2
    return above / (positives * negatives)


def identity_auc(embeddings: Float[Tensor, "n d"], identities: Int[Tensor, " n"]) -> Float[Tensor, ""]:
    """AUC of the cosine over all pairs of faces: same identity against different ones."""
    first, second = torch.triu_indices(len(embeddings), len(embeddings), offset=1, device=embeddings.device)
    cosine = pairwise_cosine(embeddings, embeddings)[first, second]
    return roc_auc(cosine, identities[first] == identities[second])
