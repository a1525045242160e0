import pytest
import torch
from observed import observe, perfect

from datamodules.schema.detections import Detections
from rewards.count import CountReward


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda seen: seen, [1, 1, 1, 1]),
        (lambda seen: [d[: len(d) - 1] for d in seen], [0, 0, 0, 0]),
        (lambda seen: [Detections.empty(8)] * 4, [0, 0, 0, 0]),
        (lambda seen: seen[::-1], [0, 0, 0, 0]),
        (lambda seen: [seen[0], seen[0], seen[2], seen[2]], [1, 0, 1, 0]),
    ],
)
def test_exact_agreement(scenes, change, expected):
    assert CountReward().score(observe(scenes, change(perfect(scenes)))).tolist() == expected


def test_an_unknown_number_is_not_scored(scenes):
    scores = CountReward().score(observe(scenes, people=(1, None, 3, None)))
    assert scores.isnan().tolist() == [False, True, False, True]
    with pytest.raises(ValueError, match="no analyzer"):
        CountReward().score(observe(scenes).__class__(scenes.images, (None,) * 4, (1,) * 4))
    assert torch.equal(scores[[0, 2]], torch.ones(2))
