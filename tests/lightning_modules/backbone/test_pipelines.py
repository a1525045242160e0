"""Our sampler against diffusers' pipelines, on a small random model saved by diffusers itself."""

import lightning as L
import pytest
import torch
from diffusers import (
    FlowMatchEulerDiscreteScheduler,
    FluxKontextPipeline,
    FluxPipeline,
    FluxTransformer2DModel,
)

from callbacks.lora_export import LoRAExport
from lightning_modules.backbone.adapters import (
    ATTENTION,
    ATTENTION_OUT,
    FEED_FORWARD,
    TEXT_ATTENTION,
    LoRASpec,
)
from lightning_modules.backbone.autoencoder import PatchAutoencoder
from lightning_modules.backbone.contexts import full_group
from lightning_modules.backbone.flux import FluxBackbone
from lightning_modules.backbone.latents import LatentCodec, pack, unpack
from lightning_modules.backbone.positions import grid_ids, text_ids
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence
from lightning_modules.flow.sampling import sample
from lightning_modules.flow.timesteps import sigma_schedule

STEPS, SIDE = 5, 64


def dev_scheduler() -> FlowMatchEulerDiscreteScheduler:
    return FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True,
        base_shift=0.5,
        max_shift=1.15,
        base_image_seq_len=256,
        max_image_seq_len=4096,
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A pipeline folder of random weights, written by ``save_pretrained``."""
    torch.manual_seed(0)
    transformer = FluxTransformer2DModel(
        in_channels=64,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=24,
        pooled_projection_dim=12,
        guidance_embeds=True,
        axes_dims_rope=(4, 6, 6),
    )
    for parameter in transformer.parameters():
        torch.nn.init.normal_(parameter, std=0.06)
    vae = PatchAutoencoder(width=32, fine_width=16, blocks=1, scaling_factor=0.7, shift_factor=0.2)
    folder = tmp_path_factory.mktemp("flux")
    nothing = dict.fromkeys(("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"))
    pipe = FluxPipeline(vae=vae, transformer=transformer, scheduler=dev_scheduler(), **nothing)
    for name in ("vae", "transformer", "scheduler"):
        getattr(pipe, name).save_pretrained(folder / name)
    return folder


@pytest.fixture(scope="module")
def parts(saved):
    transformer = FluxTransformer2DModel.from_pretrained(saved / "transformer")
    vae = PatchAutoencoder.from_pretrained(saved / "vae")
    scheduler = FlowMatchEulerDiscreteScheduler.from_pretrained(saved / "scheduler")
    nothing = dict.fromkeys(("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"))
    return {"transformer": transformer, "vae": vae, "scheduler": scheduler, **nothing}


@pytest.fixture
def inputs():
    rng = torch.Generator().manual_seed(5)
    side = SIDE // 16
    return {
        "text": torch.randn(2, 7, 24, generator=rng),
        "pooled": torch.randn(2, 12, generator=rng),
        "noise": torch.randn(2, side * side, 64, generator=rng),
        "image": torch.rand(2, 3, SIDE, SIDE, generator=rng),
    }


def ours(folder, inputs, conditions=(), backbone=None):
    backbone = backbone or FluxBackbone(source=str(folder)).configure()
    sequence = TokenSequence(
        TokenGroup(inputs["text"], text_ids(7)),
        inputs["pooled"],
        TokenGroup(inputs["noise"], grid_ids(SIDE // 16, SIDE // 16)),
        conditions,
    ).with_adapters(*backbone.adapters)
    sigmas = sigma_schedule(STEPS, inputs["noise"].shape[1])
    scale = torch.full((2,), 2.5)
    with torch.no_grad():
        return sample(
            lambda x, i: backbone(sequence.with_noise(x), sigmas[i].expand(2), scale), inputs["noise"], sigmas
        )


def call(pipe, inputs, **extra):
    return pipe(
        prompt_embeds=inputs["text"],
        pooled_prompt_embeds=inputs["pooled"],
        latents=inputs["noise"],
        num_inference_steps=STEPS,
        guidance_scale=2.5,
        height=SIDE,
        width=SIDE,
        output_type="latent",
        **extra,
    ).images


def test_flux_pipeline(saved, parts, inputs):
    pipe = FluxPipeline(**parts)
    pipe.set_progress_bar_config(disable=True)
    theirs = call(pipe, inputs)
    assert (theirs - inputs["noise"]).abs().max() > 0.1
    torch.testing.assert_close(ours(saved, inputs), theirs, rtol=0, atol=1e-4)


def test_flux_kontext_pipeline(saved, parts, inputs):
    pipe = FluxKontextPipeline(**parts)
    pipe.set_progress_bar_config(disable=True)
    theirs = call(pipe, inputs, image=inputs["image"], max_area=SIDE * SIDE, _auto_resize=False)
    codec = LatentCodec(parts["vae"])
    with torch.no_grad():
        context = codec.encode(inputs["image"])
    condition = full_group(context, SIDE // 16, SIDE // 16)
    torch.testing.assert_close(ours(saved, inputs, (condition,)), theirs, rtol=0, atol=1e-4)
    assert (theirs - ours(saved, inputs)).abs().max() > 1e-3, "the context must matter"


class Adapted(L.LightningModule):
    """A backbone whose LoRA set has been trained, as far as an export can tell."""

    def __init__(self, folder):
        super().__init__()
        spec = LoRASpec(rank=4, alpha=8, targets=(*ATTENTION, *TEXT_ATTENTION, *ATTENTION_OUT, *FEED_FORWARD))
        self.backbone = FluxBackbone(source=str(folder), adapters={"policy": spec}).configure()
        for up in self.backbone.adapters["policy"].up.values():
            torch.nn.init.normal_(up.weight, std=1.0)


def test_an_exported_set_changes_the_kontext_pipeline_as_it_changes_our_backbone(
    saved, parts, inputs, tmp_path
):
    """The pipeline on a transformer of its own: loading a set changes it for good."""
    export = LoRAExport(str(tmp_path / "policy.safetensors"))
    module = Adapted(saved)
    export.on_train_end(L.Trainer(logger=False, accelerator="cpu", callbacks=[export]), module)
    transformer = FluxTransformer2DModel.from_pretrained(saved / "transformer")
    pipe = FluxKontextPipeline(**{**parts, "transformer": transformer})
    pipe.set_progress_bar_config(disable=True)
    shown = {"image": inputs["image"], "max_area": SIDE * SIDE, "_auto_resize": False}
    plain = call(pipe, inputs, **shown)
    pipe.load_lora_weights(str(tmp_path), weight_name="policy.safetensors")
    theirs = call(pipe, inputs, **shown)
    with torch.no_grad():
        context = LatentCodec(parts["vae"]).encode(inputs["image"])
    condition = full_group(context, SIDE // 16, SIDE // 16)
    mine = ours(saved, inputs, (condition,), module.backbone)
    assert (theirs - plain).abs().mean() > 0.05, "the set must matter"
    torch.testing.assert_close(mine, theirs, rtol=0, atol=2e-4)


def test_decoding_equals_the_pipelines(parts, inputs):
    pipe = FluxPipeline(**parts)
    latents = pipe._unpack_latents(inputs["noise"], SIDE, SIDE, pipe.vae_scale_factor)
    raw = latents / parts["vae"].config.scaling_factor + parts["vae"].config.shift_factor
    with torch.no_grad():
        theirs = (parts["vae"].decode(raw, return_dict=False)[0] / 2 + 0.5).clamp(0, 1)
        mine = LatentCodec(parts["vae"]).decode(inputs["noise"], (SIDE, SIDE))
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5)


def test_packing_equals_the_pipelines(inputs):
    latents = torch.randn(2, 16, 8, 12)
    theirs = FluxPipeline._pack_latents(latents, 2, 16, 8, 12)
    torch.testing.assert_close(pack(latents), theirs, rtol=0, atol=0)
    torch.testing.assert_close(unpack(pack(latents), 4, 6), latents, rtol=0, atol=0)
    with pytest.raises(ValueError, match="even"):
        pack(torch.zeros(1, 16, 7, 8))
    with pytest.raises(ValueError, match="do not fill"):
        unpack(torch.zeros(1, 5, 64), 2, 3)


def test_pipelines_take_the_tiny_codec_end_to_end(parts, inputs):
    pipe = FluxKontextPipeline(**parts)
    pipe.set_progress_bar_config(disable=True)
    images = pipe(
        prompt_embeds=inputs["text"][:1],
        pooled_prompt_embeds=inputs["pooled"][:1],
        image=inputs["image"][:1],
        num_inference_steps=2,
        height=SIDE,
        width=SIDE,
        max_area=SIDE * SIDE,
        _auto_resize=False,
        output_type="pt",
    ).images
    assert images.shape == (1, 3, SIDE, SIDE)
    assert images.isfinite().all()
