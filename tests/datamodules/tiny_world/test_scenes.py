"""Scenes: deterministic, consistent, countable."""

import hashlib
import subprocess
import sys

import pytest
import torch

from datamodules.collate import collate
from datamodules.geometry.edits import raise_left_arm
from datamodules.geometry.ordering import reading_order
from datamodules.tiny_world.environments import ENVIRONMENT_NAMES
from datamodules.tiny_world.poses import ACTIONS
from datamodules.tiny_world.scenes import draw_scene

SIZE = 128


@pytest.fixture(scope="module")
def scenes():
    return [draw_scene(seed, split) for split in ("train", "val") for seed in range(30)]


def digest(seed):
    scene = draw_scene(seed, "val")
    parts = [scene.image, scene.background]
    for person in scene.persons:
        parts += [person.box, person.keypoints, person.landmarks, person.reference, person.mask]
    state = hashlib.sha256(scene.prompt.encode())
    for part in parts:
        state.update(part.numpy().tobytes())
    return state.hexdigest()


def test_equal_in_another_process_and_different_for_another_seed():
    assert digest(7) == digest(7)
    assert digest(7) != digest(8)
    code = (
        "from datamodules.tiny_world.scenes import draw_scene; import hashlib; s = draw_scene(7, 'val');"
        "print(hashlib.sha256(s.image.numpy().tobytes() + s.prompt.encode()).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    scene = draw_scene(7, "val")
    assert other == hashlib.sha256(scene.image.numpy().tobytes() + scene.prompt.encode()).hexdigest()


def test_splits_differ_for_the_same_seed():
    assert not torch.equal(draw_scene(1, "train").image, draw_scene(1, "val").image)


def test_shapes_and_ranges(scenes):
    for scene in scenes:
        assert scene.image.shape == scene.background.shape == (3, SIZE, SIZE)
        assert 0 <= scene.image.min() <= scene.image.max() <= 1
        assert 1 <= len(scene) <= 7
        for person in scene.persons:
            assert person.keypoints.shape == (17, 3)
            assert person.reference.shape == (3, 64, 64)
            assert person.mask.shape == (SIZE, SIZE)


def test_the_background_is_the_image_outside_the_masks_exactly(scenes):
    for scene in scenes:
        people = torch.stack([person.mask for person in scene.persons])
        assert people.sum(dim=0).max() == 1
        outside = ~people.any(dim=0)
        assert outside.any()
        assert torch.equal(scene.image[:, outside], scene.background[:, outside])
        inside = people.any(dim=0)
        changed = (scene.image != scene.background).any(dim=0)
        assert (changed & inside).sum() > 0.95 * inside.sum()


def test_faces_are_consistent_and_large_enough(scenes):
    for scene in scenes:
        for person in scene.persons:
            left, top, right, bottom = person.box.tolist()
            assert 0 <= left < right <= 1
            assert 0 <= top < bottom <= 1
            assert (bottom - top) * SIZE >= 20
            assert (right - left) * SIZE >= 16
            x, y = person.landmarks[:, 0], person.landmarks[:, 1]
            assert ((x > left) & (x < right) & (y > top) & (y < bottom)).all()
            # Image order: left eye left of the right eye, mouth likewise.
            assert x[0] < x[1]
            assert x[3] < x[4]


def test_keypoints_agree_with_landmarks_masks_and_the_image(scenes):
    for scene in scenes:
        for person in scene.persons:
            keypoints, landmarks = person.keypoints, person.landmarks
            torch.testing.assert_close(keypoints[0, :2], landmarks[2])
            # COCO's left eye is the person's own: the image-right landmark.
            torch.testing.assert_close(keypoints[1, :2], landmarks[1])
            torch.testing.assert_close(keypoints[2, :2], landmarks[0])
            assert set(keypoints[:, 2].tolist()) <= {0.0, 1.0, 2.0}
            assert keypoints[keypoints[:, 2] == 0].abs().sum() == 0
            seen = keypoints[keypoints[:, 2] == 2]
            columns, rows = (seen[:, 0] * SIZE).long(), (seen[:, 1] * SIZE).long()
            assert person.mask[rows, columns].all()


def test_alone_nearly_every_body_joint_inside_the_image_is_visible():
    flags = torch.cat([draw_scene(s, "train", count=1).persons[0].keypoints[5:, 2] for s in range(40)])
    inside = flags[flags > 0]
    assert (inside == 2).float().mean() > 0.97


def test_a_nearer_person_hides_the_joints_behind(scenes):
    hidden = 0
    for scene in scenes:
        for person in scene.persons:
            for x, y, v in person.keypoints[5:].tolist():
                if v != 1:
                    continue
                owners = [
                    o for o in scene.persons if o is not person and o.mask[int(y * SIZE), int(x * SIZE)]
                ]
                hidden += len(owners)
                assert all(owner.depth < person.depth for owner in owners)
    assert hidden > 40


def test_most_of_each_face_is_visible(scenes):
    for scene in scenes:
        for person in scene.persons:
            left, top, right, bottom = (person.box * SIZE).tolist()
            face = person.mask[round(top) : round(bottom), round(left) : round(right)]
            assert face.float().mean() > 0.45


def test_persons_are_in_reading_order_with_distinct_depths_and_identities(scenes):
    for scene in scenes:
        boxes = torch.stack([person.box for person in scene.persons])
        assert reading_order(boxes).tolist() == list(range(len(scene)))
        assert sorted(person.depth for person in scene.persons) == list(range(len(scene)))
        assert len({person.identity for person in scene.persons}) == len(scene)


def test_spans_are_the_descriptions(scenes):
    for scene in scenes:
        for person in scene.persons:
            start, end = person.span
            assert scene.prompt[start:end] == person.description
            assert person.description


def test_frontal_scenes_look_at_the_camera_and_others_do_not(scenes):
    assert 0.15 < sum(scene.frontal for scene in scenes) / len(scenes) < 0.45
    for scene in scenes:
        assert scene.frontal == ("camera" in scene.prompt)
        for person in scene.persons:
            if scene.frontal:
                assert abs(person.roll_deg) < 5
                assert abs(person.yaw_deg) < 5
            else:
                assert 12 <= abs(person.yaw_deg) <= 30


def test_identities_of_the_splits_do_not_meet():
    names = [
        {p.identity for s in range(15) for p in draw_scene(s, split).persons}
        for split in ("train", "val", "test")
    ]
    assert not names[0] & names[1]
    assert not names[0] & names[2]
    assert not names[1] & names[2]


def test_forced_parts_are_honoured():
    for action in ACTIONS:
        scene = draw_scene(3, "test", action=action, frontal=False)
        assert {person.action for person in scene.persons} == {action}
        assert not scene.frontal
    for environment in ENVIRONMENT_NAMES:
        assert draw_scene(3, "train", environment=environment, frontal=True).environment == environment
    for count in range(1, 8):
        assert len(draw_scene(4, "val", count=count)) == count


def test_seats_stay_in_the_background():
    """Sitting people need something to sit on, and it belongs to the place."""
    scene = draw_scene(5, "train", count=1, action="sitting", environment="park")
    empty = draw_scene(5, "train", count=1, action="standing", environment="park")
    person = scene.persons[0]
    hips = person.keypoints[11:13, :2].mean(dim=0) * SIZE
    below = scene.background[:, int(hips[1]) + 6 : int(hips[1]) + 10, int(hips[0])]
    assert empty.background.shape == scene.background.shape
    # Wood, not lawn: red above green.
    assert (below[0] > below[1]).any()


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split: 'dev'"):
        draw_scene(0, "dev")


def test_raised_arms_are_where_the_edit_of_the_plan_puts_them_and_all_else_stays():
    for seed in range(12):
        count = 1 + seed % 4
        plain, raised = (draw_scene(seed, "val", count=count, raised_arms=edit) for edit in (False, True))
        planned = raise_left_arm(collate([plain]).layout, (SIZE, SIZE)).keypoints[0]
        drawn = collate([raised]).layout.keypoints[0]
        torch.testing.assert_close(planned[..., :2], drawn[..., :2], atol=1e-4, rtol=0)
        assert torch.equal(planned[..., 2] > 0, drawn[..., 2] > 0)
        assert torch.equal(plain.background, raised.background)
        assert plain.prompt == raised.prompt
        changed = (plain.image != raised.image).any(dim=0)
        assert changed.any()
        nobody = ~torch.stack([p.mask for scene in (plain, raised) for p in scene.persons]).any(dim=0)
        assert not changed[nobody].any()
        for before, after in zip(plain.persons, raised.persons, strict=True):
            assert torch.equal(before.reference, after.reference)
            assert torch.equal(before.box, after.box)
