"""Poses as text: there and back, strict reading, errors that say what to change."""

import json

import pytest
import torch

from datamodules.geometry.skeleton import KEYPOINT_NAMES
from lightning_modules.skeleguide.pose_text import (
    PoseError,
    Poses,
    decode,
    decode_answer,
    encode,
    read_pose,
    to_layout,
    write_pose,
)


def random_poses(count, seed=0):
    rng = torch.Generator().manual_seed(seed)
    v = torch.randint(0, 3, (count, 17, 1), generator=rng).float()
    v[:, 5] = 2
    keypoints = torch.cat([torch.rand(count, 17, 2, generator=rng), v], dim=-1).where(v > 0, 0.0)
    confidence = torch.rand(count, 17, generator=rng).where(v[..., 0] > 0, 0.0)
    return Poses(keypoints, confidence)


@pytest.mark.parametrize("count", range(8))
def test_there_and_back(count):
    poses = random_poses(count, count)
    back = decode(encode(poses))
    torch.testing.assert_close(back.keypoints, poses.keypoints, atol=5.1e-5, rtol=0)
    torch.testing.assert_close(back.confidence, poses.confidence, atol=5.1e-3, rtol=0)
    assert torch.equal(back.keypoints[..., 2], poses.keypoints[..., 2])
    assert encode(back) == encode(poses)
    coarse = decode(encode(poses, digits=2))
    torch.testing.assert_close(coarse.keypoints, poses.keypoints, atol=5.1e-3, rtol=0)


def test_the_text_is_json_that_names_joints():
    poses = Poses.of(torch.zeros(1, 17, 3))
    poses.keypoints[0, 9] = torch.tensor([0.25, 0.5, 1])
    poses.confidence[0, 9] = 0.875
    assert json.loads(encode(poses)) == {"people": [{KEYPOINT_NAMES[9]: [0.25, 0.5, 1, 0.88]}]}


def test_files_are_written_and_read(tmp_path):
    poses = random_poses(3)
    write_pose(tmp_path / "pose.json", poses)
    torch.testing.assert_close(
        read_pose(tmp_path / "pose.json").keypoints, poses.keypoints, atol=1e-4, rtol=0
    )
    write_pose(tmp_path / "pose.json", random_poses(0))
    with pytest.raises(PoseError, match=r"pose\.json: nobody in it"):
        read_pose(tmp_path / "pose.json")
    with pytest.raises(PoseError, match=r"none\.json: cannot be read"):
        read_pose(tmp_path / "none.json")


def test_confidence_may_be_left_out():
    poses = decode('{"people": [{"nose": [0.5, 0.25, 2]}]}')
    assert poses.keypoints[0, 0].tolist() == [0.5, 0.25, 2]
    assert poses.confidence[0].tolist() == [1.0] + [0.0] * 16


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("people", "not JSON"),
        ("[]", "and nothing else"),
        ('{"people": [], "note": 1}', "and nothing else"),
        ('{"people": [[]]}', r"people\[0\]: expected an object"),
        ('{"people": [{}]}', r"people\[0\]: expected an object with at least one joint"),
        ('{"people": [{"nose": [0, 0, 2], "tail": [0, 0, 2]}]}', r"people\[0\]: unknown joints \['tail'\]"),
        ('{"people": [{"nose": [0, 0, 2], "nose": [1, 0, 2]}]}', "nose: named twice"),
        ('{"people": [{"nose": [0, 2]}]}', r"people\[0\]\.nose: \[0, 2\] must be"),
        ('{"people": [{"nose": [0, "a", 2]}]}', r"people\[0\]\.nose: .* must be"),
        ('{"people": [{"nose": [0, true, 2]}]}', r"people\[0\]\.nose: .* must be"),
        ('{"people": [{"nose": [0, 1.01, 2]}]}', r"people\[0\]\.nose: .* leaves the image"),
        ('{"people": [{"nose": [0, 0.5, 2, 7]}]}', r"people\[0\]\.nose: .* leaves the image"),
        ('{"people": [{"nose": [0, 0.5, 3]}]}', r"people\[0\]\.nose: v is 3"),
        ('{"people": [{"nose": [0, 0.5, 0]}]}', "leave out a joint that is not there"),
        ('{"people": [{"nose": [NaN, 0.5, 2]}]}', "NaN is no number"),
        ('{"people": [{"nose": [1e999, 0.5, 2]}]}', "leaves the image"),
        ('{"people": [{"nose": [412, 231, 2]}]}', "x, y and confidence go from 0 to 1"),
        (json.dumps({"people": [{"nose": [0, 0, 2]}] * 8}), "people: 8; a text holds at most 7"),
    ],
)
def test_a_slip_is_named(text, fault):
    with pytest.raises(PoseError, match=fault):
        decode(text)


def test_numbers_and_brackets_without_end_are_named():
    for digits, fault in ((400, "leaves the image"), (5000, "not JSON")):
        with pytest.raises(PoseError, match=fault):
            decode('{"people": [{"nose": [' + "9" * digits + ", 0.5, 2]}]}")
    with pytest.raises(PoseError, match="not JSON"):
        decode("[" * 100_000)


def test_what_cannot_be_written_is_named():
    with pytest.raises(PoseError, match="people: 8"):
        encode(random_poses(8))
    poses = random_poses(2)
    poses.keypoints[1, 5, 0] = 1.2
    with pytest.raises(PoseError, match=r"people\[1\]\.left_shoulder: .* leaves the image"):
        encode(poses)
    with pytest.raises(PoseError, match=r"people\[0\]: has no joint"):
        encode(Poses.of(torch.zeros(1, 17, 3)))
    with pytest.raises(ValueError, match=r"keypoints: shape \(1, 16, 3\)"):
        Poses(torch.zeros(1, 16, 3), torch.zeros(1, 16))
    with pytest.raises(ValueError, match=r"confidence: shape \(2, 17\)"):
        Poses(torch.zeros(1, 17, 3), torch.zeros(2, 17))


def test_answers_may_be_fenced_and_nothing_more():
    poses = random_poses(2)
    text = encode(poses)
    for answer in (text, f"```json\n{text}\n```", f" ```\n{text}\n```\n"):
        assert encode(decode_answer(answer)) == text
    with pytest.raises(PoseError):
        decode_answer(f"Here it is:\n```json\n{text}\n```")


def test_layouts_are_padded_plans():
    layout = to_layout([random_poses(1), random_poses(3), random_poses(0)], (64, 128))
    assert layout.counts().tolist() == [1, 3, 0]
    assert torch.equal(layout.keypoints[1], random_poses(3).keypoints)
    assert layout.keypoints[0, 1:].abs().sum() == 0
    assert bool((layout.boxes[1, :, 2] > layout.boxes[1, :, 0]).all())
    assert to_layout([], (64, 64)).keypoints.shape == (0, 0, 17, 3)
