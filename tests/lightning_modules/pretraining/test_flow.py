"""The base model's trainer: float32 masters behind a bfloat16 network, averaging, learning."""

from dataclasses import replace

import pytest
import torch
from diffusers import FluxTransformer2DModel
from quiet_trainer import quiet_trainer
from small_flux import SMALL
from torch.utils.data import DataLoader

from lightning_modules.backbone.contexts import Context
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.positions import grid_ids, text_ids
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence
from lightning_modules.pretraining.flow import FlowPretrainingModule, FlowRecipe
from lightning_modules.pretraining.flow_data import FlowBatch


def batch(seed: int) -> FlowBatch:
    """Two words, two pictures: the prompt decides the data."""
    rng = torch.Generator().manual_seed(seed)
    word = torch.randint(2, (8,), generator=rng)
    pattern = torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(99))
    prompt = torch.randn(2, 3, 12, generator=torch.Generator().manual_seed(98))
    sequence = TokenSequence(
        TokenGroup(prompt[word], text_ids(3)),
        prompt[word].mean(1),
        TokenGroup(torch.zeros(8, 4, 8), grid_ids(2, 2)),
    )
    faces = torch.eye(4)[2 * word]  # the first word's face is in the first token, the second's in the third
    return FlowBatch(sequence, pattern[word], torch.zeros(8, 4), faces, Context.TEXT)


def module(tmp_path, layout_weight=0.0, **changes) -> FlowPretrainingModule:
    torch.manual_seed(0)
    recipe = FlowRecipe(
        muon_learning_rate=5e-3,
        learning_rate=5e-3,
        warmup_steps=5,
        ema_decay=0.9,
        layout_weight=layout_weight,
        layout_block=0,
    )
    return FlowPretrainingModule(
        FluxBackbone(config=SMALL), recipe=recipe, output=str(tmp_path / "out"), **changes
    )


def fit(model, tmp_path, steps):
    stream = [batch(i) for i in range(steps)]
    trainer = quiet_trainer(max_steps=2 * steps, default_root_dir=tmp_path)
    trainer.fit(model, DataLoader(stream, batch_size=None))


def test_it_learns_what_the_prompt_says(tmp_path):
    model = module(tmp_path)
    model.configure_model()
    before = sum(float(model.errors(batch(i))["flow"]) for i in range(1000, 1010)) / 10
    fit(model, tmp_path, 150)
    after = sum(float(model.errors(batch(i))["flow"]) for i in range(1000, 1010)) / 10
    assert after < 0.6 * before


def test_the_middle_of_the_network_learns_where_faces_are(tmp_path):
    """Two words, two places of a face: a prediction that knew neither would be 0.25 off in two of four tokens."""
    model = module(tmp_path, layout_weight=1.0)
    model.configure_model()
    assert "head.linear.weight" in dict(model.named_parameters())
    fit(model, tmp_path, 300)
    given, hidden = batch(1000), {}
    with torch.no_grad():
        noise = torch.randn_like(given.data)
        model.backbone(given.sequence.with_noise(noise), torch.ones(8), probe=hidden.__setitem__)
        found = model.head(hidden[0])[..., 1]
    assert float((found - given.density).square().mean()) < 0.5 * 0.125
    written = FluxTransformer2DModel.from_pretrained(tmp_path / "out")
    assert not any("head" in name for name, _ in written.named_parameters())


def test_the_head_reaches_the_blocks_before_it(tmp_path):
    model = module(tmp_path, layout_weight=1.0)
    model.configure_model()
    given, hidden = batch(0), {}
    model.backbone(given.sequence.with_noise(given.data), torch.ones(8), probe=hidden.__setitem__)
    model.head.loss(hidden[0], given.people, given.density).backward()
    transformer = model.backbone.transformer
    assert transformer.x_embedder.weight.grad.abs().max() > 0
    assert transformer.proj_out.weight.grad is None


def test_network_follows_masters_and_the_average_is_written(tmp_path):
    model = module(tmp_path)
    fit(model, tmp_path, 8)
    for network, master in zip(model.backbone.transformer.parameters(), model.master, strict=True):
        assert network.dtype == torch.bfloat16
        assert master.dtype == torch.float32
        assert torch.equal(network, master.to(torch.bfloat16))
    written = FluxTransformer2DModel.from_pretrained(tmp_path / "out", torch_dtype=torch.float32)
    for saved, average in zip(written.parameters(), model.average, strict=True):
        assert torch.equal(saved, average.to(torch.bfloat16).float())
    assert any(not torch.equal(a, m) for a, m in zip(model.average, model.master, strict=True))


def test_a_share_of_the_start_is_kept(tmp_path):
    model = module(tmp_path, keep=0.3)
    model.configure_model()
    start = [p.detach().float().clone() for p in model.average]
    fit(model, tmp_path, 4)
    written = FluxTransformer2DModel.from_pretrained(tmp_path / "out", torch_dtype=torch.float32)
    for saved, average, first in zip(written.parameters(), model.average, start, strict=True):
        assert torch.equal(saved, (average + 0.3 * (first - average)).bfloat16().float())
    again = FlowPretrainingModule(FluxBackbone(str(tmp_path / "out")))
    again.configure_model()
    again.write_average(tmp_path / "again")
    assert str(tmp_path) not in (tmp_path / "again" / "config.json").read_text()
    with pytest.raises(ValueError, match=r"keep: 1\.0 must be"):
        module(tmp_path, keep=1.0)


@pytest.mark.parametrize(("step", "factor"), [(0, 0.1), (9, 1.0), (50, 1.0), (75, 0.5), (99, 0.03)])
def test_schedule(step, factor):
    recipe = FlowRecipe(warmup_steps=10, decay_share=0.5)
    assert recipe.factor(step, 100) == pytest.approx(factor, abs=1e-6)


def test_people_weigh_more(tmp_path):
    """The loss of an untrained model (velocity 0) in closed form: a weighted mean of the squared target."""
    model = module(tmp_path, people_weight=3.0)
    model.configure_model()
    plain = batch(0)
    people = torch.zeros(8, 4)
    people[:, 0] = 1.0
    torch.manual_seed(4)
    ours = model.errors(replace(plain, people=people))["flow"]
    torch.manual_seed(4)
    data = plain.data
    model.sigma_sampler.draw(8)
    target = (torch.randn_like(data) - data).square().mean(-1)
    weight = 1 + 3 * people
    expected = ((weight * target).sum(1) / weight.sum(1)).mean()
    assert float(ours) == pytest.approx(float(expected), rel=1e-4)
