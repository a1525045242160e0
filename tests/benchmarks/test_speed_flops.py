"""The operations of a call against products counted one by one, and against torch's counter where it sees."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.speed.flops import attention_backward_flops, attention_flops, count_flops
from benchmarks.speed.proxy import Proxy
from lightning_modules.backbone.contexts import full_group
from lightning_modules.backbone.routing import SHORT

SIZES = {"batch": 2, "heads": 3, "queries": 5, "keys": 7, "head_dim": 4}


def attend(query, key, value):
    return (query @ key.transpose(-1, -2)).softmax(dim=-1) @ value


@pytest.fixture
def qkv():
    b, h, q, k, d = SIZES.values()
    return [torch.randn(b, h, s, d, requires_grad=True) for s in (q, k, k)]


def test_attention_is_every_multiplication_and_addition_of_two_products():
    b, h, q, k, d = SIZES.values()
    scores = sum(2 for _ in itertools.product(range(b), range(h), range(q), range(k), range(d)))
    values = sum(2 for _ in itertools.product(range(b), range(h), range(q), range(d), range(k)))
    assert attention_flops(**SIZES) == scores + values


def test_attention_is_what_torch_counts_where_it_is_written_out(qkv):
    with FlopCounterMode(display=False) as counter:
        attend(*qkv)
    assert counter.get_total_flops() == attention_flops(**SIZES)
    _, flops = count_flops(lambda: attend(*qkv))
    assert flops == attention_flops(**SIZES), "what torch sees must not be counted twice"


def test_fused_attention_is_counted_though_torch_is_blind_to_it(qkv):
    with FlopCounterMode(display=False) as blind:
        F.scaled_dot_product_attention(*qkv)
    assert blind.get_total_flops() == 0
    result, flops = count_flops(lambda: F.scaled_dot_product_attention(*qkv))
    assert flops == attention_flops(**SIZES)
    torch.testing.assert_close(result, F.scaled_dot_product_attention(*qkv))


def test_the_backward_pass_of_fused_attention_computes_the_scores_once_more(qkv):
    def there_and_back(function):
        return count_flops(lambda: function(*qkv).sum().backward())[1]

    written_out = there_and_back(attend)
    assert written_out == 3 * attention_flops(**SIZES)
    scores = attention_flops(**SIZES) // 2
    assert there_and_back(F.scaled_dot_product_attention) == written_out + scores
    assert attention_backward_flops(**SIZES) == written_out + scores - attention_flops(**SIZES)


@pytest.mark.parametrize("side", [4, 24])
def test_a_step_of_the_backbone_is_its_linear_layers_and_its_attention(side):
    """Counted by hooks on the layers, on both sides of the length from which attention is fused."""
    proxy = Proxy(2, 32, 1, 2, text_channels=24, pooled_channels=12, side=side, text_tokens=6, batch=2)
    backbone = proxy.backbone()
    prepared = backbone.prepare(proxy.sequence(full_group(proxy.canvas(), side, side)))
    tokens = 6 + 2 * side * side
    assert (tokens > SHORT) == (side == 24)
    linear = []
    for module in backbone.transformer.modules():
        if isinstance(module, nn.Linear):
            module.register_forward_hook(
                lambda m, inputs, output: linear.append(2 * output.numel() * m.in_features)
            )
    with torch.no_grad():
        _, flops = count_flops(
            lambda: backbone(prepared.with_noise(proxy.noise()), torch.full((2,), 0.5)),
        )
    assert flops == sum(linear) + 3 * attention_flops(2, 2, tokens, tokens, 32)
