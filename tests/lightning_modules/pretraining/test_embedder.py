import math

import pytest
import torch

from lightning_modules.pretraining.embedder import EmbedderPretraining, info_nce


def test_info_nce_equals_loops():
    torch.manual_seed(0)
    one, other = (torch.nn.functional.normalize(torch.randn(5, 8), dim=1) for _ in range(2))
    total = 0.0
    for a, b in ((one, other), (other, one)):
        for i in range(5):
            scores = [math.exp(float(a[i] @ b[j]) / 0.1) for j in range(5)]
            total -= math.log(scores[i] / sum(scores))
    assert info_nce(one, other, 0.1).item() == pytest.approx(total / 10, rel=1e-4)


def test_pairs_are_views_of_the_same_person(batch):
    module = EmbedderPretraining(width=8).eval()
    scene, reference = module._scene_crops(batch), module._reference_crops(batch)
    assert len(scene) == len(reference) == int(batch.valid.sum())
    # Even raw colours of a person's two crops agree better than those of two people.
    flat = [torch.nn.functional.avg_pool2d(x[:, :, 8:32, 8:32], 6).flatten(1) for x in (scene, reference)]
    distance = torch.cdist(flat[0], flat[1])
    assert distance.diagonal().mean() < 0.8 * distance.mean()


def test_landmark_noise_moves_training_crops_only(batch):
    module = EmbedderPretraining(width=8, landmark_noise=0.01)
    assert not torch.equal(module.train()._scene_crops(batch), module._scene_crops(batch))
    assert torch.equal(module.eval()._scene_crops(batch), module._scene_crops(batch))
