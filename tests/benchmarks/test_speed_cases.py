"""The cases of the speed suite do the work they are named after."""

import itertools

import pytest
import torch
from diffusers import FluxTransformer2DModel

from benchmarks.speed.canvases import CanvasSteps, kept_tokens
from benchmarks.speed.flops import count_flops
from benchmarks.speed.in_place import ConditionSteps
from benchmarks.speed.kontext import KontextSampling
from benchmarks.speed.policy import PolicyEpochs, stored_bytes
from benchmarks.speed.proxy import Proxy
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.policy.rollout import Policy

SMALL = {
    "heads": 2,
    "head_dim": 32,
    "double_blocks": 1,
    "single_blocks": 2,
    "text_channels": 24,
    "pooled_channels": 12,
    "side": 6,
    "text_tokens": 5,
    "batch": 2,
}


@pytest.mark.parametrize(
    ("people", "side", "face"), [(1, 32, 0.175), (3, 32, 0.175), (7, 13, 0.3), (2, 8, 1.0)]
)
def test_kept_tokens_are_those_a_box_touches(people, side, face):
    keep = kept_tokens(people, side, face)
    assert keep.shape == (people, side, side)
    top = min(0.25, 1 - face)
    lefts = [0.5 * (1 - face)] if people == 1 else [(1 - face) * p / (people - 1) for p in range(people)]
    for person, row, column in itertools.product(range(people), range(side), range(side)):
        inside = [
            a < (cell + 1) / side - 1e-9 and a + face > cell / side + 1e-9
            for a, cell in ((top, row), (lefts[person], column))
        ]
        assert bool(keep[person, row, column]) == all(inside), (person, row, column)


def test_face_tokens_are_the_canvases_tokens_at_their_own_places():
    steps = CanvasSteps(SMALL, face=0.4, people=(2, 3))
    group = steps.faces(3)
    keep = kept_tokens(3, 6, 0.4)
    assert len(group) == int(keep.sum()) < 3 * 36
    assert group.valid is None
    place = itertools.count()
    for person, row, column in keep.nonzero().tolist():
        k = next(place)
        full = steps.full(person)
        assert torch.equal(group.tokens[:, k], full.tokens[:, row * 6 + column])
        assert torch.equal(group.ids[:, k], full.ids[:, row * 6 + column].expand(2, -1))
    assert not torch.equal(steps.full(0).tokens, steps.full(1).tokens)


def test_every_case_costs_what_the_stock_transformer_costs_on_as_many_tokens():
    proxy = Proxy(**SMALL)
    steps = CanvasSteps(SMALL, face=0.4, people=(2, 3))
    stock = FluxTransformer2DModel.from_config(dict(proxy.backbone().transformer.config))

    def flops(conditions):
        tokens = 36 + conditions
        with torch.no_grad():
            return count_flops(
                lambda: stock(
                    hidden_states=torch.zeros(2, tokens, 64),
                    encoder_hidden_states=torch.zeros(2, 5, 24),
                    pooled_projections=torch.zeros(2, 12),
                    timestep=torch.ones(2),
                    img_ids=torch.zeros(tokens, 3),
                    txt_ids=torch.zeros(5, 3),
                )
            )[1]

    conditions = {"one_canvas": 36, "canvases_2": 72, "canvases_3": 108}
    conditions |= {f"faces_{n}": int(kept_tokens(n, 6, 0.4).sum()) for n in (2, 3)}
    cases = steps.cases()
    assert set(cases) == set(conditions)
    for name, case in cases.items():
        assert count_flops(case)[1] == pytest.approx(flops(conditions[name]), rel=0.03), name


def test_a_kept_picture_costs_its_keys_and_values_in_attention_alone():
    """As the stock transformer does: jointly as many tokens; cached, the noise and longer attention."""
    proxy = Proxy(**SMALL)
    cases = ConditionSteps(SMALL, rank=1).cases()
    assert set(cases) == {"joint", "branch", "causal", "cached", "cache"}
    counted = {name: count_flops(case)[1] for name, case in cases.items()}
    stock = FluxTransformer2DModel.from_config(dict(proxy.backbone().transformer.config))

    def flops(tokens):
        with torch.no_grad():
            return count_flops(
                lambda: stock(
                    hidden_states=torch.zeros(2, tokens, 64),
                    encoder_hidden_states=torch.zeros(2, 5, 24),
                    pooled_projections=torch.zeros(2, 12),
                    timestep=torch.ones(2),
                    img_ids=torch.zeros(tokens, 3),
                    txt_ids=torch.zeros(5, 3),
                )
            )[1]

    assert counted["joint"] == pytest.approx(flops(72), rel=0.03)
    assert counted["causal"] < counted["branch"] < counted["joint"]
    blocks, width, queries = 3, 2 * 32, 36 + 5
    longer = blocks * 4 * 2 * queries * 36 * width
    assert counted["cached"] == pytest.approx(flops(36) + longer, rel=0.03)
    saved = counted["causal"] - counted["cached"]
    assert 0.8 * saved < counted["cache"] < 1.2 * saved


