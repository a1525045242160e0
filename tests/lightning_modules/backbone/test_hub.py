"""A whole FLUX pipeline from a folder or a hub id, drawn by us and by diffusers."""

import shutil

import huggingface_hub.constants
import pytest
import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from transformers import AutoTokenizer, CLIPTextModel, T5EncoderModel

from datamodules.collate import collate
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.backbone.generator import FluxGenerator
from lightning_modules.backbone.hub import pipeline_folder

SIZE, STEPS = 128, 3


@pytest.fixture(scope="module")
def whole(flux_folder, tmp_path_factory):
    """A pipeline with all its parts, written by diffusers."""
    torch.manual_seed(1)
    transformer = FluxTransformer2DModel(
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=24,
        guidance_embeds=True,
        axes_dims_rope=(4, 6, 6),
    )
    for parameter in transformer.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=16,
        norm_num_groups=4,
        scaling_factor=0.36,
        shift_factor=0.11,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )
    pipeline = FluxPipeline(
        transformer=transformer,
        vae=vae,
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        tokenizer=AutoTokenizer.from_pretrained(flux_folder / "tokenizer"),
        tokenizer_2=AutoTokenizer.from_pretrained(flux_folder / "tokenizer_2"),
        text_encoder=CLIPTextModel.from_pretrained(flux_folder / "text_encoder"),
        text_encoder_2=T5EncoderModel.from_pretrained(flux_folder / "text_encoder_2"),
    )
    folder = tmp_path_factory.mktemp("whole")
    pipeline.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def batch():
    return collate([draw_scene(seed, "val", count=1) for seed in (1, 2)])


def test_prompts_to_pixels_as_diffusers_draws_them(whole, batch):
    drawn = FluxGenerator(str(whole), dtype="float32").generate(batch, seed=4, steps=STEPS, guidance=2.5)
    tokens = (SIZE // 16) ** 2
    reference = FluxPipeline.from_pretrained(whole)
    expected = reference(
        list(batch.prompts),
        latents=torch.randn(2, tokens, 64, generator=torch.Generator().manual_seed(4)),
        num_inference_steps=STEPS,
        guidance_scale=2.5,
        height=SIZE,
        width=SIZE,
        max_sequence_length=512,
        output_type="pt",
    ).images
    torch.testing.assert_close(drawn, expected, atol=1e-4, rtol=0)
    assert drawn[0].std() > 0.01
    assert (drawn[0] - drawn[1]).abs().max() > 0.01, "prompts and noise differ"


def test_a_hub_id_is_the_folder_it_is_cached_in(whole, batch, tmp_path, monkeypatch):
    cached = tmp_path / "models--someone--small-flux"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("0123abc")
    shutil.copytree(whole, cached / "snapshots" / "0123abc")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    named = FluxGenerator("someone/small-flux", dtype="float32")
    drawn = named.generate(batch, seed=0, steps=1, guidance=1.0)
    expected = FluxGenerator(str(whole), dtype="float32").generate(batch, seed=0, steps=1, guidance=1.0)
    assert torch.equal(drawn, expected)
    with pytest.raises(ValueError, match="source: 'someone/else' is neither a folder nor a hub id"):
        pipeline_folder("someone/else", ["vae"])
