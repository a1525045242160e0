"""Muon for kernels against torch's own Muon for matrices."""

import pytest
import torch

from lightning_modules.pretraining.conv_muon import ConvMuon, orthogonalize


@pytest.mark.parametrize("shape", [(24, 8), (8, 24)])
def test_a_1x1_kernel_steps_like_torchs_matrix(shape):
    torch.manual_seed(0)
    matrix = torch.nn.Parameter(torch.randn(shape))
    kernel = torch.nn.Parameter(matrix.detach().clone()[:, :, None, None])
    theirs = torch.optim.Muon(
        [matrix], lr=0.02, weight_decay=0.01, adjust_lr_fn="match_rms_adamw", ns_steps=4
    )
    ours = ConvMuon([kernel], lr=0.02, weight_decay=0.01, ns_steps=4)
    start = matrix.detach().clone()
    for _ in range(3):
        matrix.grad = torch.randn(shape)
        kernel.grad = matrix.grad[:, :, None, None].clone()
        theirs.step()
        ours.step()
    moved = float((matrix - start).detach().norm())
    assert moved > 0.1
    assert float((kernel.squeeze() - matrix).detach().norm()) < 0.01 * moved  # bfloat16 sums in another order


def test_memory_format_does_not_matter():
    torch.manual_seed(0)
    plain = torch.nn.Parameter(torch.randn(6, 4, 3, 3))
    last = torch.nn.Parameter(plain.detach().clone().contiguous(memory_format=torch.channels_last))
    gradient = torch.randn(6, 4, 3, 3)
    for kernel in (plain, last):
        kernel.grad = gradient.clone(memory_format=torch.preserve_format)
        ConvMuon([kernel], lr=0.1).step()
    torch.testing.assert_close(plain, last, atol=0, rtol=0)


def test_singular_values_become_about_one():
    torch.manual_seed(0)
    matrix = torch.diag(torch.tensor([5.0, 1.0, 0.2])) @ torch.randn(3, 12)
    values = torch.linalg.svdvals(orthogonalize(matrix, iterations=8))
    assert values.min() > 0.6
    assert values.max() < 1.4


def test_vectors_are_refused():
    with pytest.raises(ValueError, match="AdamW"):
        ConvMuon([torch.nn.Parameter(torch.zeros(3))])
