"""Shards and batches of the base flow model."""

import pytest
import torch

from datamodules.collate import collate
from datamodules.text.minilm import MiniLMPromptEncoder
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.backbone.autoencoder import PatchAutoencoder
from lightning_modules.backbone.contexts import LAYOUT_WORDS, Context, context_group
from lightning_modules.backbone.latents import LatentCodec
from lightning_modules.backbone.tokens import Visibility
from lightning_modules.pretraining.flow_data import BatchRecipe, FlowBatches
from lightning_modules.pretraining.latent_shards import FULL_CONTEXTS, LatentShard, encode_scenes


@pytest.fixture(scope="module")
def world():
    torch.manual_seed(0)
    scenes = [draw_scene(seed, "val") for seed in range(12)]
    batch = collate(scenes)
    vae = PatchAutoencoder(width=32, fine_width=16, blocks=1)
    vae.start_at_principal_components(batch.images * 2 - 1)
    codec, encoder = LatentCodec(vae), MiniLMPromptEncoder()
    shard = encode_scenes([batch.select(torch.arange(6)), batch.select(torch.arange(6, 12))], codec, encoder)
    return batch, codec, encoder, shard


def batches(world, mixture, dropout=0.0, size=3):
    _, _, encoder, shard = world
    recipe = BatchRecipe({str(c): w for c, w in mixture.items()}, size, dropout, seed=5)
    return FlowBatches([shard], encoder.encode(["", LAYOUT_WORDS]), recipe)


def test_a_shard_holds_what_the_generator_would_be_shown(world):
    batch, codec, encoder, shard = world
    with torch.no_grad():
        torch.testing.assert_close(shard.image.float(), codec.encode(batch.images), atol=4e-3, rtol=2e-3)
        for i, context in enumerate(FULL_CONTEXTS):
            group = context_group(context, batch, codec)
            torch.testing.assert_close(shard.contexts[:, i].float(), group.tokens, atol=4e-3, rtol=2e-3)
        group = context_group(Context.CANVAS, batch, codec)
    sizes = shard.canvas_offset.diff()
    valid = torch.ones(group.tokens.shape[:2], dtype=torch.bool) if group.valid is None else group.valid
    assert torch.equal(sizes, valid.sum(1))
    torch.testing.assert_close(shard.canvas.float(), group.tokens[valid], atol=4e-3, rtol=2e-3)
    assert torch.equal(shard.canvas_place[:, :2].float(), group.ids.expand(*valid.shape, 3)[valid][:, 1:])
    prompt = encoder.encode(batch.prompts)
    assert torch.equal(shard.text_offset.diff(), prompt.valid.sum(1))
    torch.testing.assert_close(shard.text.float(), prompt.tokens[prompt.valid], atol=4e-3, rtol=2e-3)
    share = batch.masks.any(1).float().mean((1, 2))
    torch.testing.assert_close(shard.people.float().mean(1), share, atol=1e-3, rtol=0)


def test_shards_survive_the_disk(world, tmp_path):
    shard = world[3]
    shard.save(tmp_path / "s.safetensors")
    loaded = LatentShard.load(tmp_path / "s.safetensors")
    assert all(torch.equal(v, getattr(loaded, k)) for k, v in vars(shard).items())
    assert [p.name for p in tmp_path.iterdir()] == ["s.safetensors"]


def test_batches_are_functions_of_seed_and_step(world):
    stream = batches(world, {Context.CANVAS: 1.0, Context.TEXT: 1.0}, dropout=0.3)
    first = [next(iterator) for iterator in [iter(stream)] for _ in range(4)]
    resumed = batches(world, {Context.CANVAS: 1.0, Context.TEXT: 1.0}, dropout=0.3)
    resumed.first_step = 3
    again = next(iter(resumed))
    assert again.context is first[3].context
    assert torch.equal(again.data, first[3].data)
    assert torch.equal(again.sequence.text.tokens, first[3].sequence.text.tokens)


def test_processes_see_one_context_at_a_time_and_scenes_of_their_own(world):
    ranks = [batches(world, dict.fromkeys(Context, 1.0), size=1) for _ in range(2)]
    for rank, stream in enumerate(ranks):
        stream.rank, stream.world = rank, 2
    streams = [iter(r) for r in ranks]
    steps = [[next(s) for s in streams] for _ in range(12)]
    assert all(a.context == b.context for a, b in steps)
    assert len({a.context for a, _ in steps}) > 3
    assert sum(torch.equal(a.data, b.data) for a, b in steps) < 8  # both draw 4 of 12 scenes and sort them


@pytest.mark.parametrize("context", list(Context))
def test_each_context_shows_its_own_tokens(world, context):
    shard = world[3]
    batch = batches(world, {context: 1.0}).batch(0)
    assert batch.context is context
    if context is Context.TEXT:
        assert batch.sequence.conditions == ()
        return
    (group,) = batch.sequence.conditions
    valid = torch.ones(group.tokens.shape[:2], dtype=torch.bool) if group.valid is None else group.valid
    assert (group.ids.expand(*valid.shape, 3)[valid][:, 0] == 1).all()
    if context in FULL_CONTEXTS:
        assert group.tokens.shape == (3, 64, 64)
        return
    valid = torch.ones(group.tokens.shape[:2], dtype=torch.bool) if group.valid is None else group.valid
    whole = {round(float(t.sum()), 3) for t in shard.canvas.float()}
    assert {round(float(t.sum()), 3) for t in group.tokens[valid]} <= whole


