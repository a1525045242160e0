"""Counts against scikit-learn."""

import torch
from sklearn.metrics import accuracy_score, mean_absolute_error

from rewards.functional.counts import count_error, exact_count


def test_means_are_accuracy_and_mean_absolute_error():
    generator = torch.Generator().manual_seed(0)
    pred, gt = (torch.randint(0, 5, (200,), generator=generator) for _ in range(2))
    assert abs(exact_count(pred, gt).mean().item() - accuracy_score(gt, pred)) < 1e-6
    assert abs(count_error(pred, gt).mean().item() - mean_absolute_error(gt, pred)) < 1e-6


def test_nobody_counts_as_zero_people():
    pred, gt = torch.tensor([0, 0, 2]), torch.tensor([0, 3, 3])
    assert exact_count(pred, gt).tolist() == [1.0, 0.0, 0.0]
    assert count_error(pred, gt).tolist() == [0.0, 3.0, 1.0]
