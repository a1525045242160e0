import pytest
import torch
from beartype import beartype
from jaxtyping import jaxtyped

from rewards.analyzers.tiny_networks import FaceDetector, FaceEmbedder, KeypointHead, Trunk, sample_points


def test_trunk_strides():
    seen = Trunk(8)(torch.rand(2, 3, 128, 128))
    assert [tuple(x.shape) for x in seen] == [(2, 8, 32, 32), (2, 12, 16, 16), (2, 16, 8, 8)]


def test_detector_shapes():
    output = FaceDetector(width=8, neck=8, body=8)(torch.rand(2, 3, 128, 128))
    assert output.heatmap.shape == (2, 32, 32)
    assert output.box.shape == (2, 4, 32, 32)
    assert output.landmarks.shape == (2, 10, 32, 32)
    assert output.mask.shape == (2, 128, 128)
    # Before training hardly anything is called a face.
    assert output.heatmap.sigmoid().mean() < 0.1


@pytest.mark.parametrize("people", [[], [0], [0, 0, 0, 2]])
def test_keypoints_of_any_number_of_people(people):
    head = KeypointHead(channels=8, width=8, rounds=2)
    output = head(
        torch.rand(3, 8, 32, 32), torch.tensor(people, dtype=torch.long), torch.rand(len(people), 2)
    )
    assert [p.shape for p in output.positions] == [(len(people), 17, 2)] * 3
    assert output.visibility.shape == (len(people), 17, 3)


def test_a_body_depends_on_its_own_image_only():
    torch.manual_seed(0)
    head = KeypointHead(channels=8, width=8, rounds=1).eval()
    features, centres = torch.rand(2, 8, 32, 32), torch.rand(2, 2)
    both = head(features, torch.tensor([0, 1]), centres)
    features[1] = 0
    again = head(features, torch.tensor([0, 1]), centres)
    torch.testing.assert_close(both.positions[-1][0], again.positions[-1][0])
    assert not torch.allclose(both.positions[-1][1], again.positions[-1][1])


def test_points_are_sampled_bilinearly_between_cell_centres():
    x, y = torch.meshgrid(torch.arange(4) + 0.5, torch.arange(4) + 0.5, indexing="xy")
    ramp = torch.stack([x, y])[None].repeat(3, 1, 1, 1) / 4
    ramp[1] += 10
    points = torch.tensor([[[0.3, 0.4], [0.5, 0.8]], [[0.2, 0.2], [0.6, 0.7]], [[0.6, 0.6], [0.4, 0.3]]])
    sampled = jaxtyped(sample_points, typechecker=beartype)(ramp, torch.tensor([0, 1, 1]), points)
    torch.testing.assert_close(sampled, points + torch.tensor([0.0, 10, 10])[:, None, None])


def test_embeddings_have_unit_norm():
    crops = torch.rand(4, 3, 40, 40)
    embeddings = FaceEmbedder(width=8)(crops)
    assert embeddings.shape == (4, 128)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(4))
