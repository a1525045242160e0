"""Where canvas tokens stand: sharing, depth, and what the backbone makes of them."""

from dataclasses import replace

import pytest
import torch

from datamodules.collate import collate
from datamodules.geometry.canvas import draw_canvases
from datamodules.tiny_world.scenes import draw_scene
from lightning_modules.backbone.autoencoder import PatchAutoencoder
from lightning_modules.backbone.canvas_positions import canvas_ids, hidden_tokens
from lightning_modules.backbone.canvas_tokens import CanvasRecipe, canvas_tokens
from lightning_modules.backbone.contexts import Context, context_group, ragged_group
from lightning_modules.backbone.flux import FluxBackbone, FluxConfig
from lightning_modules.backbone.latents import LatentCodec
from lightning_modules.backbone.positions import grid_ids, text_ids
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence

TINY = FluxConfig(
    num_layers=1, num_single_layers=1, num_attention_heads=2, joint_attention_dim=8, pooled_projection_dim=8
)


def boxes_of_tokens(*rectangles):
    """Positions and owners of rectangles (row, column, row after, column after) of tokens."""
    position, person = [], []
    for owner, (r0, c0, r1, c1) in enumerate(rectangles):
        cells = [(r, c) for r in range(r0, r1) for c in range(c0, c1)]
        position += cells
        person += [owner] * len(cells)
    return torch.tensor(position), torch.tensor(person)


@pytest.fixture(scope="module")
def codec():
    torch.manual_seed(0)
    return LatentCodec(PatchAutoencoder(width=32, fine_width=16, blocks=1))


@pytest.fixture(scope="module")
def batch():
    """Two scenes; in the first, everybody stands in the same place."""
    scenes = [draw_scene(seed, "val", count=3) for seed in (1, 2)]
    box = torch.tensor([0.3, 0.3, 0.5, 0.5])
    crowded = tuple(
        replace(person, box=box + 0.12 * i, depth=i) for i, person in enumerate(scenes[0].persons)
    )
    return collate([replace(scenes[0], persons=crowded), scenes[1]])


def test_cellwise_ids_are_kontexts():
    position, person = boxes_of_tokens((0, 0, 2, 2), (1, 1, 3, 3))
    expected = grid_ids(4, 4, plane=1)[0].view(4, 4, 3)
    assert torch.equal(canvas_ids(position, person), expected[position[:, 0], position[:, 1]])


def test_without_sharing_everybody_has_a_plane():
    position, person = boxes_of_tokens((0, 0, 2, 2), (1, 1, 3, 3), (0, 0, 1, 1))
    ids = canvas_ids(position, person, "none")
    assert torch.equal(ids[:, 0], 1.0 + person)
    assert torch.equal(ids[:, 1:], position.float())
    assert len(ids.unique(dim=0)) == len(ids)


def test_union_affine_stretches_what_overlaps_and_leaves_the_rest():
    """Corners of cells go to the corners of the union; a chain of overlaps is one union."""
    position, person = boxes_of_tokens((0, 0, 2, 2), (1, 1, 3, 4), (2, 3, 4, 5), (6, 6, 8, 8))
    ids = canvas_ids(position, person, "union_affine")
    for owner in (0, 1, 2):
        own = ids[person == owner, 1:]
        rows, columns = own[:, 0].unique(), own[:, 1].unique()
        step = 4 / len(rows), 5 / len(columns)  # the union has 4 rows and 5 columns
        torch.testing.assert_close(rows, (torch.arange(len(rows)) + 0.5) * step[0] - 0.5)
        torch.testing.assert_close(columns, (torch.arange(len(columns)) + 0.5) * step[1] - 0.5)
    assert torch.equal(ids[person == 3, 1:], position[person == 3].float())
    assert bool((ids[:, 0] == 1).all())
    equal = boxes_of_tokens((1, 1, 3, 3), (2, 2, 4, 4))
    twins = canvas_ids(*equal, "union_affine").view(2, 4, 3)
    assert torch.equal(twins[0], twins[1])  # RoPE(b_i) = RoPE(b_j)


def test_nobody_and_unknown_rules():
    empty = canvas_ids(torch.zeros(0, 2, dtype=torch.long), torch.zeros(0, dtype=torch.long), "union_affine")
    assert empty.shape == (0, 3)
    with pytest.raises(ValueError, match="cellwise, none or union_affine"):
        canvas_ids(*boxes_of_tokens((0, 0, 1, 1)), "some")


