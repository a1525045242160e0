"""PCK against a loop, and its reference lengths against geometry."""

import pytest
import torch

from rewards.functional.pck import matched_pck, pck, trunk_lengths


@pytest.fixture
def people():
    gt = torch.rand(4, 17, 3) * 100
    gt[..., 2] = torch.randint(0, 3, (4, 17))
    return gt


def test_pck_is_the_loop(people):
    pred = people + torch.randn_like(people) * 20
    lengths = torch.tensor([30.0, 50.0, 10.0, 80.0])
    for share in (0.2, 0.5):
        by_hand = []
        for g, p, length in zip(people, pred, lengths, strict=True):
            near = [
                bool(((g[k, :2] - p[k, :2]) ** 2).sum().sqrt() <= share * length)
                for k in range(17)
                if g[k, 2] > 0
            ]
            by_hand.append(sum(near) / len(near))
        assert pck(people, pred, lengths, share).tolist() == pytest.approx(by_hand)
    assert 0 < pck(people, pred, lengths)[0] < 1


def test_undefined_people_are_nan(people):
    people[0, :, 2] = 0
    values = pck(people, people, torch.tensor([1.0, torch.nan, 0.0, 1.0]))
    assert values.isnan().tolist() == [True, True, True, False]
    assert pck(people, people * torch.nan, torch.ones(4))[3] == 0
    with pytest.raises(ValueError, match="share: 0"):
        pck(people, people, torch.ones(4), 0)


def test_reference_lengths():
    body = torch.zeros(3, 17, 3)
    body[:, [5, 12], 2] = 1
    body[:, 5, :2] = torch.tensor([3.0, 0.0])
    body[:, 12, :2] = torch.tensor([0.0, 4.0])
    body[1, 12, 2] = 0
    body[1, [6, 11], 2] = 2
    body[1, 6, :2] = torch.tensor([0.0, 6.0])
    body[1, 11, :2] = torch.tensor([8.0, 0.0])
    body[2, 5, 2] = 0
    lengths = trunk_lengths(body)
    assert lengths[:2].tolist() == [5.0, 10.0]
    assert bool(lengths[2].isnan())


def test_people_are_matched_and_the_missing_count_nothing(people):
    people[..., 2] = 2
    lengths = torch.full((4,), 10.0)
    assert matched_pck(people, people[[2, 0, 3]], lengths).tolist() == [1, 0, 1, 1]
    assert matched_pck(people, people[:0], lengths).tolist() == [0, 0, 0, 0]
