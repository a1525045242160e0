"""Does a caption ask everyone to look at the camera (Ar2Can: 30 % of the prompts; the frontal reward's gate)."""

import re

_TO_THE_CAMERA = re.compile(r"\b(look(s|ing)?( \w+)? (at|into)|fac(e|es|ing)) the camera\b", re.IGNORECASE)


def asks_to_face_the_camera(prompt: str) -> bool:
    """Whether it does, in one of the usual wordings."""
    return bool(_TO_THE_CAMERA.search(prompt))