def test_a_single_canvas_shows_one_person(world):
    shard = world[3]
    canvases = []
    for start, stop in zip(shard.canvas_offset[:-1], shard.canvas_offset[1:], strict=True):
        owner = shard.canvas_place[start:stop, 2]
        canvases += [shard.canvas[start:stop][owner == p].float() for p in owner.unique()]
    for step in range(6):
        (group,) = batches(world, {Context.SINGLE_CANVAS: 1.0}).batch(step).sequence.conditions
        valid = torch.ones(group.tokens.shape[:2], dtype=torch.bool) if group.valid is None else group.valid
        for tokens, kept in zip(group.tokens, valid, strict=True):
            assert any(torch.equal(tokens[kept], canvas) for canvas in canvases)


def test_moved_canvases_keep_their_shape_and_stay_inside(world):
    recipe = BatchRecipe({"single_canvas": 1.0}, 3, 0.0, single_canvas_moved=1.0, seed=5)
    stream = FlowBatches([world[3]], world[2].encode(["", LAYOUT_WORDS]), recipe)
    corners = set()
    for step in range(8):
        (moved,) = stream.batch(step).sequence.conditions
        valid = torch.ones(moved.tokens.shape[:2], dtype=torch.bool) if moved.valid is None else moved.valid
        for tokens, ids, kept in zip(moved.tokens, moved.ids.expand(*valid.shape, 3), valid, strict=True):
            places = ids[kept][:, 1:]
            assert places.min() >= 0
            assert places.max() <= 7
            corner = places.amin(0)
            corners.add(tuple(corner.tolist()))
            shard = world[3]
            row = int((shard.canvas.float() == tokens[0]).all(1).nonzero()[0])
            true = shard.canvas_place[row : row + len(places), :2].float()
            assert torch.equal(places - corner, true - true.amin(0))
    assert len(corners) > 12


def test_the_density_counts_the_people(world):
    given = batches(world, {Context.TEXT: 1.0}).batch(0)
    shard = world[3]
    for data, density in zip(given.data, given.density, strict=True):
        (who,) = (i for i in range(len(shard)) if torch.equal(shard.image[i].float(), data))
        assert float(density.sum()) == pytest.approx(int(shard.count[who]))
        touched = shard.places(who)
        assert not density.view(8, 8)[~_mask(touched)].any()


def _mask(place):
    mask = torch.zeros(8, 8, dtype=torch.bool)
    mask[place[:, 0], place[:, 1]] = True
    return mask


def test_dropped_prompts_are_the_empty_prompt(world):
    encoder = world[2]
    batch = batches(world, {Context.TEXT: 1.0}, dropout=1.0).batch(0)
    empty = encoder.encode([""])
    assert torch.equal(batch.sequence.text.tokens, empty.tokens.expand(3, -1, -1))
    assert torch.equal(batch.sequence.pooled, empty.pooled.expand(3, -1))


def test_drawn_layouts_are_the_target_and_named_in_the_prompt(world):
    _, _, encoder, shard = world
    recipe = BatchRecipe({"scene": 1.0}, 3, 0.0, drawn_layouts=0.5, seed=5)
    stream = FlowBatches([shard], encoder.encode(["", LAYOUT_WORDS]), recipe)
    layouts, words = shard.contexts[:, FULL_CONTEXTS.index(Context.LAYOUT)].float(), stream.layout_words
    scenes = shard.contexts[:, FULL_CONTEXTS.index(Context.SCENE)].float()
    drawn = 0
    for step in range(12):
        given = stream.batch(step)
        for target, scene, tokens in zip(
            given.data, given.sequence.conditions[0].tokens, given.sequence.text.tokens, strict=True
        ):
            (who,) = (i for i in range(len(shard)) if torch.equal(scenes[i], scene))
            is_layout = torch.equal(tokens[: len(words)], words)
            drawn += is_layout
            assert torch.equal(target, layouts[who] if is_layout else shard.image[who].float())
            own = shard.text[shard.text_offset[who] : shard.text_offset[who + 1]].float()
            start = len(words) if is_layout else 0
            assert torch.equal(tokens[start : start + len(own)], own)
    assert 9 <= drawn <= 27


def test_only_samples_shown_the_empty_scene_draw_layouts(world):
    recipes = [BatchRecipe({"pose": 1.0}, 3, 0.0, drawn_layouts=d, seed=5) for d in (0.0, 1.0)]
    prompts = world[2].encode(["", LAYOUT_WORDS])
    plain, asked = (FlowBatches([world[3]], prompts, recipe).batch(0) for recipe in recipes)
    assert torch.equal(plain.data, asked.data)
    assert torch.equal(plain.sequence.text.tokens, asked.sequence.text.tokens)


@pytest.mark.parametrize("context", list(Context))
def test_scenes_and_layouts_are_shown_clean_in_a_share_of_the_batches(world, context):
    recipe = BatchRecipe({str(context): 1.0}, 3, 0.0, clean_pictures=0.5, seed=5)
    ranks = [FlowBatches([world[3]], world[2].encode(["", LAYOUT_WORDS]), recipe) for _ in range(2)]
    seen = []
    for step in range(16):
        for rank, stream in enumerate(ranks):
            stream.rank, stream.world = rank, 2
        both = [stream.batch(2 * step + rank).sequence for rank, stream in enumerate(ranks)]
        assert both[0].visibility is both[1].visibility  # or one process would wait for the other
        for sequence in both:
            clean = sequence.visibility is Visibility.CAUSAL
            assert all(c.sigma == (0.0 if clean else None) for c in sequence.conditions)
        seen.append(clean)
    assert 3 <= sum(seen) <= 13 if context in (Context.SCENE, Context.LAYOUT) else not any(seen)
