"""The types that travel between stages.

Axis letters, used in every shape of the project:

    b batch · n persons (padded) · o detections (ragged) · k keypoints (COCO-17) · s tokens · c channels
    h w pixels · hp wp token rows and columns · t steps · g group size · d embedding width

Units: boxes are ``xyxy`` in [0, 1] of the image; keypoints are ``(x, y, v)`` with x, y in [0, 1] and COCO
visibility v (0 absent, 1 occluded, 2 visible); landmarks are ``(x, y)`` in [0, 1]; images are RGB in [0, 1];
angles carry ``_deg`` in their name. Keypoints use the person's own left and right (COCO); the five face
landmarks are ordered as seen in the image (InsightFace): left eye, right eye, nose, left and right mouth corner.
"""
