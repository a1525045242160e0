"""From scenes to pictures: seeds, steps, guidance, LoRA sets."""

import pytest
import torch
from pretend_device import pretended_device

from datamodules.collate import collate
from datamodules.text.minilm import MiniLMPromptEncoder
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.backbone.adapters import LoRASet, LoRASpec
from lightning_modules.backbone.autoencoder import PatchAutoencoder
from lightning_modules.backbone.canvas_tokens import CanvasRecipe
from lightning_modules.backbone.contexts import Context, context_group
from lightning_modules.backbone.flux import FluxBackbone, FluxConfig
from lightning_modules.backbone.generator import FluxGenerator, prompted_sequence

CONFIG = FluxConfig(
    num_layers=1,
    num_single_layers=1,
    num_attention_heads=2,
    joint_attention_dim=384,
    pooled_projection_dim=384,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small model and a small codec on disk."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    backbone = FluxBackbone(config=CONFIG, dtype="float32").configure()
    for parameter in backbone.transformer.parameters():
        if parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=0.05)
    backbone.transformer.save_pretrained(folder / "flux")
    vae = PatchAutoencoder(width=8, fine_width=8, fine_blocks=1)
    batch = collate([draw_scene(seed, "train") for seed in range(8)])
    vae.start_at_principal_components(batch.images * 2 - 1)
    vae.save_pretrained(folder / "codec")
    lora = LoRASet(LoRASpec(rank=2), backbone.linear_layers())
    torch.nn.init.normal_(next(iter(lora.up.values())).weight)
    lora.save(folder / "set.safetensors")
    return folder


@pytest.fixture(scope="module")
def batch():
    return collate([draw_scene(seed, "val", count=2) for seed in (1, 2)])


def generator(folder, **options):
    return FluxGenerator(
        str(folder / "flux"),
        dtype="float32",
        encoder=MiniLMPromptEncoder(),
        codec=str(folder / "codec"),
        **options,
    )


def passes(drawing):
    """Counts the network's passes."""
    drawing._load()
    seen = []
    drawing.backbone.register_forward_hook(lambda *_: seen.append(1))
    return seen


def test_one_image_per_scene_from_its_seed(folder, batch):
    drawing = generator(folder)
    first, again, other = (drawing.generate(batch, seed=s, steps=2) for s in (0, 0, 1))
    assert first.shape == (2, 3, 128, 128)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("guidance", "expected"), [(1.0, 3), (2.5, 6)])
def test_a_step_is_a_pass_and_guidance_doubles_it(folder, batch, guidance, expected):
    drawing = generator(folder)
    seen = passes(drawing)
    drawing.generate(batch, seed=0, steps=3, guidance=guidance)
    assert len(seen) == expected


def test_one_guided_step_is_the_formula(folder, batch):
    """Noise minus (free + g (guided - free)), both sides computed here."""
    drawing = generator(folder)
    image = drawing.generate(batch, seed=3, context="canvas", steps=1, guidance=2.5)
    noise = torch.randn(2, 64, 64, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        canvas = context_group(Context.CANVAS, batch, drawing.codec)
        sides = [
            drawing.backbone(
                prompted_sequence(drawing.encoder.encode(prompts), noise, (8, 8), shown), torch.ones(2)
            )
            for prompts, shown in ((batch.prompts, (canvas,)), (["", ""], ()))
        ]
        latents = noise - (sides[1] + 2.5 * (sides[0] - sides[1]))
    torch.testing.assert_close(image, drawing.codec.decode(latents, (128, 128)), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("context", ["canvas", "layout"])
def test_another_device_draws_the_same_images(folder, batch, context):
    """On one that refuses to mix with the CPU, where the scenes are."""
    asked = {"seed": 3, "context": context, "steps": 2, "guidance": 2.5}
    lora = str(folder / "set.safetensors")
    expected = generator(folder, lora=lora).generate(batch, **asked)
    with pretended_device() as there:
        drawing = generator(folder, lora=lora)
        drawing.device = there
        found = drawing.generate(batch, **asked)
        assert found.device.type == "cpu"
        assert {p.device for p in (*drawing.backbone.parameters(), *drawing.codec.vae.parameters())} == {
            there
        }
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_trained_sets_and_canvas_recipes_are_used(folder, batch):
    plain = generator(folder).generate(batch, seed=0, context="canvas", steps=1)
    trained = generator(folder, lora=str(folder / "set.safetensors"))
    apart = generator(folder, canvas=CanvasRecipe(share_ids="none"))
    for drawing in (trained, apart):
        assert not torch.allclose(
            drawing.generate(batch, seed=0, context="canvas", steps=1), plain, atol=1e-5
        )


def test_a_set_that_is_not_there_is_named(folder):
    with pytest.raises(ValueError, match=r"nowhere is neither a file"):
        generator(folder, lora="nowhere")
