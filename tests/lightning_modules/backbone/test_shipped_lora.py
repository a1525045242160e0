"""LoRA sets that ship: found by name, and only if they are what their cards say."""

import pytest
import torch
from diffusers import FluxTransformer2DModel
from small_flux import SMALL

from datamodules.collate import collate
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.ar2can.generate import CONFIG, artist
from lightning_modules.backbone import shipped_lora
from lightning_modules.backbone.adapters import LoRASet, LoRASpec
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.flux_source import SHIPPED
from lightning_modules.backbone.generator import FluxGenerator
from lightning_modules.backbone.shipped_lora import lora_file, shipped_loras
from lightning_modules.policy.module import ADAPTER
from lightning_modules.pretraining.model_card import write_weights_card


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder of shipped sets with one for the tiny base, called ``tuned``."""
    backbone = FluxBackbone("flux_tiny").configure()
    lora = LoRASet(LoRASpec(rank=2, alpha=6), backbone.linear_layers())
    for up in lora.up.values():
        torch.nn.init.normal_(up.weight, std=0.3)
    lora.save(tmp_path / "tuned.safetensors")
    write_weights_card(tmp_path / "tuned.safetensors", "python -m train", "scenes", 3, {"val/face": 0.5})
    monkeypatch.setattr(shipped_lora, "SHIPPED", tmp_path)
    return tmp_path


def test_generators_and_artists_take_a_shipped_set_by_its_name(shipped):
    assert shipped_loras() == ["tuned"]
    batch = collate([draw_scene(1, "val", count=2)])
    plain, tuned, by_path = (
        FluxGenerator(lora=lora).generate(batch, seed=0, context="canvas", steps=1)
        for lora in (None, "tuned", str(shipped / "tuned.safetensors"))
    )
    assert torch.equal(tuned, by_path)
    assert (tuned - plain).abs().max() > 0.05
    changes = ["model.init_args.backbone.init_args.source=flux_tiny", "model.init_args.sampling.eval_steps=1"]
    module = artist(CONFIG, "tuned", changes)
    loaded, _ = LoRASet.load(shipped / "tuned.safetensors")
    ours = module.backbone.adapters[ADAPTER].state_dict()
    assert all(torch.equal(ours[name], value) for name, value in loaded.state_dict().items())
    drawn = module.draw(batch, seed=0)
    torch.testing.assert_close(drawn, tuned.clone(), rtol=0, atol=0, msg="what was trained is what is drawn")


def test_a_set_that_is_not_what_its_card_says_is_refused(shipped):
    path = shipped / "tuned.safetensors"
    payload = bytearray(path.read_bytes())
    payload[-1] ^= 1
    path.write_bytes(bytes(payload))
    with pytest.raises(ValueError, match="sha256"):
        lora_file("tuned")
    with pytest.raises(ValueError, match="sha256"):
        FluxGenerator(lora="tuned")
    with pytest.raises(ValueError, match=r"--lora: weights 'tuned': sha256"):
        artist(CONFIG, "tuned")
    path.with_suffix(".json").unlink()
    with pytest.raises(ValueError, match=r"no card tuned\.json"):
        lora_file("tuned")


def test_what_is_nowhere_is_named_with_what_there_is(shipped):
    with pytest.raises(ValueError, match=r"tuend is neither a file nor one of the shipped sets \['tuned'\]"):
        lora_file("tuend")


@pytest.mark.parametrize(("dtype", "apart"), [("float32", 1e-5), ("bfloat16", 5e-3)])
def test_a_fused_set_is_part_of_the_weights_as_diffusers_fuses_it(shipped, dtype, apart):
    fused = FluxBackbone("flux_tiny", dtype=dtype, fused=["tuned"]).configure().transformer
    stock = FluxTransformer2DModel.from_pretrained(SHIPPED / "flux_tiny", torch_dtype=torch.float32)
    stock.load_lora_adapter(shipped, weight_name="tuned.safetensors", prefix="transformer")
    stock.fuse_lora()
    plain = dict(FluxBackbone("flux_tiny").configure().transformer.named_parameters())
    expected = {name.replace(".base_layer", ""): value for name, value in stock.named_parameters()}
    changed = 0
    for name, weight in fused.named_parameters():
        assert not weight.requires_grad
        torch.testing.assert_close(weight.float(), expected[name], rtol=apart, atol=apart)
        changed += not torch.equal(weight.float(), plain[name])
    assert changed == len(LoRASet.load(shipped / "tuned.safetensors")[0].layers)


def test_a_fused_set_draws_what_it_draws_beside_the_weights(shipped):
    batch = collate([draw_scene(1, "val", count=2)])
    drawn = FluxGenerator(lora="tuned", dtype="float32").generate(batch, seed=0, steps=1)
    generator = FluxGenerator(dtype="float32")
    generator.backbone = FluxBackbone("flux_tiny", fused=["tuned"])
    torch.testing.assert_close(generator.generate(batch, seed=0, steps=1), drawn, rtol=0, atol=2e-4)


def test_a_set_goes_with_the_sets_it_was_trained_beside(shipped, tmp_path):
    plain, fused = (FluxBackbone("flux_tiny", fused=sets).configure() for sets in ([], ["tuned"]))
    lora = LoRASet(LoRASpec(rank=2), plain.linear_layers())
    for name, scope in (
        ("alone", {"groups": "all"}),
        ("beside", {"groups": "all", "fused": ["tuned"]}),
        ("bare", {}),
    ):
        lora.save(tmp_path / f"{name}.safetensors", scope)
    plain.load_adapter("a", tmp_path / "alone.safetensors")
    fused.load_adapter("a", tmp_path / "beside.safetensors")
    for backbone in (plain, fused):
        backbone.load_adapter("b", tmp_path / "bare.safetensors")
    with pytest.raises(ValueError, match=r"with \['tuned'\] fused, and this backbone has \[\]"):
        plain.load_adapter("c", tmp_path / "beside.safetensors")
    with pytest.raises(ValueError, match=r"with \[\] fused, and this backbone has \['tuned'\]"):
        fused.load_adapter("c", tmp_path / "alone.safetensors")


def test_a_fused_set_that_is_nowhere_or_does_not_fit_is_refused(shipped):
    with pytest.raises(ValueError, match="tuend is neither"):
        FluxBackbone("flux_tiny", fused=["tuend"]).configure()
    with pytest.raises(ValueError, match="updates layers this backbone does not have"):
        FluxBackbone(config=SMALL, fused=["tuned"]).configure()