def test_memory_that_tensors_share_counts_once():
    a, b = torch.zeros(10), torch.zeros(3, dtype=torch.float64)
    assert stored_bytes([a, a, a[2:5], a.view(2, 5), b]) == 40 + 24


@pytest.fixture
def passes(monkeypatch):
    """Counts passes of the policy with and without gradient."""
    seen = []
    velocity = Policy.velocity

    def counted(self, *args):
        seen.append(torch.is_grad_enabled())
        return velocity(self, *args)

    monkeypatch.setattr(Policy, "velocity", counted)
    return seen


@pytest.mark.parametrize(("case", "trained"), [("window", 2), ("all_steps", 5)])
def test_an_epoch_draws_every_step_and_learns_from_the_recorded_ones(monkeypatch, passes, case, trained):
    backward = []
    monkeypatch.setattr(torch.Tensor, "backward", _counted(torch.Tensor.backward, backward))
    epochs = PolicyEpochs(SMALL, steps=6, window=2, rank=2)
    counts = epochs.cases()[case]()
    assert passes == [False] * 6 + [True] * trained
    assert len(backward) == trained
    assert all(loss.requires_grad for loss in backward)
    latents, scores = 2 * 36 * 64 * 4, 2 * trained * 4
    assert counts["replay_bytes"] == (trained + 1) * latents + scores, "neighbouring steps share latents"
    assert counts["trajectory_bytes"] == counts["replay_bytes"] + latents


def test_checkpointed_epochs_compute_every_trained_block_once_more(monkeypatch):
    calls = []
    block = FluxBackbone._run
    monkeypatch.setattr(
        FluxBackbone, "_run", lambda self, *args: block(self, _counted(args[0], calls), *args[1:])
    )
    counts = {}
    for checkpointing in (False, True):
        calls.clear()
        PolicyEpochs(SMALL, steps=4, window=1, rank=2, gradient_checkpointing=checkpointing).cases()[
            "window"
        ]()
        counts[checkpointing] = len(calls)
    blocks = SMALL["double_blocks"] + SMALL["single_blocks"]
    assert counts == {False: 5 * blocks, True: 6 * blocks}, "4 steps drawn, 1 scored, and that one again"


def _counted(function, calls):
    def wrapper(self, *args, **kwargs):
        calls.append(self)
        return function(self, *args, **kwargs)

    return wrapper


def test_every_lora_layer_is_reached_by_the_gradient(monkeypatch):
    reached = set()
    made = Proxy.backbone

    def watched(self, adapters=None):
        backbone = made(self, adapters)
        for name, parameter in backbone.adapters.named_parameters():
            assert parameter.requires_grad
            parameter.register_post_accumulate_grad_hook(lambda _, name=name: reached.add(name))
        assert not any(p.requires_grad for p in backbone.transformer.parameters())
        watched.names = {name for name, _ in backbone.adapters.named_parameters()}
        return backbone

    monkeypatch.setattr(Proxy, "backbone", watched)
    PolicyEpochs(SMALL, steps=3, window=1, rank=2).cases()["window"]()
    assert reached == watched.names
    assert reached


def test_our_rollout_draws_the_pipelines_latents_with_the_same_work():
    sampling = KontextSampling({**SMALL, "batch": 1, "dtype": "float32"}, steps=3)
    theirs, ours = sampling.draw_theirs(), sampling.draw_ours()
    assert (theirs - sampling.noise).abs().max() > 0.1
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
    flops = {name: count_flops(case)[1] for name, case in sampling.cases().items()}
    assert flops["pipeline"] == pytest.approx(flops["ours"], rel=0.05)
    assert flops["pipeline"] >= flops["ours"]
    sampling.image = sampling.image + 1
    assert (sampling.draw_theirs() - theirs).abs().max() > 1e-3, "the canvas must matter"


@pytest.mark.parametrize(
    ("sizes", "words"),
    [({"head_dim": 24}, "head_dim: 24"), ({"side": 0}, "side: 0"), ({"batch": 0}, "batch: 0")],
)
def test_impossible_sizes_are_named(sizes, words):
    with pytest.raises(ValueError, match=words):
        Proxy(**{**SMALL, **sizes})
    with pytest.raises(ValueError, match="face: 0"):
        CanvasSteps(SMALL, face=0, people=(2,))
