"""The skeleton table against pycocotools and against itself."""

import numpy as np
from pycocotools.cocoeval import Params

from datamodules.geometry.skeleton import (
    EDGES,
    FLIP_INDICES,
    KEYPOINT_NAMES,
    LANDMARK_FLIP_INDICES,
    LANDMARK_NAMES,
    SIGMAS,
)


def test_sigmas_are_cocos():
    np.testing.assert_allclose(SIGMAS, Params(iouType="keypoints").kpt_oks_sigmas, atol=1e-12)


def test_flip_swaps_left_and_right_by_name():
    for index, name in enumerate(KEYPOINT_NAMES):
        mirrored = name.replace("left", "?").replace("right", "left").replace("?", "right")
        assert KEYPOINT_NAMES[FLIP_INDICES[index]] == mirrored
    for index, name in enumerate(LANDMARK_NAMES):
        mirrored = name.replace("left", "?").replace("right", "left").replace("?", "right")
        assert LANDMARK_NAMES[LANDMARK_FLIP_INDICES[index]] == mirrored


def test_edges_connect_every_joint_and_mirror_into_edges():
    reached, frontier = {0}, {0}
    while frontier:
        frontier = {b for a, b in [*EDGES, *[(b, a) for a, b in EDGES]] if a in frontier} - reached
        reached |= frontier
    head = {0, 1, 2, 3, 4}
    # Head and body are joined by no COCO limb.
    assert reached == head
    edges = {frozenset(edge) for edge in EDGES}
    assert {frozenset(FLIP_INDICES[j] for j in edge) for edge in edges} == edges
    assert {j for edge in edges for j in edge} == set(range(17))
