"""LoRA sets against PEFT and diffusers, which must read our files and compute the same."""

import pytest
import torch
from diffusers import FluxTransformer2DModel
from peft import LoraConfig
from safetensors import safe_open

from lightning_modules.backbone.adapters import ATTENTION, FEED_FORWARD, TEXT_ATTENTION, LoRASet, LoRASpec
from lightning_modules.backbone.flux import FluxBackbone, FluxConfig
from lightning_modules.backbone.positions import grid_ids, text_ids
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence

CONFIG = FluxConfig(
    in_channels=16,
    num_layers=1,
    num_single_layers=2,
    attention_head_dim=16,
    num_attention_heads=2,
    joint_attention_dim=24,
    pooled_projection_dim=12,
    axes_dims_rope=(4, 6, 6),
)
TARGETS = (*ATTENTION, *TEXT_ATTENTION, "attn.to_out.0", "attn.to_add_out", *FEED_FORWARD)
SIGMA = torch.tensor([0.4])


def backbone_with(spec: LoRASpec) -> FluxBackbone:
    torch.manual_seed(0)
    backbone = FluxBackbone(config=CONFIG).configure()
    for parameter in backbone.transformer.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    backbone.add_adapter("artist", spec)
    return backbone


def trained(lora: LoRASet) -> None:
    for parameter in lora.parameters():
        torch.nn.init.normal_(parameter, std=0.3)


def sequence(adapters=("artist",)) -> TokenSequence:
    rng = torch.Generator().manual_seed(3)
    text = TokenGroup(torch.randn(1, 4, 24, generator=rng), text_ids(4), adapters=adapters)
    noise = TokenGroup(torch.randn(1, 9, 16, generator=rng), grid_ids(3, 3), adapters=adapters)
    return TokenSequence(text, torch.randn(1, 12, generator=rng), noise)


def stock_output(model: FluxTransformer2DModel) -> torch.Tensor:
    seq = sequence(())
    return model(
        hidden_states=seq.noise.tokens,
        encoder_hidden_states=seq.text.tokens,
        pooled_projections=seq.pooled,
        timestep=SIGMA,
        img_ids=seq.noise.ids[0],
        txt_ids=seq.text.ids[0],
        return_dict=False,
    )[0]


def test_a_new_set_changes_nothing_and_starts_like_peft():
    backbone = backbone_with(LoRASpec(rank=8, targets=TARGETS))
    with torch.no_grad():
        plain, adapted = backbone(sequence(()), SIGMA), backbone(sequence(), SIGMA)
    torch.testing.assert_close(adapted, plain, rtol=0, atol=0)
    model = FluxTransformer2DModel.from_config(backbone.transformer.config)
    names = list(backbone.adapters["artist"].layers)
    model.add_adapter(LoraConfig(r=8, lora_alpha=8, target_modules=names), adapter_name="peft")
    peft = [p for n, p in model.named_parameters() if "lora_A" in n]
    ours = [p for n, p in backbone.adapters["artist"].named_parameters() if n.startswith("down")]
    assert sorted(p.shape for p in ours) == sorted(p.shape for p in peft)
    ours_std, peft_std = (
        float(torch.cat([p.flatten() * p.shape[1] ** 0.5 for p in x]).std()) for x in (ours, peft)
    )
    assert ours_std == pytest.approx(peft_std, rel=0.05)


@pytest.mark.parametrize("alpha", [None, 4.0, 16.0])
def test_a_saved_set_gives_the_same_output_in_diffusers(tmp_path, alpha):
    backbone = backbone_with(LoRASpec(rank=8, alpha=alpha, targets=TARGETS))
    trained(backbone.adapters["artist"])
    path = tmp_path / "artist.safetensors"
    backbone.adapters["artist"].save(path, scope={"groups": ["text", "noise"]})
    model = FluxTransformer2DModel.from_config(backbone.transformer.config)
    model.load_state_dict(backbone.transformer.state_dict())
    model.load_lora_adapter(str(tmp_path), weight_name=path.name, prefix="transformer")
    with torch.no_grad():
        ours, theirs, plain = backbone(sequence(), SIGMA), stock_output(model), backbone(sequence(()), SIGMA)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=5e-6)
    assert (ours - plain).abs().max() > 0.1


def test_a_set_survives_saving_bit_for_bit_with_its_scope(tmp_path):
    backbone = backbone_with(LoRASpec(rank=3, alpha=6, targets=ATTENTION))
    trained(backbone.adapters["artist"])
    backbone.adapters["artist"].save(tmp_path / "a.safetensors", scope={"visibility": "causal", "sigma": 0.0})
    loaded, scope = LoRASet.load(tmp_path / "a.safetensors")
    assert scope == {"visibility": "causal", "sigma": 0.0}
    assert loaded.spec.scale == backbone.adapters["artist"].spec.scale == 2
    for name, parameter in backbone.adapters["artist"].named_parameters():
        assert torch.equal(dict(loaded.named_parameters())[name], parameter)
    with safe_open(tmp_path / "a.safetensors", framework="pt") as file:
        assert set(file.metadata()) == {"format", "lora_adapter_metadata", "troupe"}


def test_a_set_of_diffusers_loads_here(tmp_path):
    backbone = backbone_with(LoRASpec(rank=2))
    model = FluxTransformer2DModel.from_config(backbone.transformer.config)
    model.load_state_dict(backbone.transformer.state_dict())
    model.add_adapter(LoraConfig(r=4, lora_alpha=8, target_modules=["to_q", "to_k"], init_lora_weights=False))
    model.save_lora_adapter(tmp_path, weight_name="theirs.safetensors")
    # the pipeline-level writer prefixes keys with the component's name
    from diffusers import FluxPipeline
    from peft.utils import get_peft_model_state_dict

    FluxPipeline.save_lora_weights(
        tmp_path,
        transformer_lora_layers=get_peft_model_state_dict(model),
        weight_name="pipe.safetensors",
        transformer_lora_adapter_metadata={"r": 4, "lora_alpha": 8, "target_modules": ["to_q", "to_k"]},
    )
    backbone.load_adapter("theirs", tmp_path / "pipe.safetensors")
    with torch.no_grad():
        ours, oracle = backbone(sequence(("theirs",)), SIGMA), stock_output(model)
    torch.testing.assert_close(ours, oracle, rtol=0, atol=5e-6)


def test_bad_specs_and_files_say_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="rank: must be at least 1"):
        LoRASpec(rank=0)
    with pytest.raises(ValueError, match="ends the name of a linear layer"):
        backbone_with(LoRASpec(targets=("attn.to_queue",)))
    backbone = backbone_with(LoRASpec(rank=2))
    with pytest.raises(ValueError, match="already"):
        backbone.add_adapter("artist", LoRASpec())
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(2)}, tmp_path / "no.safetensors")
    with pytest.raises(ValueError, match="is it a LoRA file"):
        LoRASet.load(tmp_path / "no.safetensors")
