"""Background figures against torchmetrics and scikit-image, and blind to people."""

import pytest
import torch
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import (
    learned_perceptual_image_patch_similarity,
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)
from torchvision.models import alexnet

from rewards.evaluation.background import background_perceptual, background_psnr, background_ssim
from rewards.evaluation.perceptual import LPIPS, PerceptualDistance, TinyPerceptual


class Absolute(PerceptualDistance):
    """Mean absolute difference."""

    name = "absolute"

    def map(self, pred, gt):
        return (pred - gt).abs().mean(1)


@pytest.fixture
def pair():
    gt = torch.nn.functional.interpolate(torch.rand(2, 3, 12, 12), size=(64, 64), mode="bilinear")
    return (gt + 0.1 * torch.randn_like(gt)).clamp(0, 1), gt


NOBODY = torch.zeros(2, 64, 64, dtype=torch.bool)


def somebody():
    mask = NOBODY.clone()
    mask[:, 20:40, 25:35] = True
    return mask


def test_without_people_they_are_the_libraries_figures(pair):
    pred, gt = pair
    for i in range(2):
        theirs = peak_signal_noise_ratio(pred[i : i + 1], gt[i : i + 1], data_range=1.0)
        torch.testing.assert_close(background_psnr(pred, gt, NOBODY)[i], theirs)
    theirs = structural_similarity_index_measure(pred, gt, data_range=1.0, reduction="none")
    torch.testing.assert_close(background_ssim(pred, gt, NOBODY), theirs)


def test_ssim_is_scikit_images_over_person_free_windows(pair):
    pred, gt = pair
    _, local = structural_similarity(
        pred[0].numpy(), gt[0].numpy(), data_range=1.0, channel_axis=0, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, full=True,
    )  # fmt: skip
    free = torch.ones(64, 64, dtype=torch.bool)
    free[20:40, 25:35] = False
    free[:5], free[-5:], free[:, :5], free[:, -5:] = (
        False,
        False,
        False,
        False,
    )  # the two pad rims differently
    people = ~free.expand(2, -1, -1)
    windows = [
        (y, x) for y in range(10, 54) for x in range(10, 54) if not (15 <= y < 45 and 20 <= x < 40)
    ]  # five pixels to each side show nobody
    by_hand = sum(local[:, y, x].mean() for y, x in windows) / len(windows)
    assert float(background_ssim(pred, gt, people)[0]) == pytest.approx(by_hand, abs=1e-4)


@pytest.mark.parametrize("figure", ["psnr", "ssim", "absolute", "tiny"])
def test_people_do_not_matter_and_the_background_does(pair, figure):
    pred, gt = pair
    people = somebody()
    measure = {
        "psnr": background_psnr,
        "ssim": background_ssim,
        "absolute": lambda *a: background_perceptual(*a, Absolute()),
        "tiny": lambda *a: background_perceptual(*a, TinyPerceptual()),
    }[figure]
    if figure == "tiny":
        pred, gt, people = (
            torch.nn.functional.interpolate(x.float().view(2, -1, 64, 64), scale_factor=2)
            for x in (pred, gt, people)
        )
        people = people[:, 0] > 0
    before = measure(pred, gt, people)
    other = torch.where(people[:, None], torch.rand_like(pred), pred)
    assert torch.equal(measure(other, gt, people), before)
    worse = (pred + 0.3 * torch.randn_like(pred)).clamp(0, 1)
    after = measure(worse, gt, people)
    assert bool(((after < before) if figure in ("psnr", "ssim") else (after > before)).all())
    everywhere = torch.ones_like(people)
    assert bool(measure(pred, gt, everywhere).isnan().all())


def test_equal_backgrounds_have_a_finite_psnr(pair):
    assert background_psnr(pair[1], pair[1], somebody()).tolist() == [100, 100]


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    torch.manual_seed(1)
    home = tmp_path_factory.mktemp("torch")
    path = home / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    path.parent.mkdir(parents=True)
    torch.save(alexnet(weights=None).state_dict(), path)
    return path


def test_lpips_is_torchmetrics_on_the_same_backbone(backbone, monkeypatch):
    """torchmetrics finds its backbone in torch's own cache; made-up weights stand there for both."""
    monkeypatch.setenv("TORCH_HOME", str(backbone.parents[2]))
    monkeypatch.setattr(
        "torch.hub.load_state_dict_from_url", lambda *_, **__: torch.load(backbone, weights_only=True)
    )
    monkeypatch.setattr(
        "torchvision.models._api.load_state_dict_from_url",
        lambda *_, **__: torch.load(backbone, weights_only=True),
    )
    ours = LPIPS(str(backbone))
    assert ours.name == "lpips_alex"
    pred, gt = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    theirs = learned_perceptual_image_patch_similarity(pred, gt, net_type="alex", normalize=True)
    mean = ours.map(pred, gt).mean()
    # Layers are brought to the image's size before averaging: bilinear weights are not quite even at the rim.
    torch.testing.assert_close(mean, theirs, rtol=0.05, atol=0)
    assert float(ours.map(gt, gt).abs().max()) == 0


def test_lpips_wants_the_right_file(backbone, tmp_path):
    with pytest.raises(ValueError, match="backbone: nowhere"):
        LPIPS("nowhere")
    with pytest.raises(ValueError, match=r"not torchvision's vgg16"):
        LPIPS(str(backbone), "vgg")
    with pytest.raises(ValueError, match="network: 'squeeze'"):
        LPIPS(str(backbone), "squeeze")
    with pytest.raises(ValueError, match="at least 64"):
        LPIPS(str(backbone)).map(torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 32, 32))
