"""The Inception of FID against a port written out by hand; the names that distances carry."""

import hashlib

import pytest
import torch
from torch.nn import functional
from torchmetrics.image.fid import FrechetInceptionDistance
from torchvision.models import inception_v3
from torchvision.models.inception import InceptionA, InceptionC, InceptionE

from rewards.evaluation.features import InceptionFeatures, TinyFeatures, set_distances
from rewards.evaluation.inception import fid_inception


def randomised(network):
    """Weights and statistics that no two channels share, at a scale that survives 100 layers."""
    torch.manual_seed(3)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("conv.weight"):
                torch.nn.init.kaiming_normal_(value)
            elif name.endswith(("bn.weight", "running_var")):
                value.uniform_(0.8, 1.2)
            elif name.endswith(("bn.bias", "running_mean")):
                value.normal_(0, 0.1)
    return network.eval()


@pytest.fixture(scope="module")
def network():
    return randomised(fid_inception())


@pytest.fixture(scope="module")
def file(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(network.state_dict(), path)
    return path


def block_by_hand(block, x, pool):
    """The blocks of torchvision with the pooling branch as FID's ports write it."""
    if isinstance(block, InceptionA):
        branches = [
            block.branch1x1(x),
            block.branch5x5_2(block.branch5x5_1(x)),
            block.branch3x3dbl_3(block.branch3x3dbl_2(block.branch3x3dbl_1(x))),
        ]
    elif isinstance(block, InceptionC):
        double = block.branch7x7dbl_2(block.branch7x7dbl_1(x))
        branches = [
            block.branch1x1(x),
            block.branch7x7_3(block.branch7x7_2(block.branch7x7_1(x))),
            block.branch7x7dbl_5(block.branch7x7dbl_4(block.branch7x7dbl_3(double))),
        ]
    else:
        assert isinstance(block, InceptionE)
        one, two = block.branch3x3_1(x), block.branch3x3dbl_2(block.branch3x3dbl_1(x))
        branches = [
            block.branch1x1(x),
            torch.cat([block.branch3x3_2a(one), block.branch3x3_2b(one)], 1),
            torch.cat([block.branch3x3dbl_3a(two), block.branch3x3dbl_3b(two)], 1),
        ]
    return torch.cat([*branches, block.branch_pool(pool(x))], 1)


def unpadded_average(x):
    ones = torch.ones_like(x)
    return functional.avg_pool2d(x, 3, 1, 1) / functional.avg_pool2d(ones, 3, 1, 1)


def maximum(x):
    return (
        functional.unfold(functional.pad(x, (1, 1, 1, 1), value=-1e9), 3)
        .unflatten(1, (-1, 9))
        .amax(2)
        .view_as(x)
    )


@pytest.mark.parametrize(
    ("name", "channels", "pool"),
    [
        *(("Mixed_5b", 192, unpadded_average), ("Mixed_5d", 288, unpadded_average)),
        *(("Mixed_6b", 768, unpadded_average), ("Mixed_6e", 768, unpadded_average)),
        *(("Mixed_7b", 1280, unpadded_average), ("Mixed_7c", 2048, maximum)),
    ],
)
@torch.no_grad()
def test_pooling_branches_are_tensorflows(network, name, channels, pool):
    block, x = getattr(network, name), torch.randn(1, channels, 9, 9)
    torch.testing.assert_close(block(x), block_by_hand(block, x, pool), rtol=1e-4, atol=1e-4)


def test_keys_are_torchvisions_with_1008_classes():
    theirs = inception_v3(num_classes=1008, aux_logits=False, init_weights=False, weights=None)
    shapes = {name: value.shape for name, value in theirs.state_dict().items()}
    assert {name: value.shape for name, value in fid_inception().state_dict().items()} == shapes


@torch.no_grad()
def test_features_are_pooled_from_images_of_299_pixels(network, file):
    judge = InceptionFeatures(str(file))
    images = torch.rand(2, 3, 40, 30)
    inputs = functional.interpolate(images, size=(299, 299), mode="bilinear", align_corners=False) * 2 - 1
    seen = {}
    hook = network.avgpool.register_forward_hook(lambda *a: seen.update(pooled=a[2]))
    network(inputs)
    hook.remove()
    torch.testing.assert_close(judge.features(images), seen["pooled"].flatten(1), rtol=1e-4, atol=1e-4)
    assert judge.features(images).shape == (2, 2048)


def test_other_weights_carry_another_name(file, tmp_path):
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    assert InceptionFeatures(str(file)).name == f"inception_{digest}"
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="is not FID's Inception"):
        InceptionFeatures(str(tmp_path / "other.pth"))
    with pytest.raises(ValueError, match="pytorch-fid"):
        InceptionFeatures(str(tmp_path / "none.pth"))


def test_distances_are_torchmetrics_and_named_after_their_features():
    class Given(torch.nn.Module):
        num_features = 6

        def forward(self, x):
            return x[:, 0, 0, :6]

    a, b = torch.randn(40, 6), torch.randn(50, 6) * 1.5 + 0.3
    found = set_distances("tiny", a, b)
    assert set(found) == {"frechet_tiny", "kernel_tiny"}
    theirs = FrechetInceptionDistance(Given(), normalize=True, input_img_size=(3, 8, 8))
    for features, real in ((a, True), (b, False)):
        theirs.update(functional.pad(features, (0, 2))[:, None, None].expand(-1, 3, 8, -1), real=real)
    assert found["frechet_tiny"] == pytest.approx(float(theirs.compute()), rel=1e-4)
    nothing = set_distances("tiny", a[:1], b)
    assert nothing["frechet_tiny"] != nothing["frechet_tiny"]


def test_tiny_features_are_the_analyzers():
    features = TinyFeatures()
    assert features.name == "tiny"
    assert features.features(torch.rand(2, 3, 64, 64)).shape[0] == 2
