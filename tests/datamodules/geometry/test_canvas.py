"""Where faces land on canvases, and which tokens are kept."""

import pytest
import torch

from datamodules.geometry.canvas import BOX_PER_SPREAD, POSE_OVER_FACE, draw_canvases
from datamodules.geometry.draw import draw_skeleton
from datamodules.tiny_world.scenes import draw_scene

SIZE = (128, 128)


def arguments(scene):
    return (
        torch.stack([p.reference for p in scene.persons]),
        torch.stack([p.reference_landmarks for p in scene.persons]),
        torch.stack([p.box for p in scene.persons]),
    )


def drawn(*arguments, **options):
    canvases = draw_canvases(*arguments, **options)
    return canvases.images, canvases.keep


def painted(canvas):
    """Pixel rows and columns that are not blank."""
    rows, columns = (canvas.sum(0) > 0).nonzero(as_tuple=True)
    return int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1


def test_the_pasted_square_is_centred_on_the_box_and_scaled_by_the_margin():
    reference = torch.rand(1, 3, 64, 64) * 0.9 + 0.1
    landmarks = torch.tensor([[[0.4, 0.45], [0.6, 0.45], [0.5, 0.55], [0.42, 0.65], [0.58, 0.65]]])
    box = torch.tensor([[0.25, 0.25, 0.4375, 0.5]])  # 24 x 32 px
    canvases, keep = drawn(reference, landmarks, box, SIZE, margin=1.5)
    assert painted(canvases[0]) == (24, 72, 20, 68)  # 48 px around (44, 48)
    expected = torch.zeros(8, 8, dtype=torch.bool)
    expected[1:5, 1:5] = True  # rows 24..71, columns 20..67, rounded outwards to tokens of 16
    assert torch.equal(keep[0], expected)


def test_the_face_of_the_reference_is_as_large_as_the_face_of_the_scene():
    """The landmarks' spread on the canvas equals the spread in the scene: tracked by a marker on the reference."""
    ratios = []
    for seed in range(40):
        for person in draw_scene(seed, "val").persons:
            spread = (person.landmarks - person.landmarks.mean(0)).square().sum(1).mean().sqrt()
            ratios.append(float((person.box[3] - person.box[1]) / spread))
    assert torch.tensor(ratios).median() == pytest.approx(BOX_PER_SPREAD, rel=0.03)


def test_one_canvas_per_person_and_nothing_else_on_it():
    scene = next(s for seed in range(20) if len(s := draw_scene(seed, "val")) >= 3)
    canvases, keep = drawn(*arguments(scene), SIZE)
    assert canvases.shape == (len(scene), 3, *SIZE)
    tokens = torch.nn.functional.interpolate(keep[:, None].float(), size=SIZE, mode="nearest").bool()
    assert not canvases.masked_select(~tokens.expand_as(canvases)).any()
    assert all(canvas.sum() > 0 for canvas in canvases)


def test_boxes_over_the_edge_are_cut_and_boxes_outside_leave_a_blank_canvas():
    reference, landmarks = torch.ones(2, 3, 32, 32), torch.rand(2, 5, 2) * 0.3 + 0.35
    boxes = torch.tensor([[-0.1, -0.1, 0.1, 0.1], [1.5, 1.5, 1.7, 1.7]])
    canvases, keep = drawn(reference, landmarks, boxes, SIZE)
    assert canvases[0, :, 0, 0].tolist() == [1, 1, 1]
    assert keep[0, 0, 0]
    assert not keep[1].any()
    assert not canvases[1].any()


def test_no_people_give_empty_stacks():
    drawn = draw_canvases(torch.zeros(0, 3, 64, 64), torch.zeros(0, 5, 2), torch.zeros(0, 4), SIZE)
    assert len(drawn) == 0
    assert drawn.images.shape == (0, 3, 128, 128)
    assert drawn.keep.shape == (0, 8, 8)


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match="multiples of 16"):
        draw_canvases(torch.zeros(0, 3, 8, 8), torch.zeros(0, 5, 2), torch.zeros(0, 4), (100, 128))
    with pytest.raises(ValueError, match="got 1, 0 and 0 people"):
        draw_canvases(torch.zeros(1, 3, 8, 8), torch.zeros(0, 5, 2), torch.zeros(0, 4), SIZE)


def test_a_skeleton_is_drawn_whole_and_fainter_over_the_face():
    scene = draw_scene(3, "val", count=1)
    body, person = scene.persons[0].keypoints[None], scene.persons[0]
    plain, kept = drawn(*arguments(scene), SIZE)
    posed, more = drawn(*arguments(scene), SIZE, keypoints=body)
    bones = draw_skeleton(body, SIZE, over=plain[0])
    touched = (bones != plain[0]).any(0)
    x0, y0, x1, y1 = (person.box * 128).round().int().tolist()
    inside = torch.zeros(SIZE, dtype=torch.bool)
    inside[y0:y1, x0:x1] = True
    outside = (
        touched
        & ~torch.nn.functional.interpolate(kept[:1, None].float(), size=SIZE, mode="nearest").bool().squeeze()
    )
    assert outside.sum() > 100
    torch.testing.assert_close(posed[0][:, outside], bones[:, outside], atol=2 / 255, rtol=0)
    faint = touched & inside
    assert faint.sum() > 10
    mixed = torch.lerp(plain[0], bones, POSE_OVER_FACE)
    torch.testing.assert_close(posed[0][:, faint], mixed[:, faint], atol=2 / 255, rtol=0)
    assert bool((more >= kept).all())
    cells = torch.zeros(8, 8, dtype=torch.bool)
    for row, column in (outside.nonzero() // 16).tolist():
        cells[row, column] = True
    assert torch.equal(more[0], kept[0] | cells)


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.5])
def test_a_known_face_box_fills_the_planned_box_whatever_the_landmarks(scale):
    """Detectors draw boxes of other sizes around the same landmarks."""
    inside = torch.tensor([0.5 - 0.25 * scale, 0.5 - 0.3 * scale, 0.5 + 0.25 * scale, 0.5 + 0.3 * scale])
    reference = torch.full((1, 3, 200, 200), 0.2)
    x0, y0, x1, y1 = (inside * 200).round().int().tolist()
    reference[0, :, y0:y1, x0:x1] = 0.9
    landmarks = torch.tensor([[[0.4, 0.45], [0.6, 0.45], [0.5, 0.55], [0.42, 0.65], [0.58, 0.65]]])
    box = torch.tensor([[32 / 128, 24 / 128, 72 / 128, 72 / 128]])  # 40 x 48 px
    canvas = draw_canvases(reference, landmarks, box, SIZE, reference_boxes=inside[None]).images[0]
    rows, columns = (canvas[0] > 0.55).nonzero(as_tuple=True)
    found = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert (found - torch.tensor([32, 24, 72, 72])).abs().max() <= 1
    unknown = draw_canvases(reference, landmarks, box, SIZE, reference_boxes=torch.zeros(1, 4)).images
    assert torch.equal(unknown, draw_canvases(reference, landmarks, box, SIZE).images)
