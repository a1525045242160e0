import pytest
import torch
from scipy.stats import spearmanr

from datamodules.schema.interfaces import Scorer
from datamodules.tiny_world.scenes import draw_scene
from rewards.scorers.tiny import TinyImageTextScorer, TinyQualityJudge, TinyQualityScorer

QUALITY = (TinyQualityScorer, TinyQualityJudge)


@pytest.fixture(scope="module")
def scenes():
    return [draw_scene(60_000 + i, split="test") for i in range(64)]


@pytest.fixture(scope="module")
def images(scenes):
    return torch.stack([scene.image for scene in scenes])


@pytest.fixture(scope="module")
def image_text():
    return TinyImageTextScorer()


def _worse(images, severity):
    """Noise and blur by torchvision, not by the code that made the training faults."""
    from torchvision.transforms.functional import gaussian_blur

    blurred = gaussian_blur(images, 13, 0.1 + 3 * severity)
    return (
        blurred + 0.15 * severity * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    ).clamp(0, 1)


@pytest.mark.parametrize("build", [TinyImageTextScorer, *QUALITY])
def test_they_are_scorers_that_read_nothing_at_construction(build, tmp_path):
    scorer = build(weights=tmp_path)
    assert isinstance(scorer, Scorer)
    with pytest.raises(ValueError, match="no such file"):
        scorer.score(torch.rand(1, 3, 128, 128), ["two people"])


def test_images_find_their_captions(image_text, scenes, images):
    prompts = [scene.prompt for scene in scenes]
    similarity = image_text.embed_images(images) @ image_text.embed_prompts(prompts).T
    torch.testing.assert_close(image_text.score(images, prompts), similarity.diagonal())
    halves = [similarity[:32, :32], similarity[32:, 32:]]
    hits = torch.cat([half.argmax(1) == torch.arange(32) for half in halves])
    assert hits.float().mean() >= 0.7


@pytest.mark.parametrize("build", QUALITY)
def test_quality_falls_with_severity(build, images):
    scorer = build()
    clean = scorer.score(images)
    assert ((clean >= 0) & (clean <= 1)).all()
    means = [scorer.score(_worse(images, s)).mean().item() for s in (0.25, 0.5, 1.0)]
    # Nothing in training was worse than drafts of the base, so the worst images are all alike.
    assert clean.mean().item() > means[0] > max(means[1:])
    assert max(means[1:]) < 0.4
    severity = torch.linspace(0, 1, len(images))
    mixed = torch.cat([_worse(image[None], float(s)) for image, s in zip(images, severity, strict=True)])
    assert spearmanr(scorer.score(mixed).numpy(), severity.numpy())[0] < -0.6


def test_scorer_and_judge_are_different_networks(images):
    one, other = TinyQualityScorer(), TinyQualityJudge()
    assert one.network.trunk.widths != other.network.trunk.widths
    assert not torch.allclose(one.score(images), other.score(images), atol=1e-3)


@pytest.mark.parametrize("size", [(128, 128), (256, 256), (96, 64)])
def test_any_size_and_none(image_text, size):
    images = torch.rand(2, 3, *size)
    assert image_text.score(images, ["a", "b"]).shape == (2,)
    assert TinyQualityScorer().score(images).shape == (2,)
    assert image_text.score(images[:0], []).shape == (0,)
    assert TinyQualityJudge().score(images[:0]).shape == (0,)


def test_padding_has_no_influence(image_text):
    long = "three women and two men dancing in the snow while everybody is looking at the camera"
    alone = image_text.embed_prompts(["two men"])[0]
    torch.testing.assert_close(image_text.embed_prompts(["two men", long])[0], alone, atol=1e-5, rtol=0)


def test_one_prompt_per_image(image_text):
    with pytest.raises(ValueError, match="one per image"):
        image_text.score(torch.rand(2, 3, 128, 128), ["a"])
    with pytest.raises(ValueError, match="images: shape"):
        TinyQualityScorer().score(torch.rand(3, 128, 128))