def test_hidden_is_what_somebody_nearer_covers():
    position, person = boxes_of_tokens((0, 0, 2, 2), (1, 1, 3, 3), (1, 1, 2, 2))
    hidden = hidden_tokens(position, person, torch.tensor([1, 0, 1]))
    brute = [
        any(
            torch.equal(position[i], position[j]) and [1, 0, 1][person[j]] < [1, 0, 1][person[i]]
            for j in range(len(person))
        )
        for i in range(len(person))
    ]
    assert hidden.tolist() == brute
    assert sum(brute) == 2


def velocity(backbone, condition):
    torch.manual_seed(3)
    b = len(condition.tokens)
    sequence = TokenSequence(
        text=TokenGroup(torch.randn(b, 4, 8), text_ids(4)),
        pooled=torch.randn(b, 8),
        noise=TokenGroup(torch.randn(b, 64, 64), grid_ids(8, 8)),
        conditions=(condition,),
    )
    with torch.no_grad():
        return backbone(sequence, torch.full((b,), 0.5))


def test_the_order_of_people_matters_only_without_sharing(batch, codec):
    torch.manual_seed(0)
    backbone = FluxBackbone(config=TINY).configure()
    for parameter in backbone.transformer.parameters():  # stock FLUX starts with zeros where it modulates
        if parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=0.1)
    order = torch.tensor([2, 0, 1])
    layout = batch.layout
    swapped = replace(
        batch,
        references=batch.references[:, order],
        reference_landmarks=batch.reference_landmarks[:, order],
        layout=replace(layout, boxes=layout.boxes[:, order], keypoints=layout.keypoints[:, order]),
    )
    for share, same in (("cellwise", True), ("union_affine", True), ("none", False)):
        recipe = CanvasRecipe(share_ids=share)
        one, other = (
            velocity(backbone, context_group(Context.CANVAS, b, codec, recipe)) for b in (batch, swapped)
        )
        apart = float((one - other).abs().max() / one.abs().max())
        assert (apart < 1e-4) is same, (share, apart)


def test_who_is_behind_loses_the_place_or_moves_away(batch, codec):
    shared, dropped, moved = (
        canvas_tokens(batch, codec, CanvasRecipe(behind=rule))[0] for rule in ("shared", "drop", "own_plane")
    )
    hidden = hidden_tokens(shared.position, shared.person, torch.tensor([0, 1, 2]))
    assert 0 < int(hidden.sum()) < len(hidden)
    assert torch.equal(dropped.position, shared.position[~hidden])
    assert torch.equal(dropped.latents, shared.latents[~hidden])
    assert torch.equal(moved.ids[:, 0], torch.where(hidden, 2.0, 1.0))
    assert torch.equal(moved.ids[:, 1:], shared.ids[:, 1:])
    front = dropped.person == 0
    assert int(front.sum()) == int((shared.person == 0).sum())


def test_nobody_loses_everything(batch, codec):
    layout = batch.layout
    stacked = replace(batch, layout=replace(layout, boxes=layout.boxes[:, :1].expand(-1, 3, -1)))
    kept = canvas_tokens(stacked, codec, CanvasRecipe(behind="drop"))[0]
    assert kept.person.unique().tolist() == [0, 1, 2]


def test_depth_must_be_known(batch, codec):
    unknown = replace(batch, layout=replace(batch.layout, depths=None))
    canvas_tokens(unknown, codec)
    with pytest.raises(ValueError, match="give the layout depths"):
        canvas_tokens(unknown, codec, CanvasRecipe(behind="drop"))


def test_poses_are_encoded_with_the_faces(batch, codec):
    """The tokens are the codec's of canvases with skeletons, at the places the canvases keep."""
    scene = canvas_tokens(batch, codec, CanvasRecipe(pose=True))[1]
    canvases = draw_canvases(
        batch.references[1],
        batch.reference_landmarks[1],
        batch.layout.boxes[1],
        (128, 128),
        keypoints=batch.layout.keypoints[1],
    )
    assert len(scene.latents) == int(canvases.keep.sum())
    plain = canvas_tokens(batch, codec)[1]
    assert len(scene.latents) > 1.5 * len(plain.latents)
    with torch.no_grad():
        encoded = codec.encode(canvases.images).view(3, 8, 8, -1)
    person, row, column = scene.person, scene.position[:, 0], scene.position[:, 1]
    torch.testing.assert_close(scene.latents, encoded[person, row, column])


def test_ragged_groups_pad_and_say_so():
    group = ragged_group([torch.ones(2, 4), torch.ones(3, 4)], [torch.ones(2, 3), torch.full((3, 3), 2.0)])
    assert group.valid is not None
    assert group.valid.tolist() == [[True, True, False], [True, True, True]]
    assert group.ids.shape == (2, 3, 3)
    assert not group.tokens[0, 2].any()
