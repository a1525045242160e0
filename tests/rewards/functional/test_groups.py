import numpy as np
import pytest
import torch

from rewards.functional.groups import Groups


def test_means_and_spreads_are_numpys_wherever_members_stand():
    labels = torch.tensor([7, 2, 7, 2**53 + 1, 2, 7])
    values = torch.rand(6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    groups = Groups.of(labels)
    for place, label in enumerate(labels.unique()):
        own = values[labels == label].numpy()
        assert int(groups.members[place]) == len(own)
        assert float(groups.sum(values)[place]) == pytest.approx(own.sum())
        assert float(groups.mean(values)[place]) == pytest.approx(np.mean(own))
        assert float(groups.std(values)[place]) == pytest.approx(np.std(own))
