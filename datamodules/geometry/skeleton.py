"""The skeletons everybody agrees on: COCO-17 bodies and five-landmark faces.

Left and right of a body are the person's own (COCO); the landmarks of a face are named as seen in the image
(InsightFace). For a person who faces the camera, COCO's left eye is therefore the image-right landmark.
"""

KEYPOINT_NAMES: tuple[str, ...] = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
"""COCO's seventeen keypoints, in COCO's order."""

EDGES: tuple[tuple[int, int], ...] = (
    (5, 7),
    (7, 9),
    (6, 8),
    (8, 10),
    (11, 13),
    (13, 15),
    (12, 14),
    (14, 16),
    (5, 6),
    (11, 12),
    (5, 11),
    (6, 12),
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 4),
)
"""Limbs as pairs of keypoint indices: arms, legs, trunk, head."""

SIGMAS: tuple[float, ...] = (
    0.026,
    0.025,
    0.025,
    0.035,
    0.035,
    0.079,
    0.079,
    0.072,
    0.072,
    0.062,
    0.062,
    0.107,
    0.107,
    0.087,
    0.087,
    0.089,
    0.089,
)
"""COCO's per-keypoint standard deviations; OKS uses kappa = 2 sigma."""

FLIP_INDICES: tuple[int, ...] = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
"""``mirrored = keypoints[FLIP_INDICES]`` after x becomes 1 - x."""

LANDMARK_NAMES: tuple[str, ...] = (
    "image_left_eye",
    "image_right_eye",
    "nose",
    "image_left_mouth",
    "image_right_mouth",
)
"""The five face landmarks, in InsightFace's order."""

LANDMARK_FLIP_INDICES: tuple[int, ...] = (1, 0, 2, 4, 3)
"""Order of the landmarks after the image is mirrored."""
