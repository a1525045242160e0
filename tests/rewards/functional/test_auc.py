"""AUC against scikit-learn and scipy's Mann-Whitney statistic."""

import pytest
import torch
from scipy import stats
from sklearn.metrics import roc_auc_score

from rewards.functional.auc import identity_auc, roc_auc


@pytest.mark.parametrize("ties", [False, True])
def test_auc_is_sklearns_and_mann_whitneys(ties):
    generator = torch.Generator().manual_seed(0)
    positive = torch.rand(300, generator=generator) < 0.3
    scores = torch.randn(300, generator=generator) + positive
    if ties:
        scores = (scores * 2).round()
    ours = roc_auc(scores, positive).item()
    assert ours == pytest.approx(roc_auc_score(positive.numpy(), scores.numpy()), abs=1e-12)
    u = stats.mannwhitneyu(scores[positive].numpy(), scores[~positive].numpy()).statistic
    assert ours == pytest.approx(u / (positive.sum() * (~positive).sum()).item(), abs=1e-12)


def test_perfect_reversed_and_constant_scores():
    positive = torch.tensor([True, True, False, False])
    assert roc_auc(torch.tensor([3.0, 2.0, 1.0, 0.0]), positive) == 1.0
    assert roc_auc(torch.tensor([0.0, 1.0, 2.0, 3.0]), positive) == 0.0
    assert roc_auc(torch.zeros(4), positive) == 0.5


def test_one_class_or_a_nan_has_no_auc():
    positive = torch.tensor([True, False])
    assert roc_auc(torch.ones(2), torch.tensor([True, True])).isnan()
    assert roc_auc(torch.tensor([torch.nan, 1.0]), positive).isnan()
    assert roc_auc(torch.zeros(0), torch.zeros(0, dtype=torch.bool)).isnan()


def test_identity_auc_takes_every_pair_once():
    generator = torch.Generator().manual_seed(0)
    identities = torch.randint(0, 4, (24,), generator=generator)
    centres = torch.randn(4, 5, generator=generator)
    embeddings = centres[identities] + torch.randn(24, 5, generator=generator)
    same, cosine = [], []
    for i in range(24):
        for j in range(i):
            same.append(bool(identities[i] == identities[j]))
            cosine.append(torch.nn.functional.cosine_similarity(embeddings[i], embeddings[j], dim=0).item())
    assert identity_auc(embeddings, identities).item() == pytest.approx(roc_auc_score(same, cosine), abs=1e-6)
